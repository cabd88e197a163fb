"""The rows of the benchmark: each measures the notebook's way and ours in turn, several times."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from bench import notebook
from bench.arithmetic import MATRIX, step_operations
from lymph import workspace
from lymph.data.pixels import load_pixels
from lymph.data.scan import classes_of
from lymph.data.source import PictureSource
from lymph.data.stamps import cache_folder
from lymph.models.networks import build_model
from lymph.models.specs import MODELS
from lymph.processor import environment_for_training
from lymph.runs import create_run
from lymph.splits import SET_NAMES, Split, split_by_patient
from lymph.training.config import TrainConfig
from lymph.training.trainer import Trainer

SAME_AUGMENTATION = ["flips", "rotation"]
TIFF_SIZE = (1388, 1040)
DIFFERENT_TIFFS = 24


@dataclass
class Row:
    """One claim: what must be reached, what was seen in each repeat, and in what unit."""

    what: str
    target: str
    values: list[float]
    unit: str
    note: str = ""
    seconds: dict[str, list[float]] = field(default_factory=dict)

    @property
    def middle(self) -> float:
        """Return the median of the repeats."""
        return statistics.median(self.values)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio_row(
    what: str, target: str, repeats: int, ways: dict[str, Callable[[], float]], note: str
) -> Row:
    """Measure the first way and the last in turn; the values are their ratios, repeat by repeat."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, measure in ways.items():
            seconds[name].append(measure())
    before, *_, after = seconds.values()
    ratios = [old / new for old, new in zip(before, after, strict=True)]
    return Row(what, target, ratios, "times faster", note, seconds)


class Material:
    """Pixels, labels and sets of a data root for one model, as both ways take them."""

    def __init__(self, root: Path, name: str, pictures: int = 0) -> None:
        self.root, self.name, self.spec = root, name, MODELS[name]
        table = PictureSource(str(root)).usable()
        self.split = _split(table, pictures)
        self.sets = self.split.assign(table).to_numpy(str)
        index = {label: i for i, label in enumerate(classes_of(table))}
        self.labels = table["label"].map(index).to_numpy(np.int64)
        self.classes = len(index)
        self.pixels = load_pixels(root, list(table["picture"]), self.spec.size, self.spec.grey)

    def dataset(self, name: str) -> notebook.PictureDataset:
        """Return a set as the notebook's dataset; only training pictures are varied."""
        rows = np.flatnonzero(self.sets == name)
        transform = notebook.training_transform()
        if name != "train":
            transform.transforms = transform.transforms[-1:]
        return notebook.PictureDataset(self.pixels[rows], self.labels[rows], transform)

    def notebook_epoch(self, measured: tuple[str, ...]) -> Callable[[], float]:
        """Return a clock of the notebook's epoch, which also measures some other sets."""
        torch.manual_seed(0)
        model = build_model(self.name, self.classes)
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        train, others = self.dataset("train"), [self.dataset(name) for name in measured]
        return lambda: timed(lambda: notebook.train_epoch(model, train, others, optimiser))

    def phase(self, name: str, epochs: int) -> Callable[[], float]:
        """Return a clock of a phase of a real run: training, validation, and all that is kept."""

        def measure() -> float:
            folder = Path(workspace.home()) / "bench-run"
            shutil.rmtree(folder, ignore_errors=True)
            config = TrainConfig(
                PictureSource(str(self.root)),
                self.name,
                phases=[f"{name}:{epochs}"] if self.name != "cnn" else [],
                epochs=epochs,
                weights="none",
                augmentation=SAME_AUGMENTATION,
            )
            run = create_run(config, self.split, folder)
            trainer = Trainer(run.path, run.config, self.split)
            trainer.begin()
            # Kept features would spare the very work that is to be measured.
            for kept in workspace.cache_home().rglob("features-*.npy"):
                kept.unlink()
            return timed(lambda: trainer._train_phase(trainer.phases[0], 0))

        return measure


def _split(table: pd.DataFrame, pictures: int) -> Split:
    """Split by patient, with fewer training pictures where so many are not wanted."""
    sets = split_by_patient(table).assign(table)
    names = {name: list(table["picture"][sets == name]) for name in SET_NAMES}
    rng = np.random.default_rng(0)
    names["train"] = list(rng.permutation(names["train"])[: pictures or None])
    return Split("picture", 0, {name: [str(p) for p in chosen] for name, chosen in names.items()})


@contextmanager
def process(environment: dict[str, str]) -> Iterator[Callable[..., float]]:
    """Start a process with an environment and yield the way to ask it."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.clock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[1],
    )

    questions, answers = child.stdin, child.stdout
    assert questions and answers

    def ask(name: str, *arguments: object) -> float:
        questions.write(json.dumps([name, *arguments]) + "\n")
        questions.flush()
        answer = answers.readline()
        if not answer:
            raise RuntimeError("The process that measures has ended; what it said stands above.")
        return json.loads(answer)

    try:
        yield ask
    finally:
        questions.close()
        child.wait()


@contextmanager
def both_ways(
    root: Path, name: str, pictures: int = 0
) -> Iterator[tuple[Callable[[str], float], Callable[[str, int], float], Callable[..., float]]]:
    """Yield clocks of the notebook's way and of ours, each as its user meets it.

    The notebook's process is left as Python starts it, ours is set up as a run's worker is; the
    third asks ours anything.
    """
    plain, settled = dict(os.environ), environment_for_training(dict(os.environ))
    with process(plain) as theirs, process(settled) as ours:
        what = (str(root), name, pictures)
        yield (
            lambda sets: theirs("notebook_epoch", *what, sets),
            lambda phase, epochs: ours("our_phase", *what, phase, epochs),
            ours,
        )


def small_cnn(root: Path, repeats: int) -> list[Row]:
    """Measure an epoch of the small CNN."""
    epochs = 4
    with both_ways(root, "cnn") as (notebook_way, our_way, _):
        notebook_way("val test")  # the first of each only warms up
        our_way("finetune", epochs)
        row = ratio_row(
            "Small CNN, an epoch",
            "5 times faster",
            repeats,
            {
                "notebook": lambda: notebook_way("val test"),
                "notebook, two pools": lambda: notebook_way("val"),
                "ours": lambda: our_way("finetune", epochs) / epochs,
            },
            "batch 16, flips and rotation; the notebook's epoch with its three pools of workers",
        )
    pools = zip(row.seconds["notebook, two pools"], row.seconds["ours"], strict=True)
    fewer = "Small CNN, an epoch, were the notebook to measure validation only"
    return [row, Row(fewer, "", [old / new for old, new in pools], "times faster")]


def resnet(root: Path, repeats: int, pictures: int) -> list[Row]:
    """Measure the ten-epoch run of ResNet-50 from its epochs: ten of the notebook's are alike."""
    parts: dict[str, list[float]] = {"finetune": [], "linear_probe": []}
    limits: list[float] = []
    convolutions: list[float] = []
    material = Material(root, "resnet50", pictures)
    with both_ways(root, "resnet50", pictures) as (notebook_way, our_way, ask):

        def ours() -> float:
            parts["finetune"].append(our_way("finetune", 1))
            parts["linear_probe"].append(our_way("linear_probe", 5))
            # A busy machine is slower for a while: the limit is the best of all repeats.
            limits.append(ask("matrix_speed"))
            convolutions.append(ask("convolution_seconds", "resnet50", material.classes))
            return 5 * parts["finetune"][-1] + parts["linear_probe"][-1]

        row = ratio_row(
            "ResNet-50, ten epochs in two phases at 224 px",
            "4 times faster",
            repeats,
            {"notebook": lambda: 10 * notebook_way("val"), "ours": ours},
            "five epochs of fine-tuning, five of a linear probe; the notebook's ten all fine-tune",
        )
    row.seconds |= {f"ours, {name}": values for name, values in parts.items()}
    epochs = zip(row.seconds["notebook"], parts["finetune"], strict=True)
    tuned_ratios = [old / 10 / new for old, new in epochs]
    return [
        row,
        Row("ResNet-50, one epoch of fine-tuning", "", tuned_ratios, "times faster"),
        share_of_limit(material, parts["finetune"], max(limits)),
        share_of_convolutions(material, convolutions, max(limits)),
    ]


def share_of_limit(material: Material, seconds: list[float], limit: float) -> Row:
    """Compare the arithmetic of a whole-model epoch with the machine's speed at plain products."""
    counts = {name: int((material.sets == name).sum()) for name in SET_NAMES}
    forward, step = step_operations(material.name, material.classes)
    work = counts["train"] * step + counts["val"] * forward
    return Row(
        "ResNet-50, share of the machine's bfloat16 matrix-product speed",
        "shown",
        [100 * work / second / limit for second in seconds],
        "%",
        f"the limit, products of {MATRIX} x {MATRIX} matrices: {limit / 1e9:.0f} thousand million"
        " operations a second",
    )


def share_of_convolutions(material: Material, seconds: list[float], limit: float) -> Row:
    """Compare the same, of a step, with what its convolutions take where nothing else is done."""
    _, step = step_operations(material.name, material.classes)
    return Row(
        "The same share, were a step nothing but its convolutions",
        "",
        [100 * step / second / limit for second in seconds],
        "%",
        "each convolution by itself, forward and backward, the best of several: no loop around them"
        " can be faster",
    )


def reading(root: Path, repeats: int) -> list[Row]:
    """Measure the first and the second reading of 374 full-size TIFF pictures into grey arrays."""
    folder = workspace.home() / "bench-tiff"
    names = _write_tiffs(root, folder)

    def fresh() -> float:
        shutil.rmtree(cache_folder(folder), ignore_errors=True)
        return timed(lambda: load_pixels(folder, names, (128, 128), grey=True))

    row = ratio_row(
        f"First reading of {len(names)} TIFF pictures of {TIFF_SIZE[0]} x {TIFF_SIZE[1]}",
        "1.8 times faster",
        repeats,
        {
            "one by one": lambda: timed(lambda: notebook.read_one_by_one(folder, names)),
            "ours": fresh,
        },
        f"{DIFFERENT_TIFFS} different pictures under {len(names)} names, all in the file cache",
    )
    again = [
        timed(lambda: np.array(load_pixels(folder, names, (128, 128), grey=True)))
        for _ in range(repeats)
    ]
    shutil.rmtree(folder)
    return [row, Row("Second reading", "under 0.1 s", again, "s")]


def _write_tiffs(root: Path, folder: Path) -> list[str]:
    """Write the set's names as full-size TIFF pictures, few of them different to spare the disk."""
    table = PictureSource(str(root)).usable()
    shutil.rmtree(folder, ignore_errors=True)
    names = [f"{number:03}.tif" for number in range(374)]
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        if number < DIFFERENT_TIFFS:
            picture = Image.open(root / table["picture"].iloc[number * 7]).convert("RGB")
            picture.resize(TIFF_SIZE).save(folder / name)
        else:
            (folder / name).hardlink_to(folder / names[number % DIFFERENT_TIFFS])
    return names
