"""What visitors share and change: damage, locks, kills, network drives, workspaces of old."""

import contextlib
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from lymph import database, splits
from lymph.data import decisions, sources
from lymph.data.exclusions import exclude, excluded
from lymph.data.source import PictureSource, keep_source, source_of
from lymph.database import BACKUP, doubt, file, reading, transaction
from lymph.errors import DatabaseError
from lymph.runs.run import known_elsewhere, note_elsewhere
from lymph.splits import Split
from lymph.takeover import OLDER, keep_copy, older_files

from .at_once import at_once, repeated

SPLIT = Split("patient", 0, {"train": ["a", "b"], "val": [], "test": ["c"]})
OTHER = Split("patient", 1, {"train": ["b", "c"], "val": [], "test": ["a"]})


@pytest.fixture
def filled(tiny_root: Path) -> Path:
    """Fill the database of the workspace, copy included, and return the data root it knows."""
    sources.add_folder(tiny_root)
    exclude(tiny_root, {"FL/1.png": "blurred"})
    keep_source(PictureSource(str(tiny_root), patients="none"))
    splits.save_split(tiny_root, "ours", SPLIT)
    note_elsewhere(tiny_root / "run")
    (file().parent / BACKUP).unlink()
    exclude(tiny_root, {"FL/2.png": "dark"})
    return tiny_root


def lost(root: Path) -> list[str]:
    """Name what is not as it was filled in."""
    now = {
        "data sets": [one.path for one in sources.list_data_sets()] == [root.resolve()],
        "exclusions": excluded(root) == {"FL/1.png": "blurred", "FL/2.png": "dark"},
        "patients": source_of(root).patients == "none",
        "splits": splits.list_splits(root) == {"ours": SPLIT},
        "elsewhere": known_elsewhere() == [str(root / "run")],
    }
    return [name for name, is_there in now.items() if not is_there]


@contextlib.contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let another program hold the database for writing; nobody waits for it long."""
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.05)
    with closing(sqlite3.connect(file(), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


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
            connection.execute("DROP TABLE data_sets")
    return file().read_bytes()


def restart() -> None:
    """Forget what is known of the file, as a server does that is started anew."""
    database._sound.clear()


HOW = ["no database", "cut", "overwritten", "a table is gone"]


@pytest.mark.parametrize("how", HOW)
def test_a_damaged_database_loses_nothing(filled: Path, how: str) -> None:
    """What cannot be read of it comes from its copy; the damaged file lies beside the new one."""
    spoilt = damage(how)
    restart()
    assert lost(filled) == []
    assert file().with_name("shared.sqlite3.damaged").read_bytes() == spoilt
    assert "a copy is kept as" in doubt() and "shared.sqlite3.damaged" in doubt()
    exclude(filled, {"FL/3.png": "new"})
    assert len(excluded(filled)) == 3


def test_without_a_copy_the_tables_that_are_whole_are_kept(filled: Path) -> None:
    (file().parent / BACKUP).unlink()
    damage("a table is gone")
    restart()
    assert lost(filled) == ["data sets"]


def test_a_database_that_is_gone_comes_back_from_its_copy(filled: Path) -> None:
    """As after a kill between putting a damaged one aside and making the new one."""
    for path in file().parent.glob("shared.sqlite3*"):
        if path.name != BACKUP:
            path.unlink()
    exclude(filled, {"FL/2.png": "dark"})
    assert lost(filled) == []


def test_damage_under_a_running_server_is_a_sentence(filled: Path) -> None:
    damage("overwritten")
    with pytest.raises(DatabaseError, match=r"is damaged\. A copy is kept beside it"):
        excluded(filled)
    assert lost(filled) == [] and doubt()


def test_of_many_who_see_the_damage_one_puts_it_aside(filled: Path) -> None:
    """The others leave the new file alone: it may hold the next change already."""
    spoilt = damage("overwritten")

    def look(_: int) -> None:
        with contextlib.suppress(DatabaseError):
            excluded(filled)

    with ThreadPoolExecutor(20) as class_:
        list(class_.map(look, range(20)))
    assert lost(filled) == []
    found = sorted(file().parent.glob("shared.sqlite3.damaged*"))
    copies = [path for path in found if not path.name.endswith(("-wal", "-shm"))]
    assert [path.name for path in copies] == ["shared.sqlite3.damaged"]
    assert copies[0].read_bytes() == spoilt


def test_a_copy_is_kept_while_another_closes_the_file(tmp_path: Path) -> None:
    """Regression: "No such file" where the last who had it open removed what lay beside it."""
    spoilt, beside = tmp_path / "a.sqlite3", tmp_path / "a.sqlite3-shm"
    spoilt.write_bytes(b"spoilt")

    def open_and_close() -> None:
        beside.write_bytes(b"")
        beside.unlink()

    with repeated(open_and_close):
        kept = [keep_copy(spoilt, tmp_path / "kept") for _ in range(50)]
    assert len({*kept}) == 50 and all(one.read_bytes() == b"spoilt" for one in kept)


def test_who_has_the_damaged_file_open_empties_no_copy(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: it took the journal of the new file for its own, and undid it in the old one."""
    drive = SimpleNamespace(mountpoint="/", fstype="nfs4", opts="rw")
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: [drive])
    spoilt = damage("overwritten")
    with closing(sqlite3.connect(file())) as other:

        def look(connection: sqlite3.Connection, _: Path) -> dict[Path, bool]:
            # More than is kept in memory: the journal is on the disk from now on.
            connection.execute("PRAGMA cache_size = 1")
            rows = [("elsewhere", str(number), "long" * 1000) for number in range(100)]
            connection.executemany("INSERT INTO exclusions VALUES (?, ?, ?)", rows)
            with contextlib.suppress(sqlite3.Error):
                other.execute("SELECT * FROM data_sets")
            return {}

        monkeypatch.setattr(database, "take_over", look)
        restart()
        assert lost(filled) == []
    assert file().with_name("shared.sqlite3.damaged").read_bytes() == spoilt


def test_a_fault_of_ours_is_no_damage(filled: Path) -> None:
    for wrong, given in (("SELECT nothing FROM nowhere", []), ("SELECT ?", [])):
        with pytest.raises(sqlite3.Error), reading() as connection:
            connection.execute(wrong, given)
    assert lost(filled) == [] and not doubt()


def test_a_locked_database_is_a_sentence_and_loses_nothing(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program holds the file: who reads goes on, who writes is told; a new process too."""
    with held(monkeypatch):
        assert lost(filled) == []
        restart()
        assert lost(filled) == []
        with pytest.raises(DatabaseError, match=r"Another program is using .*shared\.sqlite3"):
            exclude(filled, {"FL/3.png": "why"})
    assert lost(filled) == [] and not doubt()
    exclude(filled, {"FL/3.png": "why"})


def test_a_database_of_a_later_version_is_left_alone(filled: Path) -> None:
    with closing(sqlite3.connect(file())) as connection:
        connection.execute("PRAGMA user_version = 99")
    restart()
    with pytest.raises(DatabaseError, match="later version"):
        excluded(filled)
    assert not doubt()


def test_an_earlier_database_gets_the_tables_that_it_lacks(filled: Path) -> None:
    """A version that adds a table finds the rows of all others as they were."""
    with closing(sqlite3.connect(file())) as connection:
        connection.execute("DROP TABLE owners")
        connection.execute(f"PRAGMA user_version = {database.VERSION - 1}")
    restart()
    with transaction() as connection:
        connection.execute("INSERT INTO owners VALUES ('runs/a', 'anna')")
    assert lost(filled) == [] and not doubt()


def test_what_fails_half_way_leaves_nothing(filled: Path) -> None:
    """What is called within takes part in the same transaction."""

    def fail() -> None:
        with transaction():
            decisions.begin_copy(filled, "annas")
            assert excluded(filled, "annas")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert excluded(filled, "annas") == splits.list_splits(filled, "annas") == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_a_killed_writer_leaves_the_database_sound(filled: Path) -> None:
    """Its transaction is undone, and the next one waits for nobody."""

    def killed(_: int) -> None:
        with transaction():
            exclude(filled, {"FL/3.png": "half"})
            decisions.forget_copy(filled, "")
            os.kill(os.getpid(), signal.SIGKILL)

    assert at_once(killed, 3) == [-signal.SIGKILL] * 3
    restart()
    assert lost(filled) == [] and not doubt()


@pytest.mark.parametrize(("kind", "mode"), [("nfs4", "delete"), ("ext4", "wal")])
def test_on_a_network_drive_there_is_no_write_ahead_log(
    filled: Path, monkeypatch: pytest.MonkeyPatch, kind: str, mode: str
) -> None:
    """Machines that share no memory would spoil one; a log that is there already is ended."""
    places = [("/", "ext4"), (str(file().parent), kind)]
    mounts = [SimpleNamespace(mountpoint=at, fstype=of, opts="rw") for at, of in places]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)
    restart()
    assert lost(filled) == []
    with reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == (mode,)
    exclude(filled, {"FL/3.png": "new"})
    assert len(excluded(filled)) == 3


@pytest.fixture
def older(tiny_root: Path, workspace: Path) -> Path:
    """Write what an earlier version kept of a data root, and return that."""
    place = decisions.name_of(tiny_root)
    source = {"patients": "none", "labels": "folder", "folders": ["class"]}
    excluded = {"FL/1.png": "blurred", "FL/2.png": "dark"}
    write(workspace / "data" / "data-sets.json", {"tiny": str(tiny_root)})
    write(workspace / "runs" / "elsewhere.json", [str(tiny_root / "run")])
    decided = {"root": str(tiny_root), "source": source, "left_out": excluded}
    write(workspace / "data" / "choices" / f"{place}.json", decided)
    write(workspace / "data" / "splits" / place / "ours.json", SPLIT.to_json())
    return tiny_root


def write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))


def test_a_workspace_of_an_earlier_version_is_taken_over_once(older: Path, workspace: Path) -> None:
    """Its files are kept, whole, and what is deleted afterwards does not come back from them."""
    before = {path.relative_to(workspace): path.read_bytes() for path in older_files(workspace)}
    assert len(before) == 4 and lost(older) == []
    kept = {path: (workspace / OLDER / path).read_bytes() for path in before}
    assert kept == before and older_files(workspace) == [] and not doubt()
    sources.remove_data_set("tiny")
    splits.delete_split(older, "ours")
    restart()
    assert lost(older) == ["data sets", "splits"]


def test_of_damaged_files_of_an_earlier_version_the_sound_part_is_kept(
    older: Path, workspace: Path
) -> None:
    """Each costs itself only, is kept, and is named until its copy is deleted."""
    place = decisions.name_of(older)
    write(workspace / "data" / "data-sets.json", {"tiny": str(older), "bad": 5, "worse": "\0"})
    write(workspace / "runs" / "elsewhere.json", '["cut')
    write(workspace / "data" / "splits" / place / "a%2Fb.json", OTHER.to_json())
    write(workspace / "data" / "splits" / place / "nested.json", "[" * 100_000)
    write(workspace / "data" / "choices" / "0123.json", {"left_out": 5, "source": [1]})
    assert splits.list_splits(older) == {"a/b": OTHER, "ours": SPLIT}
    splits.delete_split(older, "a/b")
    assert lost(older) == ["elsewhere"]
    assert "4 files of this workspace were damaged" in doubt()
    for path in (workspace / OLDER).rglob("*.damaged"):
        path.unlink()
    assert not doubt()


def test_what_came_before_sources_is_taken_over(tiny_root: Path, workspace: Path) -> None:
    """At first there was a pattern, or a table of patients that lay beside it and stays in use."""
    file = workspace / "data" / "choices" / f"{decisions.name_of(tiny_root)}.json"
    names = PictureSource(tiny_root).look().pictures
    write(file, {"pattern": r"sj-99-(?P<patient>\d)"})
    assert set(source_of(tiny_root).usable()["patient"]) == {"1", "2", "3"}
    database.file().unlink()
    (workspace / BACKUP).unlink()
    write(file, {"pattern": r"sj-99-(?P<patient>\d)"})
    rows = "".join(f"{name},x{number % 4}\n" for number, name in enumerate(names))
    write(file.with_suffix(".csv"), "picture,patient\n" + rows)
    assert set(source_of(tiny_root).usable()["patient"]) == {"x0", "x1", "x2", "x3"}
    keep_source(PictureSource(str(tiny_root), patients="none"))
    restart()
    assert source_of(tiny_root).patients == "none", "a later decision counts"


def test_the_class_of_an_earlier_version_is_taken_over(older: Path, workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "class.sqlite3")) as former:
        former.execute("CREATE TABLE visitors (id TEXT, name TEXT, key TEXT, seen REAL)")
        former.execute("CREATE TABLE owners (thing TEXT PRIMARY KEY, owner TEXT)")
        former.execute("CREATE TABLE copies (name TEXT, root TEXT, copy TEXT, owner TEXT)")
        former.execute("INSERT INTO owners VALUES ('runs/a', 'anna')")
        former.commit()
    with reading() as connection:
        assert connection.execute("SELECT * FROM owners").fetchall() == [("runs/a", "anna")]
    assert (workspace / OLDER / "class.sqlite3").is_file() and not doubt()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_processes_that_start_at_once_take_over_once(older: Path, workspace: Path) -> None:
    """Two servers, or a class of commands, at a workspace of an earlier version."""

    def look(number: int) -> None:
        if number == 0:  # one of them is killed as soon as the rows are kept
            database.put_away = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        assert lost(older) == []

    ended = at_once(look, 6)
    assert set(ended) <= {0, -signal.SIGKILL} and ended.count(0) >= 5
    assert lost(older) == [] and older_files(workspace) == []
    assert len([path for path in (workspace / OLDER).rglob("*") if path.is_file()]) == 4


def test_nothing_is_written_by_looking(tiny_root: Path, workspace: Path) -> None:
    """A script that only reads pictures leaves no database behind."""
    assert source_of(tiny_root).usable() is not None and sources.list_data_sets() == []
    assert not file().exists()
