"""Pictures as addresses that need no other file."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image


def address_of(source: Path | np.ndarray, width: int, height: int | None = None) -> str:
    """Return a small copy of a picture file, or of RGB pixels, as an address that holds it."""
    picture = Image.fromarray(source) if isinstance(source, np.ndarray) else Image.open(source)
    with picture:
        picture.thumbnail((width, height or width))
        memory = io.BytesIO()
        picture.convert("RGB").save(memory, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(memory.getvalue()).decode()
