"""Giving way to the server: a job's low priority counts against processes of other sessions too.

Linux shares a processor evenly among sessions first and looks at a process's priority only within
its own (``sched(7)``, "The autogroup feature"). A job has a session of its own, so that it outlives
the server's: three processes of low priority in such sessions got twice the processor time of two
of normal priority. No other import here than ``os`` and ``time``: each job loads it first.
"""

import os
import time

# Who waits for a helper sees how far it is: it goes before trainings and after pages.
HELPERS_NICE, TRAININGS_NICE = 5, 10
# The system lets all processes together change a session's priority ten times a second.
TRIES, PAUSE_SECONDS = 5, 0.1


def give_way(nice: int, pid: int | None = None) -> None:
    """Lower the priority of a process, and of its session where it leads one and Linux asks.

    Parameters
    ----------
    nice : int
        How far below that of the process which started it; 19 is the lowest there is, for a process
        and for a session.
    pid : int, optional
        A process that this one has started; this one by default.
    """
    process = pid or os.getpid()
    if not hasattr(os, "setpriority"):  # Windows
        return
    try:
        above = os.nice(0) if pid else os.getpriority(os.PRIO_PROCESS, os.getppid())
        lower = min(19, above + nice)
        os.setpriority(os.PRIO_PROCESS, process, lower)
        if os.getsid(process) == process:
            _lower_session(process, lower)
    except OSError:  # it has ended already
        return


def _lower_session(process: int, nice: int) -> None:
    for _ in range(TRIES):
        try:
            session = os.open(f"/proc/{process}/autogroup", os.O_WRONLY)
        except OSError:  # another system, or one that shares by other groups
            return
        try:
            os.write(session, str(nice).encode())
            return
        except BlockingIOError:
            time.sleep(PAUSE_SECONDS)
        finally:
            os.close(session)
