"""What the server of a class was started with: the lecturer's key, folders, weights and bounds."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from functools import lru_cache

from lymph.errors import ClassError
from lymph.typed import misfit

# Set by ``python -m lymph serve`` for the app; without it the app is as free as ever.
VARIABLE = "LYMPH_CLASS"
UPLOAD_MB = 200
# No letter or digit that looks like another one on a projector.
KEY_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ2346789"


@dataclass(frozen=True)
class ClassSettings:
    """How a class is served; paths are whole.

    Attributes
    ----------
    key : str
        Makes whoever gives it the lecturer.
    address : str
        Under which every device of the class reaches the server, as ``http://192.168.1.7:8501``.
    folders : tuple of str
        At or below these, folders of the server can be opened.
    weights : tuple of str
        Files of pretrained weights that can be chosen.
    upload_mb : int
        Most that one visitor may upload, in MB of 1024 * 1024 bytes.
    """

    key: str
    address: str = ""
    folders: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    upload_mb: int = UPLOAD_MB

    def to_text(self) -> str:
        """Return what the environment variable holds."""
        return json.dumps(asdict(self))


def new_key() -> str:
    """Return a key of three groups of four letters, from the system's source of randomness."""
    groups = ["".join(secrets.choice(KEY_LETTERS) for _ in range(4)) for _ in range(3)]
    return "-".join(groups)


def class_settings() -> ClassSettings | None:
    """Return how the class is served, or None where this is no class.

    Raises
    ------
    ClassError
        When the variable holds something else: a class is never taken for a free workspace.
    """
    text = os.environ.get(VARIABLE, "")
    return _settings_from(text) if text else None


@lru_cache(maxsize=8)
def _settings_from(text: str) -> ClassSettings:
    wrong = f"{VARIABLE} cannot be read; start the class with `python -m lymph serve`."
    try:
        document = json.loads(text)
    except ValueError:
        raise ClassError(wrong) from None
    known = {item.name for item in fields(ClassSettings)}
    if not isinstance(document, dict) or not set(document) <= known:
        raise ClassError(wrong)
    if misfit(ClassSettings, document) or not document["key"]:
        raise ClassError(wrong)
    for name in ("folders", "weights"):
        document[name] = tuple(document.get(name, ()))
    return ClassSettings(**document)
