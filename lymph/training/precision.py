"""Number format and memory layout, chosen by a short measurement on the machine at hand."""

import time
from collections.abc import Callable

import torch
from torch import nn

from lymph import workspace
from lymph.models.networks import BackboneHead, build_encoder, build_model
from lymph.models.specs import MODELS, ModelSpec
from lymph.training import speed
from lymph.training.config import TrainConfig
from lymph.training.devices import device_here, wait_for
from lymph.training.loop import autocast
from lymph.training.speed import Precision

# A gain below this is not worth another number format, and could change from run to run.
WORTHWHILE = 1.15
PICTURES = {"cnn": 16, "resnet50": 4}
TRIALS = 2

WAYS = ((False, False), (False, True), (True, True))


def _time_training(
    model: BackboneHead, pictures: torch.Tensor, bfloat16: bool, channels_last: bool
) -> float:
    """Return the seconds a picture takes forward and backward; the first pass only warms up."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model.to(memory_format=layout)
    batch = pictures.contiguous(memory_format=layout)
    times = []
    for _ in range(TRIALS + 1):
        start = time.perf_counter()
        with autocast(bfloat16, batch.device.type):
            logits = model(batch)
        logits.float().logsumexp(1).mean().backward()
        model.zero_grad(set_to_none=True)
        wait_for(batch.device)
        times.append(time.perf_counter() - start)
    return min(times[1:]) / len(batch)


@torch.no_grad()
def _time_evaluation(model: nn.Module, pictures: torch.Tensor, bfloat16: bool) -> float:
    model.eval()
    start = time.perf_counter()
    with autocast(bfloat16, pictures.device.type):
        model(pictures)
    wait_for(pictures.device)
    return (time.perf_counter() - start) / len(pictures)


def time_encoding(encoder: nn.Module, spec: ModelSpec) -> float:
    """Return the seconds that a picture of the largest size takes in an encoder, in float32.

    An answer then is the same number wherever it is given, to the last digits.
    """
    encoder.eval().to(device_here()).to(memory_format=torch.channels_last)
    with torch.random.fork_rng():
        picture = torch.rand(1, 3, *spec.size, device=device_here())
    return min(_time_evaluation(encoder, picture, bfloat16=False) for _ in range(TRIALS))


def measure_precision(name: str) -> Precision:
    """Time training steps of a model in float32 and in bfloat16, plain and channels last.

    A processor without bfloat16 instructions is slower with it, so nothing is taken on faith.
    torch's random state does not change.
    """
    spec = MODELS[name]
    if spec.frozen:
        with torch.random.fork_rng():
            encoder = build_model(name, 2).backbone
        return of_encoder(time_encoding(encoder, spec))
    with torch.random.fork_rng():
        model = build_model(name, 3).to(device_here())
        shape = (PICTURES[name], 1 if spec.grey else 3, *spec.size)
        pictures = torch.rand(shape).to(device_here())
        times = {way: _time_training(model, pictures, *way) for way in WAYS}
        best = min(times, key=lambda way: times[way])
        if times[WAYS[0]] < WORTHWHILE * times[best]:
            best = WAYS[0]
        return Precision(*best, times[best], _time_evaluation(model, pictures, best[0]))


def of_encoder(seconds: float) -> Precision:
    """Return what an encoder computes in, and the seconds that a picture takes in it."""
    return Precision(False, True, seconds, seconds)


def precision_here(name: str, measure: Callable[[], Precision] | None = None) -> Precision:
    """Return the measurement for a model on this machine, made once and kept in the workspace.

    Of several processes that ask at once one measures: together they would measure each other.
    ``measure`` does so where the name alone does not tell what to measure.
    """
    if (known := speed.known(name)) is not None:
        return known
    with workspace.turn(speed.file().with_suffix(".measured")):
        if (known := speed.known(name)) is None:
            known = measure() if measure else measure_precision(name)
            speed.keep(name, known)
    return known


def precision_of(config: TrainConfig) -> Precision:
    """Return what a run computes in: what it asks for, or what is fastest here."""
    if config.architecture:
        spec = MODELS[config.model]

        def measure() -> Precision:
            with torch.random.fork_rng():
                encoder = build_encoder(config.encoder, config.architecture)
            return of_encoder(time_encoding(encoder, spec))

        return precision_here(config.speed_name, measure)
    measured = precision_here(config.model)
    if config.tunes_last_block:
        # An answer then is the same number wherever it is given, to the last digits.
        return measured._replace(bfloat16=False, channels_last=True)
    if config.precision == "measured" or config.spec.frozen:
        return measured
    wanted = config.precision == "bfloat16"
    return measured._replace(bfloat16=wanted, channels_last=wanted)
