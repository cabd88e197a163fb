"""Data sets of a class: the lecturer's for all, uploads and copies for one."""

import io
import multiprocessing
import os
import shutil
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lymph import splits
from lymph.classroom import here, jobs
from lymph.classroom.pictures import (
    change_pictures,
    check_may_look,
    clear_uploads,
    data_sets,
    open_folder,
    remove_pictures,
    rename_pictures,
    upload,
)
from lymph.classroom.settings import ClassSettings
from lymph.classroom.who import FREE, Visitor
from lymph.data import sources
from lymph.data.exclusions import exclude, excluded
from lymph.data.source import PictureSource, keep_source, source_of
from lymph.data.sources import DataSet
from lymph.database import transaction
from lymph.errors import ClassError, DataError
from lymph.jobs import start
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig
from tests.at_once import repeated

PICTURE = "FL/sj-99-21_001.png"
OTHER = "FL/sj-99-21_002.png"


@pytest.fixture
def tiny(tiny_root: Path) -> DataSet:
    """Return a data set of the lecturer's, with a picture excluded and a split saved."""
    data_set = sources.add_folder(tiny_root)
    exclude(tiny_root, {PICTURE: "blurred"})
    splits.save_split(tiny_root, "ours", split_by_patient(PictureSource(str(tiny_root)).usable()))
    return data_set


@pytest.fixture
def archive(tiny_root: Path) -> io.BytesIO:
    """Return a zip of the tiny set."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for picture in tiny_root.rglob("*.png"):
            file.write(picture, picture.relative_to(tiny_root).as_posix())
    return packed


def names(who: Visitor) -> list[str]:
    return [data_set.name for data_set in data_sets(who)]


def test_a_students_change_is_in_a_copy_of_their_own(
    tiny: DataSet, anna: Visitor, ben: Visitor, lecturer: Visitor
) -> None:
    """It begins with what the lecturer decided; pictures and caches are the same folder's."""
    own = change_pictures(anna, tiny, exclude, tiny.path, {OTHER: "too dark"})
    assert own.path == tiny.path and own.copy and own.name == "tiny, Anna’s"
    assert excluded(tiny.path) == {PICTURE: "blurred"}
    assert excluded(own.path, own.copy) == {PICTURE: "blurred", OTHER: "too dark"}
    assert list(splits.list_splits(own.path, own.copy)) == ["ours"]
    assert (names(anna), names(ben)) == (["tiny", "tiny, Anna’s"], ["tiny"])
    assert names(lecturer) == names(FREE) == names(anna), "the lecturer can help with it"
    # Later changes are in the same copy, wherever they are made.
    assert change_pictures(anna, tiny, splits.delete_split, tiny.path, "ours") == own
    assert change_pictures(anna, own, exclude, own.path, {"FL/a.png": "why"}) == own
    assert list(splits.list_splits(tiny.path)) == ["ours"] and len(names(anna)) == 2
    # Another student's change of the copy is another copy; the lecturer's is in place.
    assert change_pictures(ben, own, exclude, own.path, {}).name == "tiny, Anna’s, Ben’s"
    assert change_pictures(lecturer, tiny, exclude, tiny.path, {OTHER: "too dark"}) == tiny
    assert excluded(tiny.path) == {PICTURE: "blurred", OTHER: "too dark"}


def test_a_copys_patients_and_exclusions_go_into_its_runs(tiny: DataSet, anna: Visitor) -> None:
    """Regression to be: a run of a copy would have learned from the lecturer's decisions."""
    own = change_pictures(anna, tiny, keep_source, PictureSource(str(tiny.path), patients="none"))
    own = change_pictures(anna, own, exclude, own.path, {OTHER: "too dark"})
    theirs, hers = source_of(tiny.path).look().source, source_of(own.path, own.copy).look().source
    assert (theirs.patients, hers.patients) == ("name", "none")
    assert set(theirs.excluded) == {PICTURE} and set(hers.excluded) == {PICTURE, OTHER}
    assert set(PictureSource.from_json(hers.to_json()).usable()["picture"]).isdisjoint(
        {PICTURE, OTHER}
    )


def test_a_copy_is_removed_with_its_decisions_only(
    tiny: DataSet, anna: Visitor, ben: Visitor, workspace: Path
) -> None:
    own = change_pictures(anna, tiny, exclude, tiny.path, {OTHER: "too dark"})
    for who, data_set in ((ben, own), (anna, tiny)):
        with pytest.raises(ClassError, match="only the lecturer can remove it"):
            remove_pictures(who, data_set)
    remove_pictures(anna, own)
    assert names(anna) == ["tiny"] and excluded(own.path, own.copy) == {}
    assert not splits.list_splits(own.path, own.copy)
    assert excluded(tiny.path) == {PICTURE: "blurred"} and splits.list_splits(tiny.path)
    assert not [path for path in workspace.rglob("*") if own.copy in path.name and path.is_file()]


def test_a_data_set_is_renamed_by_whose_it_is(
    tiny: DataSet, anna: Visitor, ben: Visitor, lecturer: Visitor
) -> None:
    """A student renames their copy, nobody else's and not the lecturer's set."""
    own = change_pictures(anna, tiny, exclude, tiny.path, {OTHER: "too dark"})
    for who, data_set in ((ben, own), (anna, tiny)):
        with pytest.raises(ClassError, match="only the lecturer can rename it"):
            rename_pictures(who, data_set, "mine")
    former = own.name
    own = rename_pictures(anna, own, "mine")
    assert names(anna) == ["tiny", "mine"] and names(ben) == ["tiny"]
    assert set(excluded(own.path, own.copy)) == {PICTURE, OTHER}
    assert sources.named_before(former, data_sets(anna)) == own
    assert sources.named_before(former, data_sets(ben)) is None
    rename_pictures(lecturer, tiny, "ours")
    assert names(anna) == ["ours", "mine"]
    assert sources.named_before("tiny", data_sets(anna)) == tiny._replace(name="ours")


def test_folders_open_at_or_below_those_that_the_lecturer_named(
    in_class: Callable[..., ClassSettings],
    make_tiny: Callable[..., Path],
    anna: Visitor,
    lecturer: Visitor,
    tmp_path: Path,
) -> None:
    named, other = make_tiny("named/set"), make_tiny("elsewhere")
    (tmp_path / "named" / "link").symlink_to(other)
    in_class(folders=(str(tmp_path / "named"),))
    for asked in (
        other,
        tmp_path,
        tmp_path / "named" / ".." / "elsewhere",
        tmp_path / "named" / "link",
        tmp_path / "namedelsewhere",
        "~",
        "/etc",
        "nobody\0here",
        "~nobody-here/x",
    ):
        for who in (anna, lecturer):
            with pytest.raises(ClassError, match="Only folders at or below"):
                open_folder(who, str(asked))
    assert open_folder(anna, f' "{named}" ').path == named
    assert names(lecturer) == ["set"], "an opened folder is everybody's"
    assert open_folder(FREE, str(other)).path == other
    in_class()
    with pytest.raises(ClassError, match="named none"):
        open_folder(anna, str(named))


def test_an_upload_is_its_visitors_bounded_and_goes_with_the_visit(
    in_class: Callable[..., ClassSettings],
    archive: io.BytesIO,
    anna: Visitor,
    ben: Visitor,
    lecturer: Visitor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data_set = upload(anna, sources.add_zip, "mine.zip", archive)
    assert (names(anna), names(ben), names(lecturer)) == (["mine"], [], ["mine"])
    with pytest.raises(ClassError):
        remove_pictures(ben, data_set)
    assert change_pictures(anna, data_set, exclude, data_set.path, {OTHER: "why"}) == data_set
    # While she is here, or was here a moment ago, it stays.
    clear_uploads()
    assert names(anna) == ["mine"]
    monkeypatch.setattr(here, "GONE_SECONDS", 0.0)
    here.come("her page", anna.id)
    clear_uploads()
    assert names(anna) == ["mine"]
    here.leave("her page")
    clear_uploads()
    assert names(anna) == [] and not data_set.path.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is forked")
def test_an_upload_stays_while_its_visitor_is_idle_at_another_server(
    in_class: Callable[..., ClassSettings],
    archive: io.BytesIO,
    anna: Visitor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Regression: a server knew its own visitors only and deleted what the other's had uploaded.

    After a kill of that server they have time to come back.
    """
    upload(anna, sources.add_zip, "mine.zip", archive)
    with transaction() as database:
        database.execute("UPDATE visitors SET seen = 0")
    forking = multiprocessing.get_context("fork")
    told, tells = forking.Pipe(duplex=False)

    def serve() -> None:
        here.come("idle", anna.id)
        tells.send("she is here")
        signal.pause()

    other = forking.Process(target=serve)
    other.start()
    assert told.poll(60) and told.recv()
    clear_uploads()
    assert names(anna) == ["mine"]
    other.kill()
    other.join()
    clear_uploads()
    assert names(anna) == ["mine"]
    monkeypatch.setattr(here, "GONE_SECONDS", 0.0)
    clear_uploads()
    assert names(anna) == [] and not list(here.home().iterdir())


def test_pictures_of_anothers_upload_are_not_shown_by_a_link(
    archive: io.BytesIO, tiny: DataSet, anna: Visitor, ben: Visitor, lecturer: Visitor
) -> None:
    data_set = upload(anna, sources.add_zip, "mine.zip", archive)
    for who in (anna, lecturer, FREE):
        check_may_look(who, data_set.path)
    check_may_look(ben, tiny.path)
    with pytest.raises(ClassError, match="another visitor uploaded"):
        check_may_look(ben, data_set.path)


def test_the_lecturers_and_earlier_uploads_stay(
    in_class: Callable[..., ClassSettings],
    archive: io.BytesIO,
    anna: Visitor,
    lecturer: Visitor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(here, "GONE_SECONDS", 0.0)
    upload(FREE, sources.add_zip, "before the class.zip", archive)
    upload(lecturer, sources.add_zip, "for the class.zip", archive)
    clear_uploads()
    assert names(anna) == ["before the class", "for the class"]


def test_pictures_that_a_run_still_needs_stay(
    archive: io.BytesIO, anna: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who closes the page during a training finds it finished, not failed."""
    monkeypatch.setattr(start, "start_detached", lambda module, folder: None)
    monkeypatch.setattr(here, "GONE_SECONDS", 0.0)
    data_set = upload(anna, sources.add_zip, "mine.zip", archive)
    split = split_by_patient(source_of(data_set.path).usable())
    run = jobs.start_training(anna, TrainConfig(str(data_set.path)), split)
    clear_uploads()
    assert data_set.path.is_dir()
    jobs.change_job(anna, run.path, lambda: (run.path / "status.json").unlink())
    clear_uploads()
    assert not data_set.path.exists()


def test_uploads_are_bounded_unpacked_and_all_together(
    in_class: Callable[..., ClassSettings], anna: Visitor, tiny_root: Path
) -> None:
    """A zip of a few kilobytes that unpacks to more than the bound is stopped on the way."""
    in_class(upload_mb=1)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("CLL/a.png", bytes(2 * 1024**2))
    assert len(packed.getvalue()) < 10_000
    with pytest.raises(DataError, match="you may upload 1 MB more here"):
        upload(anna, sources.add_zip, "bomb.zip", packed)
    pixels = (tiny_root / PICTURE).read_bytes()
    sound = [(f"{label}/sj-99-1{place}_1.png", pixels) for place, label in enumerate(("CLL", "FL"))]
    half = [("FL/large.csv", bytes(600_000))]
    upload(anna, sources.add_uploads, "first", [*sound, *half])
    with pytest.raises(DataError, match="Remove one of your data sets"):
        upload(anna, sources.add_uploads, "second", [*sound, *half])
    assert names(anna) == ["first"] and len(sources.uploads_of(anna.id)) == 1


def test_uploads_are_weighed_while_another_tab_removes_one(
    in_class: Callable[..., ClassSettings], anna: Visitor, tiny_root: Path
) -> None:
    """Regression: "No such file" for who dropped pictures in two tabs at once."""
    in_class(upload_mb=1)
    pixels = (tiny_root / PICTURE).read_bytes()
    given = [(f"{label}/sj-99-1{place}_1.png", pixels) for place, label in enumerate(("CLL", "FL"))]
    upload(anna, sources.add_uploads, "first", given)
    going = sources.uploads_of(anna.id)[0] / "going"

    def come_and_go() -> None:
        going.mkdir()
        for place in range(9):
            (going / f"{place}.png").write_bytes(b"")
        shutil.rmtree(going)

    with repeated(come_and_go):
        for _ in range(20):
            with pytest.raises(DataError, match=r"you may upload .* more here"):
                upload(anna, sources.add_uploads, "large", [*given, ("FL/x.csv", bytes(2 * 10**6))])


def test_a_lost_database_makes_no_upload_public(
    archive: io.BytesIO, anna: Visitor, ben: Visitor, workspace: Path
) -> None:
    upload(anna, sources.add_zip, "mine.zip", archive)
    for file in workspace.glob("shared.sqlite3*"):
        file.unlink()
    (folder,) = sources.uploads_of(anna.id)
    sources.add_folder(folder, "found again")
    assert names(ben) == [] and names(anna) == ["found again"]
