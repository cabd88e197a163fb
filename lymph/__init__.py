"""Learning and teaching how pictures of malignant lymphoma are classified.

What most notebooks need is here, loaded on first use; see :mod:`lymph.api`. The rooms behind it, in
the order in which data flow through them: ``data`` (pictures on disk to a table and to pixels),
``splits`` (who trains, validates and tests), ``models``, ``evaluation``, ``training``, ``runs``
(the run folder), ``explain``, ``inference`` and ``charts``. Imports run one way, down this list.
``jobs``, before them all, runs what takes longer than a click.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lymph.api import PictureSource, audit, classify, evaluate, scan, split_by_patient, train

__version__ = "0.1.0"

__all__ = [
    "PictureSource",
    "audit",
    "classify",
    "evaluate",
    "scan",
    "split_by_patient",
    "train",
]


def __getattr__(name: str) -> Any:
    """Load what is asked for: `import lymph` itself takes no time."""
    if name not in __all__:
        raise AttributeError(f"module 'lymph' has no attribute {name!r}")
    from lymph import api

    return getattr(api, name)
