"""Starting a process that outlives the page, the browser and the server."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import lymph
from lymph import workspace
from lymph.jobs.files import LOG
from lymph.jobs.priority import HELPERS_NICE, TRAININGS_NICE, give_way
from lymph.processor import environment_for_training


def start_detached(module: str, folder: Path) -> None:
    """Do a module's work on a folder in a process of its own; what it prints goes to the log."""
    with (folder / LOG).open("ab") as log:
        start_python(["-m", "lymph.jobs", module, str(folder)], log, modest=True)


def start_python(arguments: list[str], log: IO[bytes] | int, modest: bool = False) -> None:
    """Start Python with lymph and this workspace, apart from this process.

    Parameters
    ----------
    arguments : list of str
    log : file
        Takes what it prints, or ``subprocess.DEVNULL``.
    modest : bool
        Whether it gives way to this process from the first moment on. Where there are sessions it
        begins in this process's, for a priority counts within one, and has to leave it; thirty
        that were loaded in sessions of their own took the server's time.
    """
    detached: dict = {"start_new_session": not modest}
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        # What os.nice is elsewhere.
        detached = {"creationflags": flags | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    started = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=_environment(),
        **detached,
    )
    if modest:
        give_way(TRAININGS_NICE, started.pid)


def start_helper(module: str, argument: str) -> subprocess.Popen:
    """Let a module's ``__main__`` help this process, which reads line by line what it prints.

    It goes before trainings and after pages: whoever waits for it sees how far it is, and the
    others do not wait at all. Where this process ends first, it ends when it finds nobody to tell.
    """
    below: dict = {}
    if sys.platform == "win32":
        below = {"creationflags": subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    helper = subprocess.Popen(
        [sys.executable, "-m", module, argument],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=_environment(),
        # Ctrl-C in the server's terminal is not for it.
        start_new_session=True,
        **below,
    )
    give_way(HELPERS_NICE, helper.pid)
    return helper


def _environment() -> dict[str, str]:
    """Return the environment of a process that is to find this package and this workspace."""
    package_home = str(Path(lymph.__file__).parents[1])
    paths = [package_home, os.environ.get("PYTHONPATH", "")]
    environment = environment_for_training(dict(os.environ))
    environment |= {"PYTHONPATH": os.pathsep.join(p for p in paths if p)}
    environment["LYMPH_HOME"] = str(workspace.home())
    return environment
