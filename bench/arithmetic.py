"""What limits a step of ResNet-50: matrix products of the machine, convolutions as torch has them.

Where the convolutions alone stay far below the matrix products, no better loop around them brings a
step nearer to the limit.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lymph.models.networks import BackboneHead, build_model
from lymph.models.specs import MODELS

MATRIX = 2048
BATCH = 16
TRIALS = 8


class Convolution(NamedTuple):
    """A convolution of a network: its module, its input's shape, and whether it is the first."""

    module: nn.Conv2d
    shape: tuple[int, ...]
    is_first: bool

    @property
    def kind(self) -> tuple[object, ...]:
        """Return what decides on its speed."""
        return self.shape, self.module.weight.shape, self.module.stride, self.is_first


def matrix_speed() -> float:
    """Return the operations a second of bfloat16 matrix products, the best of several."""
    left = torch.rand(MATRIX, MATRIX).to(torch.bfloat16)
    return 2 * MATRIX**3 / _best(lambda: left @ left)


def step_operations(name: str, classes: int) -> tuple[int, int]:
    """Count the operations of a picture forward, and of one forward and backward."""
    model = build_model(name, classes)
    pictures = torch.rand(1, 3, *MODELS[name].size)
    with FlopCounterMode(display=False) as forward, torch.no_grad():
        model.eval()(pictures)
    with FlopCounterMode(display=False) as step:
        model(pictures).sum().backward()
    return forward.get_total_flops(), step.get_total_flops()


def convolution_seconds(name: str, classes: int) -> float:
    """Return what a picture's convolutions take in a step, and nothing else: each at its best.

    In bfloat16 and channels last, in batches of 16 as training has them.
    """
    found = _convolutions(build_model(name, classes), MODELS[name].size)
    known: dict[tuple[object, ...], float] = {}
    for one in found:
        if one.kind not in known:
            known[one.kind] = _forward_and_backward(one)
    return sum(known[one.kind] for one in found) / BATCH


def _best(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(TRIALS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


@torch.no_grad()
def _convolutions(model: BackboneHead, size: tuple[int, int]) -> list[Convolution]:
    found: list[Convolution] = []

    def note(module: nn.Module, given: tuple[Tensor, ...], _: Tensor) -> None:
        assert isinstance(module, nn.Conv2d)
        found.append(Convolution(module, (BATCH, *given[0].shape[1:]), not found))

    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(note)
    model.eval()(torch.rand(1, 3, *size))
    return found


@torch.no_grad()
def _forward_and_backward(one: Convolution) -> float:
    """Return the seconds of one convolution; the first of a network owes its input no gradient."""
    layer = one.module
    layout = {"dtype": torch.bfloat16, "memory_format": torch.channels_last}
    given, weight = torch.rand(one.shape).to(**layout), layer.weight.to(**layout)
    how = (layer.stride, layer.padding, layer.dilation)
    gradient = torch.rand_like(torch.conv2d(given, weight, None, *how))
    wanted = [not one.is_first, True, False]

    def backward() -> object:
        return torch.ops.aten.convolution_backward(
            gradient, given, weight, None, *how, False, [0, 0], 1, wanted
        )

    return _best(lambda: torch.conv2d(given, weight, None, *how)) + _best(backward)
