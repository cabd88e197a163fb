"""Thirty at once: no change of what visitors share is lost, and nothing is left half made."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lymph import runs, splits
from lymph import workspace as places
from lymph.data import sources
from lymph.data.exclusions import exclude, excluded
from lymph.data.source import PictureSource
from lymph.jobs import start
from lymph.jobs.status import write_status
from lymph.leak.job import start_measurement
from lymph.leak.measurement import MeterConfig, meters_home
from lymph.runs import Run, create_run
from lymph.runs.run import known_elsewhere
from lymph.splits import Split, split_by_patient
from lymph.synthetic import patients, write
from lymph.training.config import TrainConfig

from .at_once import CLASS, at_once

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")

Files = list[tuple[str, bytes]]


@pytest.fixture
def split(tiny_root: Path) -> Split:
    return split_by_patient(PictureSource(tiny_root).usable())


@pytest.fixture
def new_run(tiny_root: Path, split: Split) -> Callable[..., Run]:
    return lambda folder=None: create_run(TrainConfig(str(tiny_root)), split, folder)


@pytest.fixture
def contents(make_tiny: Callable[..., Path]) -> Files:
    """Return the files of an upload."""
    root = make_tiny("dropped", pictures=1)
    return [(str(p.relative_to(root)), p.read_bytes()) for p in sorted(root.rglob("*.png"))]


def test_thirty_uploads_are_thirty_data_sets(contents: Files) -> None:
    """Regression: thirty folders lay on the disk, and two were listed."""
    assert at_once(lambda _: sources.add_uploads("Mine", contents)) == [0] * CLASS
    listed = sources.list_data_sets()
    assert len(listed) == len({one.name for one in listed}) == CLASS
    on_disk = set((places.data_home() / "uploads").iterdir())
    assert on_disk == {one.path for one in listed}


def test_a_folder_that_thirty_open_at_once_is_listed_once(tiny_root: Path) -> None:
    """Regression: it was looked for before the list was locked, and entered again and again."""
    assert at_once(lambda _: sources.add_folder(tiny_root)) == [0] * CLASS
    assert [one.name for one in sources.list_data_sets()] == ["tiny"]


def test_thirty_exclusions_and_saved_splits_are_all_kept(tiny_root: Path, split: Split) -> None:
    def decide(number: int) -> None:
        exclude(tiny_root, {f"FL/{number}.png": "why"})
        splits.save_split(tiny_root, f"split {number}", split)

    assert at_once(decide) == [0] * CLASS
    assert len(excluded(tiny_root)) == len(splits.list_splits(tiny_root)) == CLASS


def test_thirty_runs_started_at_one_moment_are_thirty_folders(new_run: Callable[..., Run]) -> None:
    assert at_once(lambda _: new_run()) == [0] * CLASS
    records = runs.read_catalogue().records
    assert len(records) == CLASS and {one.status.state for one in records} == {"queued"}


def test_thirty_runs_outside_the_workspace_are_all_known(
    new_run: Callable[..., Run], tmp_path: Path
) -> None:
    assert at_once(lambda number: new_run(tmp_path / f"run {number}")) == [0] * CLASS
    assert len(known_elsewhere()) == CLASS == len(runs.list_runs())


def test_one_folder_that_many_ask_for_holds_one_run(
    new_run: Callable[..., Run], tmp_path: Path
) -> None:
    """Regression: all found it empty, and the last wrote over what the others had written."""
    ended = at_once(lambda _: new_run(tmp_path / "one"), 12)
    assert sorted(ended) == [0] + [1] * 11


def test_twelve_measurements_at_one_moment_are_twelve_folders(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the folders were counted to name the next one; four of twelve failed."""
    monkeypatch.setattr(start, "start_detached", lambda *_: None)
    source = PictureSource(tiny_root)
    asked = [MeterConfig(source, seeds=number + 1) for number in range(12)]
    assert at_once(lambda number: start_measurement(asked[number]), 12) == [0] * 12
    assert len([path for path in meters_home().iterdir() if path.is_dir()]) == 12


def test_name_and_note_given_at_one_moment_both_stay(new_run: Callable[..., Run]) -> None:
    """Regression: each wrote all that was said of the run, as it had read it before."""
    run = new_run()
    said = ({"name": "a name"}, {"note": "a note"}, {"archived": True})
    assert at_once(lambda number: runs.change_about(run, **said[number]), 3) == [0] * 3
    assert vars(runs.read_about(run)) == {"name": "a name", "note": "a note", "archived": True}


def test_a_run_that_many_resume_goes_on_once(
    new_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: each found it stopped, and started a process in its folder."""
    run = new_run()
    write_status(run.path, replace(run.status(), state="stopped"))
    monkeypatch.setattr(start, "start_detached", lambda *_: None)
    assert sorted(at_once(lambda _: runs.resume_run(run), 12)) == [0] + [1] * 11


@pytest.fixture
def small_demo(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let the demonstration set have two slides of three pictures; return how many that are."""
    few = [(*slide, 3) for *slide, _ in list(patients.slides())[:2]]
    monkeypatch.setattr(write, "slides", lambda: iter(few))
    return 6


def kill_at(last: int) -> Callable[[int, int], None]:
    """Return a progress that ends its process, as nothing else could, once so much is done."""

    def progress(done: int, total: int) -> None:
        if done >= last:
            os.kill(os.getpid(), signal.SIGKILL)

    return progress


def test_four_at_a_fresh_workspace_get_one_drawing(
    small_demo: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: each browser drew a set of its own, four at once."""
    log, draw = tmp_path / "drawings.txt", sources.make_demo

    def noted(folder: Path, **options: object) -> Path:
        with log.open("a") as out:
            out.write("one\n")
        return draw(folder, **options)

    monkeypatch.setattr(sources, "make_demo", noted)
    assert at_once(lambda _: sources.make_demonstration(), 4) == [0] * 4
    assert log.read_text() == "one\n"
    assert left_beside() == ["demonstration"]
    assert len(list(sources.demo_folder().rglob("*.png"))) == small_demo


def left_beside() -> list[str]:
    """Return what lies in the workspace's folder of data."""
    return sorted(path.name for path in places.data_home().iterdir())


def test_a_drawing_that_was_killed_leaves_nothing_and_is_begun_again(small_demo: int) -> None:
    """Regression: the hidden folder of every killed drawing stayed for ever."""
    assert at_once(lambda _: sources.make_demonstration(kill_at(3)), 1) == [-signal.SIGKILL]
    assert left_beside()[0].endswith("-making") and not sources.demo_ready()
    sources.make_demonstration()
    assert left_beside() == ["demonstration"]
    assert len(list(sources.demo_folder().rglob("*.png"))) == small_demo


def test_who_waits_for_a_drawing_sees_how_far_it_is(small_demo: int) -> None:
    folder = sources.demo_folder()
    making = folder.with_name(f".{folder.name}-1-making") / "CLL"
    making.mkdir(parents=True)
    (making / "1.png").touch()
    told: list[tuple[int, int]] = []

    class Seen(Exception):
        """The one who waits has seen it."""

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        raise Seen

    with places.turn(folder), pytest.raises(Seen):
        sources.make_demonstration(progress)
    assert told == [(1, small_demo)]


def test_a_set_that_was_killed_between_two_renamings_is_put_back(small_demo: int) -> None:
    root = sources.make_demonstration().path
    root.rename(root.with_name(f".{root.name}-1-old"))
    sources.clear_unfinished()
    assert left_beside() == ["demonstration"] and sources.demo_ready()


def test_a_drop_that_was_killed_is_cleared_and_one_that_goes_on_stays(contents: Files) -> None:
    """Regression: half a data set stayed on the disk for ever, listed nowhere."""
    kept = sources.add_uploads("Kept", contents)

    def killed(_: int) -> None:
        def some() -> Iterator[tuple[str, bytes]]:
            yield contents[0]
            os.kill(os.getpid(), signal.SIGKILL)

        sources.add_uploads("Killed", some())

    assert at_once(killed, 1) == [-signal.SIGKILL]
    uploads = places.data_home() / "uploads"
    assert len(list(uploads.iterdir())) == 3

    def while_another_server_starts() -> Iterator[tuple[str, bytes]]:
        yield contents[0]
        assert at_once(lambda _: sources.clear_unfinished(), 1) == [0]
        yield from contents[1:]

    second = sources.add_uploads("Second", while_another_server_starts())
    assert set(uploads.iterdir()) == {kept.path, second.path}
    assert len(list(second.path.rglob("*.png"))) == len(contents)
    assert sources.list_data_sets() == [kept, second]


def older(root: Path) -> None:
    """Let a set look as an earlier version drew it."""
    marker = root / write.MARKER
    marker.write_text(marker.read_text().replace(f"Drawing: {write.DRAWING}\n", ""))


def test_a_set_of_an_earlier_version_is_drawn_anew_only_on_request(small_demo: int) -> None:
    """Regression: nothing read the version in the marker, and the old set stayed for ever."""
    root = sources.make_demonstration().path
    assert write.drawing_of(root) == write.DRAWING and not sources.demo_outdated()
    older(root)
    picture = next(root.rglob("*.png"))
    drawn = picture.read_bytes()
    picture.write_bytes(b"of an earlier version")
    sources.make_demonstration()
    assert sources.demo_outdated() and picture.read_bytes() != drawn
    assert at_once(lambda _: sources.draw_anew(), 4) == [0] * 4
    assert not sources.demo_outdated() and picture.read_bytes() == drawn
    assert left_beside() == ["demonstration"]
