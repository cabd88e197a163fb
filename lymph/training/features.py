"""What a frozen backbone makes of the pictures, computed once."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lymph import workspace
from lymph.data.stamps import cache_folder


def digest_of(module: nn.Module) -> str:
    """Return a name for the values of a module: other values, another name."""
    digest = hashlib.sha256()
    for name, value in module.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def feature_file(root: str, pixels: np.ndarray, backbone: nn.Module, bfloat16: bool) -> Path:
    """Return where the features of all pictures of a data root are kept, for these very values.

    The name tells the backbone's values, the number format and the pixels, so that nothing that
    has changed is taken for what it was.
    """
    seen = Path(getattr(pixels, "filename", "pixels")).stem
    kind = "bfloat16" if bfloat16 else "float32"
    return cache_folder(Path(root)) / f"features-{digest_of(backbone)}-{kind}-{seen}.npy"


def read_features(file: Path, count: int) -> Tensor | None:
    """Return kept features, float32 N x D, or None where there are none for all pictures."""
    try:
        kept = np.load(file)
    except (OSError, ValueError):
        return None
    return torch.from_numpy(kept) if len(kept) == count else None


def keep_features(file: Path, features: Tensor) -> None:
    """Keep features, float32 N x D."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as opened:
            np.save(opened, features.numpy())

    workspace.write_atomically(file, write)
