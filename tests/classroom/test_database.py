"""The file behind the class: many at once, damage, locks, and workspaces without one."""

import contextlib
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from lymph.classroom import database
from lymph.classroom import who as who_asks
from lymph.classroom.database import doubt, file, reading, transaction
from lymph.classroom.owners import may_change, own, owner_names, owner_of, owners
from lymph.classroom.settings import ClassSettings
from lymph.classroom.who import Visitor, join, visitor_of
from lymph.errors import ClassError


def test_without_a_class_nothing_is_written(workspace: Path) -> None:
    who = visitor_of("any token")
    own(who, workspace / "runs" / "one")
    assert who.free and who.may_all and may_change(who, workspace / "runs" / "one")
    assert not file().exists()


def test_a_workspace_of_an_earlier_version_opens(settings: ClassSettings, workspace: Path) -> None:
    """Without a database nobody is known, and all there is is the lecturer's."""
    (workspace / "runs" / "old").mkdir(parents=True)
    assert visitor_of("a token").name == "" and owners() == owner_names() == {}
    assert owner_of(workspace / "runs" / "old") == "" and not file().exists()


def test_thirty_names_and_runs_at_once_are_all_kept(settings: ClassSettings) -> None:
    def come(number: int) -> Visitor:
        who = join(visitor_of(f"token {number}"), "Anna")
        own(who, database.workspace.runs_home() / f"{number}")
        return who

    with ThreadPoolExecutor(30) as class_:
        visitors = list(class_.map(come, range(30)))
    assert len({who.name for who in visitors}) == 30, "names tell people apart"
    assert owners() == {f"runs/{number}": who.id for number, who in enumerate(visitors)}
    with reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_fails_half_way_leaves_nothing(anna: Visitor) -> None:
    def fail() -> None:
        with transaction() as connection:
            connection.execute("INSERT INTO owners VALUES ('runs/a', ?)", [anna.id])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert owners() == {}


def damage(how: str) -> bytes:
    """Spoil the database and return what it held."""
    with closing(sqlite3.connect(file())) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = file().read_bytes()
    if how == "no database":
        file().write_bytes(b"no database at all " * 100)
    elif how == "cut":
        file().write_bytes(whole[: len(whole) // 2])
    elif how == "overwritten":
        file().write_bytes(whole[:4096] + bytes([255]) * (len(whole) - 4096))
    else:
        with closing(sqlite3.connect(file())) as connection:
            connection.execute("DROP TABLE owners")
    return file().read_bytes()


@pytest.mark.parametrize("how", ["no database", "cut", "overwritten", "a table is gone"])
def test_a_damaged_database_is_kept_and_costs_only_who_it_was(
    anna: Visitor, workspace: Path, how: str
) -> None:
    """What nobody is known to own is the lecturer's; the damaged file lies beside the new one."""
    run = workspace / "runs" / "hers"
    own(anna, run)
    spoilt = damage(how)
    database._sound.clear()  # as a server does that is started anew
    assert visitor_of("token of anna").name == ""
    assert not may_change(Visitor(anna.id, "Anna"), run)
    assert file().with_name("class.sqlite3.damaged").read_bytes() == spoilt
    assert "a copy is kept as" in doubt() and "class.sqlite3.damaged" in doubt()
    assert join(visitor_of("token of anna"), "Anna").name == "Anna"


def test_damage_under_a_running_server_is_a_sentence(anna: Visitor) -> None:
    damage("overwritten")
    with pytest.raises(ClassError, match=r"is damaged\. A copy is kept beside it"):
        visitor_of("token of anna")
    assert visitor_of("token of anna").name == "" and doubt()


def test_of_many_who_see_the_damage_one_puts_it_aside(anna: Visitor) -> None:
    """The others leave the new file alone: it may hold the next name already."""
    spoilt = damage("overwritten")

    def look(_: int) -> None:
        with contextlib.suppress(ClassError):
            visitor_of("token of anna")

    with ThreadPoolExecutor(20) as class_:
        list(class_.map(look, range(20)))
    assert join(visitor_of("token of anna"), "Anna").name == "Anna"
    found = sorted(file().parent.glob("class.sqlite3.damaged*"))
    copies = [path for path in found if not path.name.endswith(("-wal", "-shm"))]
    assert [path.name for path in copies if path.stat().st_size] == ["class.sqlite3.damaged"]
    assert copies[0].read_bytes() == spoilt


def test_a_fault_of_ours_is_no_damage(anna: Visitor) -> None:
    for wrong, given in (("SELECT nothing FROM nowhere", []), ("SELECT ?", [])):
        with pytest.raises(sqlite3.Error), reading() as connection:
            connection.execute(wrong, given)
    assert visitor_of("token of anna").name == "Anna" and not doubt()


def test_a_locked_database_is_a_sentence_and_loses_nothing(
    anna: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program holds the file: who reads goes on, who writes is told."""
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.05)
    with closing(sqlite3.connect(file(), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(who_asks, "SEEN_SECONDS", -1.0)
        assert visitor_of("token of anna").name == "Anna", "that she was seen is not worth a wait"
        with pytest.raises(ClassError, match=r"Another program is using .*class\.sqlite3"):
            join(anna, "Anne")
        other.execute("ROLLBACK")
    assert join(anna, "Anne").name == "Anne" and not doubt()


def test_a_database_of_a_later_version_is_left_alone(anna: Visitor) -> None:
    with closing(sqlite3.connect(file())) as connection:
        connection.execute("PRAGMA user_version = 99")
    database._sound.clear()
    with pytest.raises(ClassError, match="later version"):
        visitor_of("token of anna")
    assert not doubt()


def test_a_killed_writer_leaves_the_database_sound(anna: Visitor, workspace: Path) -> None:
    """Its transaction is undone, and the next one waits for nobody."""
    code = (
        "import os, signal\n"
        "from lymph.classroom.database import transaction\n"
        "with transaction() as connection:\n"
        "    connection.execute(\"INSERT INTO owners VALUES ('runs/killed', 'x')\")\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    home = Path(database.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=home, check=False).returncode != 0
    own(anna, workspace / "runs" / "after")
    assert owners() == {"runs/after": anna.id} and not doubt()
