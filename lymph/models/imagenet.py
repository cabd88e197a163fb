"""The file of ResNet-50's ImageNet values: where torchvision keeps it, and how it comes there."""

import hashlib
import os
import urllib.request
from pathlib import Path

from lymph import workspace
from lymph.parallel import Progress

IMAGENET_SIZE = "98 MB"
# As torchvision names it (ResNet50_Weights.IMAGENET1K_V2); the end of the name begins its digest.
ADDRESS = "https://download.pytorch.org/models/resnet50-11ad3fa6.pth"
PIECE = 1 << 20
PATIENCE_SECONDS = 30.0


def imagenet_file() -> Path:
    """Return where torchvision looks for the values, as ``torch.hub`` decides it."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return Path(home).expanduser() / "hub" / "checkpoints" / ADDRESS.rpartition("/")[2]


def imagenet_is_here() -> bool:
    """Tell whether the values are on this computer."""
    return imagenet_file().is_file()


def fetch(progress: Progress | None = None, address: str = ADDRESS) -> None:
    """Download the values unless they are there; ``progress`` is called with megabytes.

    Raises
    ------
    OSError
        When they cannot be fetched, or are not what torchvision's name promises.
    DiskError
        When they cannot be kept.
    """
    if not imagenet_is_here():
        workspace.write_atomically(imagenet_file(), lambda file: _download(file, address, progress))


def _download(file: Path, address: str, progress: Progress | None) -> None:
    seen = hashlib.sha256()
    opened = urllib.request.urlopen(address, timeout=PATIENCE_SECONDS)
    with opened as answer, file.open("wb") as kept:
        total = int(answer.headers.get("Content-Length") or 0)
        done = 0
        while piece := answer.read(PIECE):
            kept.write(piece)
            seen.update(piece)
            done += len(piece)
            if progress:
                progress(done // PIECE, total // PIECE)
    wanted = address.rpartition("-")[2].removesuffix(".pth")
    if not seen.hexdigest().startswith(wanted):
        raise OSError(f"{address} is not the file that its name promises")
