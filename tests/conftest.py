"""Fixtures that every test may use: a workspace, a tiny set of known pictures, known answers."""

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

# Tests run on every core at once: threads of theirs would only wait for each other, and those of
# numpy's algebra do it by counting. It asks once, when it is loaded.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import psutil
import pytest
from hypothesis import settings
from PIL import Image

from lymph import workspace as places
from lymph.classroom.settings import VARIABLE, ClassSettings
from lymph.data import pixels as pixels_module
from lymph.data.source import PictureSource
from lymph.models.specs import MODELS
from lymph.predictions import make_predictions

if TYPE_CHECKING:
    from lymph.runs import Run

# Containers often forbid Python to keep what it has compiled: each of the hundreds of processes
# that tests start would then compile lymph anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A busy machine is no fault of what is tested.
settings.register_profile("lymph", deadline=None)
settings.load_profile("lymph")

REAL = Path(__file__).parents[2] / "shared" / "data" / "lymphoma"
IMAGENET_FILE = REAL.parents[1] / "weights" / "resnet50-imagenet-to-layer3.pth"

# What takes more than half a second or so, a file or a test a line.
SLOW = Path(__file__).with_name("slow.txt")

# The browser's files that take longest come first; so many other long ones follow each of them.
LONGEST = {f"test_{name}.py": place for place, name in enumerate(
    ("walk", "way", "stage", "accessible", "results", "class", "live", "strangers")
)}  # fmt: skip
LONG_BESIDE = 3

# Lies beside a file of speeds that nobody measured.
TOLD = "speed-told"

CLASSES = ("CLL", "FL", "MCL")
Row = tuple[str, str, str]

TINY_PATIENTS = {"CLL": range(11, 15), "FL": range(21, 25), "MCL": range(31, 35)}


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> Generator[None, int, int]:
    """Run one process more than there are cores where the browser's tests are among them.

    These wait for pages a good part of their time, in which a core would be idle.
    """
    cores = yield
    chosen = config.option.markexpr or "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ
    return cores if chosen else cores + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what ``slow.txt`` lists; begin with the files that take longest.

    Files go to processes as they come: a long one at the end would leave the others idle.
    """
    slow = set(SLOW.read_text(encoding="utf-8").splitlines())
    for item in items:
        file = item.nodeid.partition("::")[0]
        name = f"{file}::{getattr(item, 'originalname', item.name)}"
        if {file, name} & slow or item.get_closest_marker("browser"):
            item.add_marker("slow")
    places = {path: place for place, path in enumerate(in_order(items))}
    items.sort(key=lambda item: places[item.path])


def in_order(items: list[pytest.Item]) -> list[Path]:
    """Return the files of tests: each of the browser's before some long ones, at the end the quick.

    A test that waits for its browser leaves a core to one that computes.
    """
    browser = dict.fromkeys(i.path for i in items if i.get_closest_marker("browser"))
    slow = dict.fromkeys(i.path for i in items if i.get_closest_marker("slow"))
    long = iter([path for path in slow if path not in browser])
    ordered: list[Path] = []
    for path in sorted(browser, key=lambda path: LONGEST.get(path.name, len(LONGEST))):
        ordered += [path, *islice(long, LONG_BESIDE)]
    return list(dict.fromkeys([*ordered, *long, *(item.path for item in items)]))


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that every picture read for the cache adds its path to."""
    paths: list[str] = []
    true_reader = pixels_module.image_of

    def counting(root: Path, picture: str, white: int) -> Image.Image:
        paths.append(picture)
        return true_reader(root, picture, white)

    monkeypatch.setattr(pixels_module, "image_of", counting)
    return paths


@pytest.fixture
def in_class(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ClassSettings]:
    """Return a function that turns the class on, as ``python -m lymph serve`` does."""

    def turn_on(key: str = "ABCD-EFGH-JKLM", **options: object) -> ClassSettings:
        settings = ClassSettings(key, "http://192.0.2.7:8501", **options)
        monkeypatch.setenv(VARIABLE, settings.to_text())
        return settings

    return turn_on


@pytest.fixture(scope="session")
def measured_speed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the machine's speed, which all processes share: it is measured once."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "speed.json"


def keep_speed(own: Path, shared: Path) -> None:
    """Keep for later tests what was measured, where it says more than what is kept already."""
    if own.with_name(TOLD).exists() or not own.exists():
        return
    if not shared.exists() or own.stat().st_size > shared.stat().st_size:
        copy = shared.with_name(f"speed-{os.getpid()}.json")
        shutil.copy(own, copy)
        copy.replace(shared)


def end_jobs(home: Path) -> None:
    """End what a test has left working in a workspace, beside which the next ones would wait.

    Only where a job has its ticket in the queue are the processes of this machine looked through.
    """
    if not any(home.glob("jobs/*.json")):
        return
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # one that has just ended, or another user's
            if process.pid != os.getpid() and process.environ().get("LYMPH_HOME") == str(home):
                process.kill()


@pytest.fixture(autouse=True)
def workspace(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, measured_speed: Path
) -> Iterator[Path]:
    """Give every test a workspace of its own, with the speed that earlier tests measured.

    What works in it when the test is over is ended.
    """
    home = tmp_path_factory.mktemp("home") / "workspace"
    monkeypatch.setenv("LYMPH_HOME", str(home))
    own = home / "cache" / "speed.json"
    if measured_speed.exists():
        own.parent.mkdir(parents=True)
        shutil.copy(measured_speed, own)
    yield home
    end_jobs(home)
    keep_speed(own, measured_speed)


def draw(label: str, patient: int, picture: int) -> np.ndarray:
    """Draw a 48 x 64 picture: the class is the direction of its stripes, the patient its grey."""
    rng = np.random.default_rng([patient, picture])
    rows, columns = np.mgrid[:48, :64]
    phase = {"CLL": rows, "FL": columns, "MCL": rows + columns}[label] + rng.integers(8)
    stripes = 60.0 * ((phase // 4) % 2) + 80.0 + 4.0 * (patient % 10)
    noisy = stripes[..., None] + rng.normal(0, 6, (48, 64, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def write_tiny(root: Path, pictures: int = 3) -> Path:
    """Write three classes of four patients each, whose stripes tell the class."""
    for label, patients in TINY_PATIENTS.items():
        (root / label).mkdir(parents=True)
        for patient in patients:
            for number in range(1, pictures + 1):
                file = root / label / f"sj-99-{patient}_{number:03}.png"
                Image.fromarray(draw(label, patient, number)).save(file)
    return root


@pytest.fixture(scope="session")
def drawn_tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Return a function that draws a small set, once for each number of pictures; copy it."""
    home = tmp_path_factory.mktemp("drawn")
    return cache(lambda pictures: write_tiny(home / str(pictures), pictures))


@pytest.fixture
def make_tiny(tmp_path: Path, drawn_tiny: Callable[[int], Path]) -> Callable[..., Path]:
    """Return a maker of small sets: three classes, four patients each, stripes tell the class."""

    def make(name: str = "tiny", pictures: int = 3) -> Path:
        return shutil.copytree(drawn_tiny(pictures), tmp_path / name, dirs_exist_ok=True)

    return make


@pytest.fixture
def tiny_root(make_tiny: Callable[..., Path]) -> Path:
    """Return a set of 36 small pictures, 12 patients, 3 classes."""
    return make_tiny()


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> "Run":
    """Return a run of two epochs on the tiny set, in a workspace of its own; copy it to use it."""
    from lymph.runs import create_run, train_here
    from lymph.splits import split_by_patient
    from lymph.training.config import TrainConfig

    home = tmp_path_factory.mktemp("trained")
    source = PictureSource(write_tiny(home / "tiny"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYMPH_HOME", str(home / "workspace"))
        run = create_run(TrainConfig(source, epochs=2), split_by_patient(source.usable()))
        assert train_here(run).state == "finished"
    return run


@pytest.fixture
def trained_run(trained_once: "Run", tiny_root: Path) -> "Run":
    """Return that run in the workspace of the test, as if it had learned from its tiny set."""
    from lymph.runs import open_run

    folder = places.runs_home() / trained_once.path.name
    shutil.copytree(trained_once.path, folder)
    config = folder / "config.json"
    told = config.read_text().replace(trained_once.config.data, str(tiny_root))
    config.write_text(told)
    return open_run(folder)


@pytest.fixture
def small_resnet50(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ResNet-50 see pictures of 64 x 64 pixels: the same code in a tenth of the time."""
    small = MODELS["resnet50"]._replace(size=(64, 64), tuned_size=(64, 80))
    monkeypatch.setitem(MODELS, "resnet50", small)


@pytest.fixture(scope="session")
def encoder_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of random values for conv1 to layer3, by torchvision's names."""
    import torch

    from lymph.models.encoders import ResNet50Encoder

    file = tmp_path_factory.mktemp("encoder") / "random-to-layer3.pth"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(ResNet50Encoder().state_dict(), file)
    return file


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a Vision Transformer of 16 features, random, as timm's hub writes it."""
    timm = pytest.importorskip("timm")
    import torch

    folder = tmp_path_factory.mktemp("encoder") / "tiny-vit"
    arguments = {"img_size": 32, "depth": 2, "embed_dim": 16, "num_heads": 2}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = timm.create_model("vit_tiny_patch16_224", num_classes=0, **arguments)
    folder.mkdir()
    timm.models.save_for_hf(network, folder, safe_serialization=True, model_args=arguments)
    return folder


@pytest.fixture
def real_root() -> Path:
    """Return the folder of real pictures, or skip where it is missing."""
    if not REAL.is_dir():
        pytest.skip("the real pictures (../shared/data/lymphoma) are not here")
    return REAL


@pytest.fixture
def imagenet_file() -> Path:
    """Return the file of real ImageNet values, or skip where it is missing."""
    if not IMAGENET_FILE.is_file():
        pytest.skip("the ImageNet values (../shared/weights) are not here")
    return IMAGENET_FILE


@pytest.fixture
def from_rows() -> Callable[..., pd.DataFrame]:
    """Return a maker of tables from (patient, label, predicted); ``sure`` is its probability."""

    def make(
        rows: Sequence[Row],
        classes: Sequence[str] = CLASSES,
        sure: float = 0.8,
        set_name: str = "test",
    ) -> pd.DataFrame:
        table = pd.DataFrame(rows, columns=["patient", "label", "predicted"], dtype=str)
        table["picture"] = [f"{row[1]}/{row[0]}_{place:05}.tif" for place, row in enumerate(rows)]
        table = table.assign(slide=table["patient"] + "-R1", set=set_name)
        rest = (1 - sure) / (len(classes) - 1)
        hit = table["predicted"].to_numpy()[:, None] == np.array(classes, dtype=object)
        return make_predictions(table, np.where(hit, sure, rest), classes)

    return make


@pytest.fixture
def random_table() -> Callable[..., pd.DataFrame]:
    """Return a maker of random tables; each patient has one class, pictures vary in number."""

    def make(
        pictures: int = 200, patients: int = 20, classes: Sequence[str] = CLASSES, seed: int = 0
    ) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        patient = rng.integers(patients, size=pictures)
        label = patient % len(classes)
        logits = rng.normal(size=(pictures, len(classes)))
        logits[np.arange(pictures), label] += 1
        values = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        table = pd.DataFrame(
            {
                "picture": [
                    f"a/sj-05-{who:04}_{place:05}.tif" for place, who in enumerate(patient)
                ],
                "label": np.array(classes, dtype=object)[label],
                "patient": [f"05-{who:04}" for who in patient],
                "slide": [f"05-{who:04}-R4" for who in patient],
                "set": "test",
            }
        )
        return make_predictions(table, values, classes)

    return make
