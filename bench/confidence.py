"""``python -m bench.confidence``: does what is said of confidence keep its promise?

First, how often a perfectly calibrated model is called miscalibrated: three classes, 11 to 14
pictures of each patient. Then, for each folder of pictures, how often the check "does not look like
what it learned" flags pictures of patients that the model has never seen, by the number of patients
that it trained on: models are trained in the app's own way, each on other patients drawn at random,
with one validation patient per class, and asked about everybody else.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bench.coverage import draw_table
from lymph.data.source import PictureSource
from lymph.evaluation import by_patient, calibrate
from lymph.inference import classify_files, load_classifier
from lymph.runs import create_run, train_here
from lymph.splits import Split
from lymph.training.config import TrainConfig

SIZES = (1, 2, 3, 5, 10, 20)
TRAINED_ON = (3, 6, 9, 12, 15, 20)
# How far the true class stands out, and how much patients differ.
SETTINGS = ((0.7, 0.3), (0.7, 1.0), (1.5, 0.3), (1.5, 1.0), (3.0, 0.3), (3.0, 1.0))


def convicted(
    rng: np.random.Generator,
    tables: int,
    per_class: int,
    settings: Sequence[tuple[float, float]] = SETTINGS,
) -> dict[str, list[tuple[float, float]]]:
    """Judge perfectly calibrated models: by level, one pair for each setting.

    The pair is the share of the tables that are called miscalibrated, and their mean error.
    """
    found: dict[str, list[tuple[float, float]]] = {"pictures": [], "patients": []}
    for apart, patient in settings:
        # All that one picture tells of its class, since patients differ as well.
        fair = apart / (1 + patient**2)
        drawn = [draw_table(rng, per_class, apart, patient, fair) for _ in range(tables)]
        # A patient's mean of probabilities is calibrated where each patient has one picture.
        alone = [table.groupby("patient").head(1) for table in drawn]
        for level, judged in (("pictures", drawn), ("patients", map(by_patient, alone))):
            seen = [calibrate(table) for table in judged]
            errors = [one.scores["expected_calibration_error"][0] for one in seen]
            above = np.mean([not one.error_is_chance for one in seen])
            found[level].append((float(above), float(np.mean(errors))))
    return found


def draw_split(rng: np.random.Generator, table: pd.DataFrame, trained_on: int) -> Split:
    """Draw training patients, the classes in turn, and one validation patient of each class."""
    known = table.groupby("label")["patient"].unique()
    left = [[str(name) for name in rng.permutation(own)] for own in known]
    validation, train = [own.pop() for own in left], []
    while len(train) < trained_on:
        # The classes in turn, as long as they have patients.
        fullest = [own for own in left if own][: trained_on - len(train)]
        train += [own.pop() for own in fullest]
    rest = [name for own in left for name in own]
    return Split("patient", 0, {"train": train, "val": validation, "test": rest})


def false_alarms(
    root: Path, trained_on: int, repeats: int, epochs: int, seed: int = 0
) -> Iterator[float]:
    """Train on some patients and yield the share of the others' pictures that is flagged."""
    source = PictureSource(str(root))
    table = source.usable()
    for repeat in range(repeats):
        split = draw_split(np.random.default_rng([seed, trained_on, repeat]), table, trained_on)
        run = create_run(TrainConfig(source, epochs=epochs, seed=repeat), split)
        train_here(run)
        rows = run.predictions()
        names = rows.loc[rows["set"] == "test", "picture"]
        answers = classify_files(load_classifier(run), [(name, root / name) for name in names])
        yield float(np.mean([not answer["familiar"] for answer in answers]))


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.confidence", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="pictures to measure the check on")
    parser.add_argument("--tables", type=int, default=200, help="simulated tests per setting")
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--trained-on", type=int, nargs="+", default=list(TRAINED_ON))
    parser.add_argument("--repeats", type=int, default=10, help="models per number of patients")
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    print("| perfectly calibrated, patients per class | called miscalibrated | worst | mean ECE |")
    print("|---|---|---|---|")
    for size in options.sizes:
        for level, pairs in convicted(rng, options.tables, size).items():
            above, error = np.transpose(pairs)
            cells = f"{above.mean():.3f} | {above.max():.3f} | {error.mean():.3f}"
            print(f"| {size}, {level} | {cells} |", flush=True)
    print("\n| new patients' pictures flagged | trained on | mean | lowest | highest |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as home:
        os.environ["LYMPH_HOME"] = home
        for folder in options.folders:
            for patients in options.trained_on:
                shares = list(false_alarms(folder, patients, options.repeats, options.epochs))
                cells = f"{np.mean(shares):.4f} | {min(shares):.4f} | {max(shares):.4f}"
                print(f"| {folder.name} | {patients} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
