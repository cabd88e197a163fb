"""The package as others get it: built, installed where nothing of the repository is, and used."""

import contextlib
import email
import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

import psutil
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.serving import free_port, wait_until_healthy
from tests.waiting import PATIENCE

REPOSITORY = Path(__file__).parents[1]
PARTS = ("lymph", "pages", ".streamlit", "app.py", "setup.py", "pyproject.toml", "README.md")
APP_KINDS = {".py", ".css", ".js", ".html"}


def files(folder: Path, kinds: set[str] | None = None) -> set[str]:
    """Name the files below a folder of the repository, of these kinds or of all."""
    return {
        path.relative_to(REPOSITORY).as_posix()
        for path in folder.rglob("*.*")
        if path.is_file() and (kinds is None or path.suffix in kinds)
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy: a build leaves folders behind, and takes what lies in them."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for path in [*(REPOSITORY / part for part in PARTS), *REPOSITORY.glob("requirements*.txt")]:
        if path.is_dir():
            copytree(path, source / path.name, ignore=ignore_patterns("__pycache__"))
        else:
            copy(path, source)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(built), str(source)], check=True, capture_output=True)
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own, which borrows what lymph depends on."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False)
    packages, scripts = (
        Path(sysconfig.get_path(name, "venv", vars={"base": str(home), "platbase": str(home)}))
        for name in ("purelib", "scripts")
    )
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    python = str(scripts / "python")
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    return scripts


def test_the_wheel_holds_the_library_and_the_app(wheel: Path) -> None:
    """Every module, the pages, their styles and scripts, the runs and figures that come along."""
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    app = {"app.py", ".streamlit/config.toml", *files(REPOSITORY / "pages", APP_KINDS)}
    expected = {f"lymph/_app/{name}" for name in app} | files(REPOSITORY / "lymph", {".py"})
    expected |= files(REPOSITORY / "lymph" / "charts", {".css"})
    expected |= files(REPOSITORY / "lymph" / "reports" / "templates")
    expected |= files(REPOSITORY / "lymph" / "runs" / "ready")
    expected |= files(REPOSITORY / "lymph" / "lessons" / "figures")
    assert held == expected | {"lymph/py.typed"}


def test_dependencies_are_those_of_the_lists(wheel: Path) -> None:
    """What pip reads from the lists and from the package is the same."""
    archive = zipfile.ZipFile(wheel)
    metadata = next(name for name in archive.namelist() if name.endswith("/METADATA"))
    needed = email.message_from_bytes(archive.read(metadata)).get_all("Requires-Dist")
    listed = [
        line
        for name in (
            "requirements.txt",
            "requirements-encoders.txt",
            "requirements-test.txt",
            "requirements-encoders.txt",
        )
        for line in (REPOSITORY / name).read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert list(map(bounds, needed)) == list(map(bounds, listed))


def bounds(requirement: str) -> tuple[str, SpecifierSet]:
    """Return a requirement's name and versions, without the extra that asks for it."""
    read = Requirement(requirement)
    return read.name, read.specifier


def test_import_lymph_loads_nothing_before_it_is_used() -> None:
    """A notebook's first line takes no time, and names what there is."""
    code = (
        "import sys, lymph; assert not {'pandas', 'torch'} & set(sys.modules);"
        "assert all(callable(getattr(lymph, name)) for name in lymph.__all__);"
        "assert not {'torch', 'streamlit', 'sklearn', 'scipy.stats'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


# Commands one after the other in one process, since loading PyTorch takes seconds.
COMMANDS = """
import json, sys
from contextlib import redirect_stdout
from io import StringIO
from lymph.cli import main
told = []
for words in json.loads(sys.argv[1]):
    with redirect_stdout(StringIO()) as written:
        told.append([main(words), written.getvalue()])
print(json.dumps(told))
"""


@pytest.mark.slow
def test_an_installed_lymph_goes_the_whole_way(installed: Path, tmp_path: Path) -> None:
    """From the demonstration set to answers, by its commands alone, far from the repository."""
    environment = {**os.environ, "LYMPH_HOME": str(tmp_path / "workspace")}
    environment.pop("PYTHONPATH", None)

    def ask(*command: object) -> str:
        done = subprocess.run(
            [*map(str, command)], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert ask(installed / "lymph", "--version").startswith("lymph 0.")
    assert "374" in ask(installed / "lymph", "demo", "pictures")
    for number in range(4, 20):  # three pictures of each patient are enough here
        for picture in (tmp_path / "pictures").glob(f"*/*_{number:03}.*"):
            picture.unlink()
    picture = next((tmp_path / "pictures" / "MCL").iterdir())
    training = ("--split", "split.json", "--model", "cnn", "--epochs", "1", "--run", "first")
    commands = [
        ("scan", "pictures", "--json"),
        ("split", "pictures", "--out", "split.json"),
        ("train", "pictures", *training, "--json"),
        ("evaluate", "first", "--json"),
        ("classify", "first", str(picture), "--json"),
    ]
    told = json.loads(ask(installed / "python", "-c", COMMANDS, json.dumps(commands)))
    assert [code for code, _ in told] == [0] * len(commands)
    found, _, trained, figures, answers = (written for _, written in told)
    assert json.loads(found)["problems"] == []
    assert json.loads(trained)["state"] == "finished"
    assert (tmp_path / "workspace" / "runs" / "first" / "best.pt").is_file()
    assert json.loads(figures)["patients"]["n"] == 6
    assert json.loads(answers)[0]["predicted"]


def test_an_installed_lymph_opens_the_app(installed: Path, tmp_path: Path) -> None:
    """Its server finds the pages and their settings, and answers this computer only."""
    port = free_port()
    server = subprocess.Popen(
        [installed / "lymph", "app", "--port", str(port), "--", "--server.headless=true"],
        cwd=tmp_path,
        env={**os.environ, "LYMPH_HOME": str(tmp_path / "workspace")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", server)
        doors = [door for one in family(server.pid) for door in doors_of(one)]
        assert doors == [("127.0.0.1", port)]
    finally:
        for process in family(server.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        server.wait(PATIENCE)


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all that it has started."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def doors_of(process: psutil.Process) -> list[tuple[str, int]]:
    """Return where a process listens; nowhere where it has just ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        found = process.net_connections()
        return [tuple(door.laddr) for door in found if door.status == psutil.CONN_LISTEN]
    return []
