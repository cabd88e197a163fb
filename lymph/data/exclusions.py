"""Pictures that a user has excluded; the files are never touched."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from lymph.data import decisions

KEY = "left_out"


def _kept(document: decisions.Document) -> dict[str, str]:
    kept = document.get(KEY)
    if not isinstance(kept, dict):
        return {}
    return {str(picture): str(reason) for picture, reason in kept.items()}


def excluded(root: Path | str, copy: str = "") -> dict[str, str]:
    """Return the pictures that were excluded, each with the reason given."""
    return _kept(decisions.read(root, copy))


def exclude(root: Path | str, pictures: Mapping[str, str], copy: str = "") -> None:
    """Exclude pictures from everything from now on; ``pictures`` gives the reason of each."""
    decisions.change(root, lambda kept: {**kept, KEY: {**_kept(kept), **pictures}}, copy)


def include(root: Path | str, pictures: Iterable[str], copy: str = "") -> None:
    """Include pictures again that were excluded."""
    back = set(pictures)

    def without(kept: decisions.Document) -> decisions.Document:
        left = {picture: why for picture, why in _kept(kept).items() if picture not in back}
        return {**kept, KEY: left}

    decisions.change(root, without, copy)
