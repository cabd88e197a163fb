"""ImageNet values for the backbone: from torchvision or from a file, with what was loaded."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lymph.errors import WeightsError
from lymph.jobs.worker import Stopped
from lymph.models import imagenet
from lymph.models.encoder_files import VALUES, fill, folder_of, missing_words, read_safetensors
from lymph.models.encoder_table import DEFAULT, ENCODER_TABLE
from lymph.models.imagenet import IMAGENET_SIZE
from lymph.models.networks import BackboneHead, count_parameters
from lymph.parallel import Progress

# The values that an encoder's makers published, as the workspace keeps them.
PUBLISHED = "published"


class LoadReport(NamedTuple):
    """Numbers (parameters, statistics apart) that were loaded, of how many, and what was not."""

    source: str
    loaded: int
    total: int
    missing: list[str]

    @property
    def sentence(self) -> str:
        """Return the report in one plain sentence."""
        text = (
            f"{self.loaded / 1e6:.1f} of {self.total / 1e6:.1f} million backbone parameters were"
            f" loaded from {self.source}"
        )
        if not self.missing:
            return f"{text}."
        return f"{text}; {', '.join(self.missing)} start from random weights."


def load_backbone(
    model: BackboneHead, weights: str, progress: Progress | None = None
) -> LoadReport | None:
    """Load values into a model's backbone.

    Parameters
    ----------
    model : BackboneHead
        Changed in place.
    weights : str
        ``imagenet`` (torchvision's, downloaded once), ``none``, or the path of a file.
    progress : callable, optional
        Called with the megabytes downloaded and those there are.

    Returns
    -------
    LoadReport or None
        None for ``none``: the values stay random.

    Raises
    ------
    WeightsError
        When the values cannot be fetched or read, or match nothing in the backbone.
    """
    if weights == "none":
        return None
    if weights == "imagenet":
        return _fill(model.backbone, _download(progress), "torchvision's ImageNet weights")
    return _fill(model.backbone, read_values(Path(weights)), Path(weights).name)


def load_encoder(
    model: BackboneHead, weights: str, encoder: str = DEFAULT, progress: Progress | None = None
) -> LoadReport | None:
    """Load values into a frozen encoder, all of them: nothing will make random ones better.

    Parameters
    ----------
    model : BackboneHead
        Changed in place.
    weights : str
        As of :func:`load_backbone`; of another encoder than ResNet-50 a file, or ``published`` for
        those in the workspace.
    encoder : str
        A name of the table of encoders.

    Raises
    ------
    WeightsError
        As :func:`load_backbone`, and when a part of the encoder has no values.
    """
    if encoder != DEFAULT:
        return _load_tiles(model, weights, encoder)
    report = load_backbone(model, weights, progress)
    if report and report.missing:
        raise WeightsError(
            f"{report.source} has no weights for {', '.join(report.missing)} of the encoder, which"
            " would stay random; give a file with all of conv1 to layer3."
        )
    return report


def _load_tiles(model: BackboneHead, weights: str, encoder: str) -> LoadReport:
    path, source = Path(weights), Path(weights).parent.name
    if weights == PUBLISHED:
        record, path = ENCODER_TABLE[encoder], folder_of(encoder) / VALUES
        source = record.title
        if not path.is_file():
            raise WeightsError(missing_words(record))
    loaded = fill(model.backbone.network, path)
    return LoadReport(f"{source} ({path.name})", loaded, count_parameters(model.backbone), [])


def first_values(
    model: BackboneHead,
    weights: str,
    frozen: bool,
    encoder: str = DEFAULT,
    progress: Progress | None = None,
) -> tuple[list[str], str]:
    """Load the values that a run begins with; ``progress`` follows a download, in megabytes.

    Parameters
    ----------
    model, weights, encoder
        As of :func:`load_encoder`.
    frozen : bool
        Whether the backbone never learns, so that all of its values must be there.

    Returns
    -------
    list of str
        The parts of the backbone that start from random weights although others do not.
    str
        A sentence on what was loaded; for random values too.
    """
    if frozen:
        report = load_encoder(model, weights, encoder, progress)
    else:
        report = load_backbone(model, weights, progress)
    if report:
        return report.missing, report.sentence
    return [], "The whole network starts from random weights, not ImageNet's."


def _download(progress: Progress | None) -> dict[str, Tensor]:
    from torchvision.models import ResNet50_Weights

    try:
        imagenet.fetch(progress)
        return ResNet50_Weights.IMAGENET1K_V2.get_state_dict(progress=False, check_hash=True)
    except Stopped:
        raise
    except Exception as error:  # urllib, sockets, hashes and disks all fail in their own ways.
        raise WeightsError(
            f"The ImageNet weights ({IMAGENET_SIZE}) could not be downloaded"
            f" ({type(error).__name__}); give a file with --weights FILE, or train from random"
            " values with --weights none."
        ) from error


def read_values(path: Path) -> dict[str, Tensor]:
    """Read a file of named tensors; it cannot execute code.

    Raises
    ------
    WeightsError
        When the file is missing or holds anything but named tensors.
    """
    if path.suffix == ".safetensors":
        return _named_tensors(read_safetensors(path), path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"There is no file {path}; check the path of the weights.") from error
    except Exception as error:  # torch raises pickle, zip, runtime and value errors alike.
        raise WeightsError(
            f"{path.name} is not a file of PyTorch weights; give one saved with torch.save of a"
            " ResNet-50's state_dict."
        ) from error
    return _named_tensors(content, path)


def _named_tensors(content: Any, path: Path) -> dict[str, Tensor]:
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict):
        raise WeightsError(f"{path.name} holds no named tensors; give a saved state_dict.")
    prefixes = ("module.", "backbone.")
    named = {}
    for name, value in content.items():
        for prefix in prefixes:
            name = str(name).removeprefix(prefix)
        if isinstance(value, Tensor):
            named[name] = value
    return named


def _fill(backbone: nn.Module, values: dict[str, Tensor], source: str) -> LoadReport:
    """Load every tensor whose name and shape match and count the parameters among them."""
    own = backbone.state_dict()
    matching = {n: v for n, v in values.items() if n in own and v.shape == own[n].shape}
    parameters = dict(backbone.named_parameters())
    loaded = sum(parameters[name].numel() for name in matching if name in parameters)
    if not loaded:
        raise WeightsError(
            f"Nothing in {source} fits ResNet-50: no tensor has a name and shape of its backbone;"
            " give torchvision's resnet50 weights."
        )
    backbone.load_state_dict(matching, strict=False)
    missing = sorted({name.split(".")[0] for name in parameters if name not in matching})
    total = sum(parameter.numel() for parameter in parameters.values())
    return LoadReport(source, loaded, total, missing)
