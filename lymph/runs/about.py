"""What people say of a run: a name, a note, whether it is put away; and deleting a run."""

import shutil
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from lymph import workspace
from lymph.errors import DiskError, RunError
from lymph.runs.run import Run, forget_elsewhere
from lymph.training import folder as files
from lymph.typed import misfit, read_object

LONGEST_NAME = 120
LONGEST_NOTE = 4000
NAME_ANEW = "give the run its name and note again on the Runs page"


@dataclass(frozen=True)
class About:
    """A run's name and note, and whether it is archived: kept, but out of the lists."""

    name: str = ""
    note: str = ""
    archived: bool = False


def read_about(run: Run) -> About:
    """Return what was said of a run; nothing where nothing can be read."""
    return about_in(run.path)[0]


def about_in(folder: Path) -> tuple[About, str]:
    """Read ``about.json``; where it is damaged, return nothing and a sentence that says so."""
    path = folder / files.ABOUT
    if not path.exists():
        return About(), ""
    try:
        document = read_object(path, RunError, NAME_ANEW)
    except RunError as error:
        return About(), str(error)
    if wrong := misfit(About, document):
        return About(), f"{path} cannot be read: {wrong}; {NAME_ANEW}."
    known = {item.name: document[item.name] for item in fields(About) if item.name in document}
    return About(**known), ""


def change_about(
    run: Run, *, name: str | None = None, note: str | None = None, archived: bool | None = None
) -> About:
    """Change a run's name, note or place; what else was said of it meanwhile stays.

    Raises
    ------
    RunError
        When name or note is too long or the folder cannot be written.
    """
    with workspace.turn(run.path / files.ABOUT):
        about = read_about(run)
        about = About(
            about.name if name is None else name,
            about.note if note is None else note,
            about.archived if archived is None else archived,
        )
        write_about(run, about)
    return about


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
        workspace.write_json(run.path / files.ABOUT, asdict(about))
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
    try:
        # The status goes last: until then the folder is still a run that can be deleted again.
        for name in files.OWN:
            _delete(run.path / name)
        left = sorted(path.name for path in run.path.iterdir())
        if not left:
            run.path.rmdir()
    except OSError as error:
        raise RunError(f"The run cannot be deleted ({error}); close what uses it.") from error
    forget_elsewhere(run.path)
    return left


def _delete(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
