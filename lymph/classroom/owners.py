"""Whose a job is: run, measurement or lesson. What nobody owns is the lecturer's."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lymph import workspace
from lymph.classroom.who import LECTURER, Visitor
from lymph.database import reading, transaction
from lymph.errors import ClassError

T = TypeVar("T")


def thing_of(folder: Path) -> str:
    """Return how the database names a job: by its folder, below the workspace if there."""
    home = workspace.home()
    return folder.relative_to(home).as_posix() if folder.is_relative_to(home) else str(folder)


def owners() -> dict[str, str]:
    """Return the id of who started each job, by its thing."""
    with reading() as database:
        return dict(database.execute("SELECT thing, owner FROM owners"))


def owner_names() -> dict[str, str]:
    """Return the name of who started each job, by its thing."""
    query = "SELECT thing, name FROM owners JOIN visitors ON owners.owner = visitors.id"
    with reading() as database:
        return dict(database.execute(query))


def owner_of(folder: Path) -> str:
    """Return the id of who started a job, or nothing: then it is the lecturer's."""
    query = "SELECT owner FROM owners WHERE thing = ?"
    with reading() as database:
        row = database.execute(query, [thing_of(folder)]).fetchone()
    return row[0] if row else ""


def own(who: Visitor, folder: Path, anew: bool = False) -> None:
    """Note who has started a job; whose it was before stays so unless it was started ``anew``."""
    if who.free:
        return
    how = "REPLACE" if anew else "IGNORE"
    with transaction() as database:
        database.execute(f"INSERT OR {how} INTO owners VALUES (?, ?)", [thing_of(folder), who.id])


def disown(folder: Path) -> None:
    """Forget who started a job that is gone."""
    if owner_of(folder):
        with transaction() as database:
            database.execute("DELETE FROM owners WHERE thing = ?", [thing_of(folder)])


def may_change(who: Visitor, folder: Path) -> bool:
    """Tell whether a job is a visitor's to change: their own, or they are the lecturer."""
    return who.may_all or owner_of(folder) == who.id


def check_may_change(who: Visitor, folder: Path) -> None:
    """Refuse to change a job that somebody else has started.

    Raises
    ------
    ClassError
        The sentence names whose it is.
    """
    if not may_change(who, folder):
        raise ClassError(whose_words(folder))


def whose_words(folder: Path) -> str:
    """Say who started a job and who may change it."""
    name = owner_names().get(thing_of(folder))
    if name:
        return f"{name} started this; only {name} and {LECTURER} can change it."
    return f"This is {LECTURER}'s: nobody else can change it."


def for_lecturer(who: Visitor, action: Callable[..., T], *given: object) -> T:
    """Do what only the lecturer may.

    Raises
    ------
    ClassError
        When somebody else asks.
    """
    if not who.may_all:
        raise ClassError("Only the lecturer can do this here.")
    return action(*given)
