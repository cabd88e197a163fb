"""What a user has decided about a data set: pictures left out, and how patients are told.

The decisions are kept in the workspace, one file a data root; the pictures are never touched.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lymph import workspace
from lymph.data.stamps import cache_folder
from lymph.facts import PATIENT_PATTERN


def choices_file(root: Path | str) -> Path:
    """Return the file that holds the decisions about a data root."""
    return workspace.data_home() / "choices" / f"{cache_folder(Path(root)).name}.json"


def _choices(root: Path | str) -> dict[str, Any]:
    try:
        document = workspace.read_json(choices_file(root))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _keep(root: Path | str, **changes: Any) -> None:
    document = {**_choices(root), "root": str(Path(root).resolve()), **changes}
    workspace.write_json(choices_file(root), document)


def left_out(root: Path | str) -> dict[str, str]:
    """Return the pictures that the user left out, each with the reason given."""
    return dict(_choices(root).get("left_out", {}))


def leave_out(root: Path | str, pictures: Mapping[str, str]) -> None:
    """Leave pictures out of everything from now on; ``pictures`` gives the reason of each."""
    _keep(root, left_out={**left_out(root), **pictures})


def take_back(root: Path | str, pictures: Iterable[str]) -> None:
    """Take pictures in again that were left out."""
    back = set(pictures)
    _keep(root, left_out={p: why for p, why in left_out(root).items() if p not in back})


def patient_pattern(root: Path | str) -> str:
    """Return the pattern that tells the patients of a data root."""
    return _choices(root).get("pattern", PATIENT_PATTERN)


def keep_pattern(root: Path | str, pattern: str) -> None:
    """Keep the pattern of a data root."""
    _keep(root, pattern=pattern)


def patients_csv(root: Path | str) -> Path | None:
    """Return the table ``picture,patient`` that takes the place of the pattern, if there is one."""
    file = _csv_file(root)
    return file if file.is_file() else None


def _csv_file(root: Path | str) -> Path:
    return choices_file(root).with_suffix(".csv")


def keep_patients_csv(root: Path | str, content: bytes) -> None:
    """Keep a table ``picture,patient`` for a data root.

    Raises
    ------
    DataError
        When it is no such table; an earlier one stays.
    """
    from lymph.data.scan import read_patients_csv

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)
        read_patients_csv(temporary)

    workspace.write_atomically(_csv_file(root), write)


def drop_patients_csv(root: Path | str) -> None:
    """Go back from the table to the pattern."""
    _csv_file(root).unlink(missing_ok=True)
