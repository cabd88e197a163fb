"""One way to run something long: many who start at once, turns, kills, other machines."""

import contextlib
import errno
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from lymph import leak, workspace
from lymph.data.source import PictureSource
from lymph.errors import RunError
from lymph.jobs import files, queue
from lymph.jobs.priority import TRAININGS_NICE
from lymph.jobs.start import enter_queue, start_job
from lymph.jobs.status import (
    SILENT_SECONDS,
    START_SECONDS,
    Status,
    own_process,
    read_status,
    write_status,
    written_status,
)
from lymph.jobs.worker import Stopped, check_stop, run_job
from lymph.leak.measurement import MeterConfig, meters_home
from lymph.runs import Run, create_run, read_catalogue, resume_run, start_run
from lymph.runs import queue as waiting_runs
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig
from tests.waiting import wait_for

# A work of a few milliseconds that notes when it was done; one whose folder holds "slow" goes on
# until it is stopped.
WORK = """
import time
from lymph.jobs.worker import check_stop

def work(folder):
    with (folder.parent / "order.txt").open("a") as order:
        order.write(folder.name + "\\n")
    while (folder / "slow").exists():
        check_stop(folder)
        time.sleep(0.02)
"""


def again(before: Status | None) -> Status:
    """Begin a job anew."""
    return before or Status("queued")


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return what starts a small job in a process of its own."""
    (tmp_path / "small_work.py").write_text(WORK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(name: str, slow: bool = False, rank: int = queue.LONG) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        if slow:
            (folder / "slow").touch()
        assert start_job(folder, "small_work", f"Job {name}", again, rank)
        return folder

    return make


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[FileLock]:
    """Keep the machine's only place, so that whoever is started waits."""
    blocker = tmp_path / "blocker"
    enter_queue(blocker, "The one before", again)
    place = queue.take_place(blocker)
    assert place is not None
    write_status(blocker, replace(read_status(blocker), state="running", **own_process()))
    queue.tell_started(blocker, 0.0)
    yield place
    os.environ.pop(queue.PLACE, None)
    place.release()


def processes_of(folder: Path) -> list[psutil.Process]:
    """Return the processes that were started for a folder or one below it."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # one that has just ended
            if str(folder) in " ".join(child.cmdline()):
                found.append(child)
    return found


def state(folder: Path) -> str:
    return read_status(folder).state


def test_thirty_starts_of_the_meter_make_one_process_that_waits_small(
    tiny_root: Path, taken: FileLock
) -> None:
    """Regression: thirty clicks started fourteen processes, each of 106 MB while it waited."""
    config = MeterConfig(PictureSource(tiny_root), seeds=1)
    with ThreadPoolExecutor(30) as visitors:
        found = set(visitors.map(lambda _: leak.start_measurement(config), range(30)))
    assert len(found) == 1 and len([p for p in meters_home().iterdir() if p.is_dir()]) == 1
    measurement = found.pop()
    wait_for(lambda: measurement.status().pid > 0 and "Waiting for" in log_of(measurement.path))
    (process,) = processes_of(meters_home())
    assert process.pid == measurement.status().pid
    assert process.memory_info().rss < 45e6
    assert [job.title for job in queue.ahead_of(measurement.path)] == ["The one before"]
    # Another measurement is another job.
    other = leak.start_measurement(replace(config, control=True))
    assert other != measurement
    for each in (measurement, other):
        leak.stop_measurement(each)
        wait_for(lambda each=each: each.status().over)
        assert each.status().state == "stopped" and each.result() is None


@pytest.mark.skipif(not hasattr(os, "setsid"), reason="This system has no sessions.")
def test_a_job_that_waits_has_left_the_session_of_the_server(
    start: Callable[..., Path], taken: FileLock
) -> None:
    """A terminal that is closed ends all in its session; thirty give way in their own as well."""
    folders = [start(f"job{number}") for number in range(4)]
    for folder in folders:
        wait_for(lambda folder=folder: "Waiting for" in log_of(folder))
        pid = read_status(folder).pid
        assert os.getsid(pid) == pid
        assert os.getpriority(os.PRIO_PROCESS, pid) == os.nice(0) + TRAININGS_NICE
        session = Path(f"/proc/{pid}/autogroup")
        if session.exists():
            assert session.read_text().split()[-1] == str(os.nice(0) + TRAININGS_NICE)
        (folder / files.STOP).touch()
    wait_for(lambda: all(state(folder) == "stopped" for folder in folders))


def log_of(folder: Path) -> str:
    return (folder / files.LOG).read_text(encoding="utf-8")


def test_thirty_starts_of_training_are_thirty_runs_in_order(
    tiny_root: Path, taken: FileLock
) -> None:
    """Nobody's click is lost; the one that was taken in first is the next."""
    split = split_by_patient(PictureSource(tiny_root).usable())
    config = TrainConfig(str(tiny_root), epochs=1)

    def press(_: int) -> Run:
        run = create_run(config, split)
        start_run(run)
        return run

    with ThreadPoolExecutor(30) as visitors:
        runs = list(visitors.map(press, range(30)))
    assert len({run.path for run in runs}) == 30
    waiting = waiting_runs()
    assert sorted(waiting, key=lambda run: run.status().queued) == waiting
    assert set(waiting) == set(runs)
    assert len(queue.ahead_of(waiting[-1].path)) == 30
    with pytest.raises(RunError, match="is queued already"):
        start_run(runs[0])
    for run in runs:
        (run.path / files.STOP).touch()
    wait_for(lambda: all(run.status().over for run in runs))
    assert {run.status().state for run in runs} == {"stopped"}


def test_short_jobs_go_before_long_ones_that_wait(
    tmp_path: Path, start: Callable[..., Path], taken: FileLock
) -> None:
    """First come first served among equals; a lesson need not wait for the trainings."""
    folders = [start("long-1"), start("long-2"), start("short", rank=queue.SHORT), start("long-3")]
    titles = [job.title for job in queue.going()]
    assert titles == ["The one before", "Job short", "Job long-1", "Job long-2", "Job long-3"]
    assert [job.title for job in queue.ahead_of(folders[0])] == titles[:2]
    taken.release()
    wait_for(lambda: all(read_status(folder).over for folder in folders))
    assert {state(folder) for folder in folders} == {"finished"}
    order = (tmp_path / "order.txt").read_text().split()
    assert order == ["short", "long-1", "long-2", "long-3"]
    assert not any((folder / files.HEARTBEAT).exists() for folder in folders)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_worker_holds_nobody_up_and_can_be_started_again(
    start: Callable[..., Path],
) -> None:
    """kill -9 of one that runs and of one that waits; the third runs, the dead can go again."""
    running = start("running", slow=True)
    wait_for(lambda: state(running) == "running")
    waiting, third = start("waiting"), start("third")
    wait_for(lambda: read_status(waiting).pid > 0)
    os.kill(read_status(waiting).pid, signal.SIGKILL)
    wait_for(lambda: state(waiting) == "lost")
    assert [job.folder for job in queue.ahead_of(third)] == [running]
    os.kill(read_status(running).pid, signal.SIGKILL)
    wait_for(lambda: read_status(third).over)
    assert (state(running), state(third)) == ("lost", "finished")
    (running / "slow").unlink()
    start("running"), start("waiting")
    wait_for(lambda: {state(running), state(waiting)} == {"finished"})
    assert queue.going() == []


def test_sigterm_stops_a_job_that_waits_or_runs(start: Callable[..., Path]) -> None:
    running = start("running", slow=True)
    wait_for(lambda: state(running) == "running")
    waiting = start("waiting")
    wait_for(lambda: read_status(waiting).pid > 0 and (waiting / files.HEARTBEAT).exists())
    for folder in (waiting, running):
        os.kill(read_status(folder).pid, signal.SIGTERM)
        wait_for(lambda folder=folder: read_status(folder).over)
        assert state(folder) == "stopped" and not (folder / files.STOP).exists()


@pytest.fixture
def run(tiny_root: Path) -> Run:
    """Return a run that was made and not started."""
    split = split_by_patient(PictureSource(tiny_root).usable())
    return create_run(TrainConfig(str(tiny_root), epochs=1), split)


def write_old(run: Run, silent: float, beat: float | None = None, **changes: object) -> None:
    """Write a status as a process on another machine does that was last heard of so long ago."""
    now = time.time()
    write_status(run.path, replace(run.status(), pid=7, queued=now - 9e4, **changes))
    path = run.path / files.STATUS
    path.write_text(json.dumps({**json.loads(path.read_text()), "updated": now - silent}))
    if beat is not None:
        workspace.write_json(run.path / files.HEARTBEAT, {"alive": now - beat})


@pytest.mark.parametrize("going", ["running", "queued"])
def test_a_run_on_another_machine_is_let_alone_while_it_is_heard_of(run: Run, going: str) -> None:
    """Regression: it was read as lost, and a second process might resume into its folder."""
    silent = 2 * SILENT_SECONDS
    write_old(run, silent, beat=5.0, state=going, host="node7")
    assert run.status().state == going
    assert [record.status.state for record in read_catalogue().records] == [going]
    with pytest.raises(RunError, match=f"is {going} already on node7; stop it there"):
        resume_run(run)
    with pytest.raises(RunError, match="node7"):
        start_run(run)
    # Silent for minutes it is gone, and can be gone on with.
    write_old(run, silent, beat=silent, state=going, host="node7")
    assert run.status().state == "lost"
    assert [record.status.state for record in read_catalogue().records] == ["lost"]
    assert enter_queue(run.path, "Again", again)


def test_a_run_of_an_earlier_version_on_another_machine_is_judged_by_its_status(run: Run) -> None:
    """It keeps no heartbeat but writes its status now and then; a damaged one counts as none."""
    write_old(run, 10.0, state="running", host="node7")
    assert run.status().state == "running"
    (run.path / files.HEARTBEAT).write_text("[]")
    assert run.status().state == "running"
    write_old(run, 2 * SILENT_SECONDS, state="running", host="node7")
    assert run.status().state == "lost"


def test_a_process_of_this_machine_is_judged_by_itself(run: Run) -> None:
    """However fresh its heartbeat: a process that is gone is gone."""
    write_old(run, 0.0, beat=0.0, state="running", host=socket.gethostname())
    assert run.status().state == "lost"
    write_status(run.path, Status("running", **own_process()))
    assert run.status().state == "running"


def test_every_change_of_a_status_is_seen_however_fast_they_come(tmp_path: Path) -> None:
    """What was read is kept while the file stays the same, never longer."""
    for epoch in (*range(8), 8, 8):
        write_status(tmp_path, Status("running", epoch=epoch, **own_process()))
        assert [written_status(tmp_path).epoch for _ in range(2)] == [epoch, epoch]
    settled = time.time() - 60
    for epoch in (3, 4):
        write_status(tmp_path, Status("running", epoch=epoch, **own_process()))
        os.utime(tmp_path / files.STATUS, (settled + epoch, settled + epoch))
        assert [written_status(tmp_path).epoch for _ in range(2)] == [epoch, epoch]
    (tmp_path / files.STATUS).unlink()
    with pytest.raises(RunError):
        written_status(tmp_path)


def test_what_never_came_up_is_lost_after_a_while(tmp_path: Path) -> None:
    write_status(tmp_path, Status("queued", queued=time.time() - START_SECONDS / 2))
    assert state(tmp_path) == "queued"
    write_status(tmp_path, Status("queued", queued=time.time() - 2 * START_SECONDS))
    assert state(tmp_path) == "lost"


def test_jobs_of_another_machine_are_not_waited_for(tmp_path: Path) -> None:
    """Two machines on one shared workspace compute each for itself."""
    there, here = tmp_path / "there", tmp_path / "here"
    enter_queue(there, "There", again)
    (ticket,) = (path for path in queue.home().iterdir() if path.name[0] != ".")
    workspace.write_json(ticket, {**workspace.read_json(ticket), "host": "node7"})
    enter_queue(here, "Here", again)
    assert queue.ahead_of(here) == []
    place = queue.take_place(here)
    assert place is not None
    place.release()


def test_as_many_jobs_run_at_once_as_there_are_graphics_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(queue.PLACE, "")
    queue.tell_places(2)
    folders = [tmp_path / name for name in "abc"]
    places = []
    for folder in folders:
        enter_queue(folder, folder.name, again)
        assert len(queue.ahead_of(folder)) == (2 if len(places) == 2 else 0)
        if (place := queue.take_place(folder)) is not None:
            write_status(folder, replace(read_status(folder), state="running", **own_process()))
            places.append((place, os.environ[queue.PLACE]))
    assert [number for _, number in places] == ["0", "1"]
    for place, _ in places:
        place.release()


def test_the_time_that_is_left_counts_from_where_it_went_on(tmp_path: Path) -> None:
    enter_queue(tmp_path / "a", "A", lambda _: Status("queued", epoch=5, epochs=10))
    queue.tell_started(tmp_path / "a", 0.5)
    now = time.time()
    job = queue.job_of(tmp_path / "a")
    assert job.seconds_left() is None  # it has not gained anything yet
    later = replace(
        job, status=replace(job.status, state="running", epoch=6), started=now - 10, done_before=0.5
    )
    assert later.seconds_left() == pytest.approx(40, abs=1)


def fails(error: BaseException) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "ended", "words"),
    [
        (Stopped(), "stopped", "^$"),
        (KeyboardInterrupt(), "stopped", "^$"),
        (RunError("Do this."), "failed", r"^Do this\.$"),
        (OSError(errno.ENOSPC, "no space"), "failed", "The disk is full"),
        (OSError(errno.EIO, "broken"), "failed", "cannot be used .*broken"),
        (ValueError("odd"), "failed", r"^ValueError: odd \(see .*log\.txt\)\.$"),
    ],
)
def test_every_end_is_a_state_and_a_sentence(
    tmp_path: Path, error: BaseException, ended: str, words: str
) -> None:
    folder = tmp_path / "job"
    enter_queue(folder, "Job", again)
    status = run_job(folder, fails(error))
    assert status.state == ended and re.search(words, status.error)
    left = {path.name for path in folder.iterdir()}
    assert left <= {files.STATUS, files.LOG, files.START_LOCK}
    assert queue.going() == [] and os.environ.get(queue.PLACE) is None
    # The place is free again.
    enter_queue(folder, "Job", again)
    assert run_job(folder, lambda place: None).state == "finished"


def test_damage_to_the_queue_costs_nobody_his_turn(tmp_path: Path) -> None:
    """Damaged tickets, tickets of deleted folders, and no queue at all."""
    folder = tmp_path / "job"
    enter_queue(folder, "Job", again)
    for name, text in (("0-1-x.json", "{"), ("0-2-x.json", "[]"), ("0-3-x.json", '{"folder": 3}')):
        (queue.home() / name).write_text(text)
    workspace.write_json(queue.home() / "0-4-x.json", {"folder": str(tmp_path / "gone")})
    assert [job.title for job in queue.going()] == ["Job"]
    assert not (queue.home() / "0-4-x.json").exists()

    def work(place: Path) -> None:
        check_stop(place)

    queue.leave(folder)
    assert queue.ahead_of(folder) == []
    assert run_job(folder, work).state == "finished"
