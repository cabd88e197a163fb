"""``python -m lymph serve``: the app for a class, with its address, QR code and lecturer's key."""

import argparse
import contextlib
import ipaddress
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lymph import workspace
from lymph.classroom.settings import UPLOAD_MB, VARIABLE, ClassSettings, new_key
from lymph.data import sources
from lymph.errors import ClassError, DataError, LymphError
from lymph.launch import app_command
from lymph.text import printable

PORT = 8501
# Documentation's own network: nothing is sent, the system only says from where it would be.
ANYWHERE = ("192.0.2.1", 9)


def add_command(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser of all."""
    parser = add("serve", serve)
    parser.add_argument(
        "--port", type=int, default=PORT, help=f"port of the app; {PORT} by default"
    )
    parser.add_argument(
        "--address",
        default="",
        help="name or IP address under which the class reaches this computer; found by default",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        action="append",
        default=[],
        help="folder of pictures that may be opened, with what lies below it; may be repeated",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        action="append",
        default=[],
        help="file of pretrained weights that may be chosen; may be repeated",
    )
    parser.add_argument(
        "--upload-mb", type=int, default=UPLOAD_MB, help="most that one visitor may upload"
    )


def serve(options: argparse.Namespace) -> None:
    """Serve the app to a class on the network; names the address and the lecturer's key."""
    settings = settings_of(options)
    listed = share_folders(settings.folders)
    if options.json:
        print(json.dumps({"address": settings.address, "key": settings.key}), flush=True)
    else:
        print(told(settings, listed), flush=True)
    run_server(command_of(settings, options.port), environment_of(settings))


def run_server(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run the server until it ends or is ended; whoever ends the command ends it, too.

    Raises
    ------
    ClassError
        When the server ends by an error.
    """
    server = subprocess.Popen(command, env=environment)
    before = signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        code = server.wait()
    except KeyboardInterrupt:  # the server has had it, too
        code = server.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
    if code > 0:
        raise ClassError(f"The server ended with code {code}; its messages are above.")


def settings_of(options: argparse.Namespace) -> ClassSettings:
    """Check the options of the command and return what the app is told.

    Raises
    ------
    LymphError
        When a folder, a file, the port or the bound cannot serve.
    """
    if not 1 <= options.upload_mb <= 100_000:
        raise ClassError("A visitor may upload between 1 and 100,000 MB; give another --upload-mb.")
    for folder in options.folder:
        if not folder.is_dir():
            raise DataError(f"There is no folder {folder}; check --folder.")
    for file in options.weights:
        if not file.is_file():
            raise DataError(f"There is no file {file}; check --weights.")
    _check_free(options.port)
    name = options.address or own_address()
    return ClassSettings(
        new_key(),
        f"http://{f'[{name}]' if ':' in name else name}:{options.port}",
        tuple(str(folder.resolve()) for folder in options.folder),
        tuple(str(file.resolve()) for file in options.weights),
        options.upload_mb,
    )


def _check_free(port: int) -> None:
    try:
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(("0.0.0.0", port))
    except (OSError, OverflowError) as error:
        raise ClassError(f"Port {port} cannot be used ({error}); give another --port.") from error


def own_address() -> str:
    """Return this computer's address in the network, or its name where it is in none."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(ANYWHERE)
            return probe.getsockname()[0]
    except OSError:
        return socket.gethostname()


def share_folders(folders: Sequence[str]) -> list[str]:
    """Enter the named folders that are data sets; return the names of all that the class sees."""
    for folder in folders:
        with contextlib.suppress(LymphError):  # one that only holds others
            sources.add_folder(folder)
    known = sources.list_data_sets()
    return [one.name for one in known if not sources.uploader_of(one.path)]


def told(settings: ClassSettings, listed: Sequence[str]) -> str:
    """Return what the terminal shows: address, QR code, key, and what the class sees."""
    from lymph.classroom.qr import in_terminal

    seen = printable(", ".join(listed)) or sources.DEMO_NAME
    folders = ", ".join(settings.folders) or "none (name some with --folder)"
    weights = ", ".join(settings.weights) or "none (name some with --weights)"
    return "\n".join(
        [
            "",
            in_terminal(settings.address),
            f"  The class opens   {settings.address}",
            f"  Lecturer's key    {settings.key}",
            "",
            "  Whoever joins with the key is the lecturer. This window shows it: project the",
            "  QR code from the app instead (Invite the class, in its sidebar).",
            "",
            f"  The class sees    {seen}",
            f"  Folders to open   {folders}",
            f"  Weights           {weights}",
            f"  Uploads           {settings.upload_mb} MB per visitor, deleted after the visit",
            f"  Workspace         {workspace.home()}",
            "  Ctrl+C ends the class; runs that have begun go on.",
            "",
        ]
    )


def command_of(settings: ClassSettings, port: int) -> list[str]:
    """Return the command that runs the app for everyone on the network."""
    options = {
        "server.address": "0.0.0.0",
        "server.port": port,
        "server.headless": "true",
        "server.maxUploadSize": settings.upload_mb,
        "browser.gatherUsageStats": "false",
        "logger.hideWelcomeMessage": "true",
    }
    if allowed := allowed_hosts(settings.address):
        options["server.allowedHosts"] = ",".join(allowed)
    return app_command([f"--{name}={value}" for name, value in options.items()])


def allowed_hosts(address: str) -> list[str]:
    """Return the names that the server answers to, or nothing where its own are enough."""
    name = address.removeprefix("http://").rsplit(":", 1)[0].strip("[]")
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(name)
        return []
    return [name, "localhost", "127.0.0.1", socket.gethostname(), own_address()]


def environment_of(settings: ClassSettings) -> dict[str, str]:
    """Return the environment of the app: the class, and the workspace as it is named here."""
    home = str(workspace.home())
    return {**os.environ, VARIABLE: settings.to_text(), "LYMPH_HOME": home}
