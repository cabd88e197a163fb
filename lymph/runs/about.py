"""What people say of a run: a name, a note, whether it is put away; and deleting a run."""

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from lymph import workspace
from lymph.errors import DiskError, RunError
from lymph.runs.run import ELSEWHERE, Run, known_elsewhere
from lymph.training import folder as files

ABOUT = "about.json"
LONGEST_NAME = 120
LONGEST_NOTE = 4000


@dataclass(frozen=True)
class About:
    """A run's name and note, and whether it is archived: kept, but out of the lists."""

    name: str = ""
    note: str = ""
    archived: bool = False


def read_about(run: Run) -> About:
    """Return what was said of a run; nothing where nothing can be read."""
    try:
        document = workspace.read_json(run.path / ABOUT)
        return About(
            str(document.get("name", "")),
            str(document.get("note", "")),
            document.get("archived") is True,
        )
    except (OSError, ValueError, AttributeError):
        return About()


def write_about(run: Run, about: About) -> None:
    """Keep a run's name, note and place.

    Raises
    ------
    RunError
        When name or note is too long or the folder cannot be written.
    """
    if len(about.name) > LONGEST_NAME or len(about.note) > LONGEST_NOTE:
        raise RunError(
            f"A name has at most {LONGEST_NAME} letters and a note {LONGEST_NOTE}: shorten it."
        )
    try:
        workspace.write_json(run.path / ABOUT, asdict(about))
    except DiskError:
        raise
    except OSError as error:
        raise RunError(f"The run's folder cannot be written ({error}); free it.") from error


def delete_run(run: Run) -> list[str]:
    """Delete a run's files; whatever else lies in its folder stays.

    Returns
    -------
    list of str
        What was left in the folder, where a user keeps files of another kind there.

    Raises
    ------
    RunError
        When the run is still going or a file cannot be deleted.
    """
    if not run.status().over:
        raise RunError(f"The run {run.id} is still going: stop it first.")
    own = [name for name in vars(files) if name.isupper()]
    names = {getattr(files, name) for name in own if isinstance(getattr(files, name), str)}
    try:
        # The status goes last: until then the folder is still a run that can be deleted again.
        for name in sorted(names | {ABOUT}, key=lambda name: name == files.STATUS):
            _delete(run.path / name)
        left = sorted(path.name for path in run.path.iterdir())
        if not left:
            run.path.rmdir()
    except OSError as error:
        raise RunError(f"The run cannot be deleted ({error}); close what uses it.") from error
    _forget(run.path)
    return left


def _delete(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def _forget(path: Path) -> None:
    """Take a run that lay outside the workspace off the list of those."""
    known = known_elsewhere()
    kept = [other for other in known if os.path.realpath(other) != os.path.realpath(path)]
    if kept != known:
        workspace.write_json(workspace.runs_home() / ELSEWHERE, kept)
