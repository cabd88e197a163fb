"""What users have decided about a data root: one small file in the workspace, changed in turns.

In a class somebody may have decisions of their own about pictures that others see, too: a *copy*,
which has a name and a file of its own; without a name the decisions are everybody's.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lymph import workspace
from lymph.data.stamps import cache_folder

Document = dict[str, Any]

# How many files of each suffix were left in a zip or a drop.
NOT_UNPACKED = "not_unpacked"


def name_of(root: Path | str, copy: str = "") -> str:
    """Return what files and folders are called that hold decisions about a data root."""
    name = cache_folder(Path(root)).name
    return f"{name}-{copy}" if copy else name


def decisions_file(root: Path | str, copy: str = "") -> Path:
    """Return the file that holds the decisions about a data root."""
    return workspace.data_home() / "choices" / f"{name_of(root, copy)}.json"


def read(root: Path | str, copy: str = "") -> Document:
    """Return the decisions about a data root; none where the file is missing or damaged."""
    document = workspace.read_json_or(decisions_file(root, copy), {})
    return document if isinstance(document, dict) else {}


def change(root: Path | str, decide: Callable[[Document], Document], copy: str = "") -> None:
    """Change the decisions about a data root; thirty visitors at once lose none of theirs.

    Parameters
    ----------
    root : Path
    decide : callable
        Gets the decisions as they are and returns them as they shall be.
    copy : str
        Whose decisions; by default everybody's.
    """

    def decide_on(document: Any) -> Document:
        kept = document if isinstance(document, dict) else {}
        return decide({**kept, "root": str(Path(root).resolve())})

    workspace.change_json(decisions_file(root, copy), decide_on)


def begin_copy(root: Path | str, copy: str) -> None:
    """Begin decisions of one's own with those that everybody has."""
    change(root, lambda _: read(root), copy)


def forget_copy(root: Path | str, copy: str) -> None:
    """Forget decisions of one's own."""
    decisions_file(root, copy).unlink(missing_ok=True)


def keep_table(root: Path | str, content: bytes, name: str = "table.csv") -> Path:
    """Keep a table that a user gave for a data root, and return its place.

    The place is told by the content: an earlier table stays where it is, since runs that learned
    from it go on reading it. ``name`` is the user's own, for messages; it is never trusted.
    """
    digest = hashlib.sha256(content).hexdigest()[:12]
    safe = re.sub(r"[^\w. ()-]", "_", name)[-80:].lstrip(". ") or "table.csv"
    file = decisions_file(root).with_suffix("") / digest / safe
    workspace.write_atomically(file, lambda temporary: temporary.write_bytes(content))
    return file
