"""A job gives way to the server, although it has a session of its own."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lymph.jobs.detached import start_python
from lymph.jobs.priority import HELPERS_NICE, TRAININGS_NICE, give_way
from tests.waiting import PATIENCE

AUTOGROUP = Path("/proc/self/autogroup")
WAITS = [sys.executable, "-c", "input()"]
GIVES_WAY = """
import os, pathlib
from lymph.jobs.priority import give_way
give_way(10)
# A process that no session was ever made for has a group without a line of its own.
print(os.nice(0), *pathlib.Path("/proc/self/autogroup").read_text().split()[-1:])
"""

linux_sessions = pytest.mark.skipif(
    not os.access(AUTOGROUP, os.W_OK), reason="This system does not share by sessions."
)


@linux_sessions
def test_a_process_in_its_own_session_lowers_both() -> None:
    """Regression: a training's low priority counted nothing against the pages of a class.

    Linux looks at a priority only within a session, and every training has one of its own.
    """
    command = [sys.executable, "-c", GIVES_WAY]
    done = subprocess.run(command, start_new_session=True, capture_output=True, text=True)
    lower = os.nice(0) + TRAININGS_NICE
    assert done.stdout.split() == [str(lower), str(lower)], done.stderr


@linux_sessions
def test_another_process_is_lowered_and_this_one_stays() -> None:
    before = os.nice(0), AUTOGROUP.read_text()
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE, start_new_session=True) as helper:
        give_way(HELPERS_NICE, helper.pid)
        session = Path(f"/proc/{helper.pid}/autogroup").read_text().split()
        assert os.getpriority(os.PRIO_PROCESS, helper.pid) == before[0] + HELPERS_NICE
        assert session[-1] == str(before[0] + HELPERS_NICE)
        helper.communicate(b"\n")
    assert (os.nice(0), AUTOGROUP.read_text()) == before


@linux_sessions
def test_a_process_in_a_session_of_others_leaves_that_alone() -> None:
    """A training in a terminal must not slow what else was started there."""
    before = AUTOGROUP.read_text()
    done = subprocess.run([sys.executable, "-c", GIVES_WAY], capture_output=True, text=True)
    assert done.stdout.split()[0] == str(os.nice(0) + TRAININGS_NICE), done.stderr
    assert AUTOGROUP.read_text() == before


def test_who_has_ended_needs_no_priority() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
        give_way(HELPERS_NICE, ended.pid)


@pytest.mark.skipif(not hasattr(os, "setsid"), reason="This system has no sessions.")
def test_a_job_gives_way_from_its_first_moment_on(tmp_path: Path) -> None:
    """Regression: thirty that loaded in sessions of their own took the time of the server's pages.

    Until it has lowered its session it stays in this one, where its priority counts.
    """
    here = psutil.Process()
    before = set(here.children())
    with (tmp_path / "log.txt").open("wb") as log:
        start_python(["-c", "import time; time.sleep(60)"], log, modest=True)
    (job,) = set(here.children()) - before
    try:
        assert job.nice() == here.nice() + TRAININGS_NICE
        assert os.getsid(job.pid) == os.getsid(0)
    finally:
        job.kill()
        job.wait(PATIENCE)
