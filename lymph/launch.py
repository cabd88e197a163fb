"""Opening the app: where its script is, and the server that runs it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# Where a wheel keeps what stands at the top of the repository.
INSTALLED = "_app"


def app_file() -> Path:
    """Return the app's script: within the package where that was installed, else beside it."""
    here = Path(__file__).resolve().parent
    installed = here / INSTALLED / "app.py"
    return installed if installed.is_file() else here.parent / "app.py"


def app_command(options: Sequence[str] = ()) -> list[str]:
    """Return the command that runs the app's server; the settings beside the script hold.

    Parameters
    ----------
    options : sequence of str
        Options of ``streamlit run``, such as ``--server.port=8502``.
    """
    # -P: no module of the folder where it is started stands in for one that the app needs.
    return [sys.executable, "-P", "-m", "streamlit", "run", str(app_file()), *options]


def open_app(options: Sequence[str] = ()) -> int:
    """Become the app's server, or on Windows wait for it; see :func:`app_command`."""
    command = app_command(options)
    if sys.platform == "win32":
        return subprocess.run(command, check=False).returncode
    os.execv(command[0], command)
