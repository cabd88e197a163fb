"""Figures of every lesson that come with lymph, for where a live run would take too long.

Made by ``python -m bench.prepared`` on the demonstration set, whose pictures are computer drawn.
"""

from pathlib import Path
from typing import Any

from lymph import workspace
from lymph.errors import LymphError
from lymph.lessons.live import VERSION

FOLDER = Path(__file__).parent / "figures"
ABOUT = (
    "Prepared results: this lesson was run in advance on the demonstration set, whose pictures are"
    " computer drawn. They are not from the pictures loaded here."
)


def prepared_file(slug: str) -> Path:
    """Return where the prepared figures of a lesson lie."""
    return FOLDER / f"{slug}.json"


def prepared_figures(slug: str) -> dict[str, Any]:
    """Return the figures of a lesson that come with lymph, as its ``run`` returned them.

    Raises
    ------
    LymphError
        When there are none of this version of the lessons.
    """
    try:
        document = workspace.read_json(prepared_file(slug))
    except (OSError, ValueError):
        document = {}
    if document.get("version") != VERSION:
        raise LymphError("This lesson has no prepared results; run it live.")
    return document["figures"]
