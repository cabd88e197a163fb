"""The encoders on this computer: which are here, whether they work, how fast they are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from lymph.data.source import PictureSource
from lymph.errors import LymphError, WeightsError
from lymph.evaluation import robustness
from lymph.models.encoded import encode
from lymph.models.encoder_files import describe, is_here, missing_words
from lymph.models.encoder_table import DEFAULT, ENCODER_TABLE, OWN, EncoderRecord
from lymph.models.encoders import Encoder
from lymph.models.inputs import to_input
from lymph.models.networks import build_model, count_parameters
from lymph.models.specs import MODELS
from lymph.models.view import view
from lymph.models.weights import load_encoder
from lymph.parallel import Progress
from lymph.training.devices import device_here
from lymph.training.precision import time_encoding

SPEC = MODELS["linear-probe"]
# As large as the published pictures of lymphoma at a third of their size.
TRIED = (312, 417, 3)


def open_encoder(asked: str = DEFAULT, weights: str = "imagenet") -> Encoder:
    """Return an encoder with its values, in evaluation mode, on the device of this process.

    Parameters
    ----------
    asked : str
        A name of the table of encoders, or a folder or file; see
        :func:`lymph.models.encoder_files.where`.
    weights : str
        ResNet-50's values; see :func:`lymph.models.weights.load_backbone`.

    Raises
    ------
    WeightsError
        When it is not here or cannot be read.
    """
    if asked == DEFAULT:
        model = build_model("linear-probe", 2)
        load_encoder(model, weights)
    else:
        path, architecture = describe(asked)
        model = build_model("linear-probe", 2, OWN, architecture.to_json())
        load_encoder(model, str(path), OWN)
    encoder: Any = model.backbone
    encoder.eval().to(device_here()).to(memory_format=torch.channels_last)
    return encoder


def features_of_set(
    encoder: Encoder,
    root: Path | str,
    table: pd.DataFrame,
    progress: Progress | None = None,
    check: Callable[[], None] | None = None,
) -> np.ndarray:
    """Return what an encoder makes of every picture of a table, float64, N x width; kept."""
    made = encode(root, list(table["picture"]), encoder, SPEC, progress, check)
    return made.features.astype(np.float64)


def examine(
    asked: Sequence[str] = (),
    weights: str = "imagenet",
    source: PictureSource | None = None,
    progress: Progress | None = None,
) -> Iterator[dict[str, Any]]:
    """Try one picture through each encoder, one document an encoder; a fault ends none of it.

    Parameters
    ----------
    asked : sequence of str
        Names, folders or files; all that lymph knows where there are none.
    weights : str
        ResNet-50's values: a file, or ``imagenet`` for torchvision's where they are here already.
        Nothing is fetched.
    source : PictureSource, optional
        Pictures on which the robustness index is measured.
    progress : callable, optional
        Called with the pictures done and the pictures to do.

    Yields
    ------
    dict
        What the table says of it, and ``here``, ``works``, ``problem``, ``features`` (numbers a
        picture), ``seconds_per_100`` (pictures, on this machine) and, where pictures are given,
        ``robustness``.
    """
    for name in asked or ENCODER_TABLE:
        known = ENCODER_TABLE.get(name)
        document = _said(known) if known else {"name": name, "title": Path(name).name}
        try:
            _refuse_missing(name, known, weights)
            document |= {"here": True, **_try(open_encoder(name, weights), source, progress)}
        except LymphError as error:
            document |= {"here": _is_here(name, weights), "works": False, "problem": str(error)}
        yield document


def _said(record: EncoderRecord) -> dict[str, Any]:
    document = {name: value for name, value in asdict(record).items() if name != "arguments"}
    return {**document, "page": record.page, "terms": record.terms, "fetchable": record.fetchable}


def _is_here(name: str, weights: str) -> bool:
    if name == DEFAULT:
        return Path(weights).is_file() or (weights == "imagenet" and _torchvision_file().is_file())
    return is_here(name) if name in ENCODER_TABLE else Path(name).expanduser().exists()


def _torchvision_file() -> Path:
    from torchvision.models import ResNet50_Weights

    kept = Path(torch.hub.get_dir()) / "checkpoints"
    return kept / Path(ResNet50_Weights.IMAGENET1K_V2.url).name


def _refuse_missing(name: str, known: EncoderRecord | None, weights: str) -> None:
    if known is None or _is_here(name, weights):
        return
    if name != DEFAULT:
        raise WeightsError(missing_words(known))
    if weights != "imagenet":
        raise WeightsError(f"There is no file {weights}; check --weights.")
    raise WeightsError(
        f"{known.title}'s weights are not on this computer; the first training fetches them from"
        f" torchvision ({known.megabytes} MB), or give a file with --weights FILE."
    )


def _try(
    encoder: Encoder, source: PictureSource | None, progress: Progress | None
) -> dict[str, Any]:
    """Let one drawn picture through an encoder, measure its speed, and what it tells of a set."""
    drawn = np.random.default_rng(0).integers(0, 256, TRIED, np.uint8)
    with torch.inference_mode():
        features = encoder(to_input(view(drawn, SPEC)[None], SPEC).to(device_here()))
    if not bool(torch.isfinite(features).all()):
        raise WeightsError("A picture through it gives no numbers: its weights are damaged.")
    found: dict[str, Any] = {
        "works": True,
        "problem": "",
        "features": encoder.width,
        "parameters_here": count_parameters(encoder),
        "seconds_per_100": round(100 * time_encoding(encoder, SPEC), 2),
    }
    if source is not None:
        table = source.usable()
        made = features_of_set(encoder, source.root, table, progress)
        told = robustness(made, *(table[name].to_numpy(str) for name in ("label", "patient")))
        found["robustness"] = told.to_json() if told else None
    return found
