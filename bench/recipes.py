"""Which recipe to believe: whole recipes over the same folds, with patients apart and at random.

    make bench-recipes
    python -m bench.recipes [DATA] [--weights FILE] [--seeds 3] [--recipes probe cnn ...]

Every recipe is what ``python -m lymph crossval`` trains with default settings. Each has the mean
over the seeds of the folds; its interval (``lymph.evaluation``) and the comparison with always
naming the largest class are those of the seed in the middle. ``--encoders`` adds a linear probe on
each further encoder. Beside the accuracies stands what lies next to a picture in the features (the
robustness index of ``lymph.evaluation.robustness``), which needs no training. Runs stay in the
workspace: a second call goes on where the first stopped. The table goes to the screen and to
``bench/recipes.md``, every figure to ``bench/recipes.json``.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bench.__main__ import REAL, machine
from lymph import workspace
from lymph.data.scan import classes_of
from lymph.data.source import PictureSource
from lymph.evaluation import Robustness, paired_difference, report, robustness
from lymph.leak.features import colour_features
from lymph.predictions import make_predictions, read_predictions, write_predictions
from lymph.runs import create_run, open_run, resume_run, train_here
from lymph.splits import Split, make_folds
from lymph.splits.split import By
from lymph.training.config import TrainConfig
from lymph.training.encoders import features_of_set, open_encoder

HERE = Path(__file__).parent
WEIGHTS = REAL.parents[1] / "weights" / "resnet50-imagenet-to-layer3.pth"
FOLDS = 5
SIDES: tuple[By, ...] = ("patient", "picture")

TITLES = {
    "largest": "always the largest class",
    "colours": "colours alone",
    "cnn": "small CNN",
    "probe": "linear probe",
    "tiles": "linear probe on tiles of 224 px",
    "linear_probe": "ResNet-50, linear probe (head only)",
    "finetune": "ResNet-50, fine-tuned",
}
SETTINGS: dict[str, dict[str, Any]] = {
    "cnn": {"model": "cnn"},
    "probe": {"model": "linear-probe"},
    "tiles": {"model": "linear-probe", "tiles": 224},
    "linear_probe": {"model": "resnet50", "schedule": "linear_probe"},
    "finetune": {"model": "resnet50"},
}

# Of a table and its folds: every picture's prediction by the model that did not see its fold.
Recipe = Callable[[pd.DataFrame, Split], pd.DataFrame]


def largest(table: pd.DataFrame, folds: Split) -> pd.DataFrame:
    """Name the largest class of all pictures, always."""
    classes = classes_of(table)
    most = table["label"].value_counts().idxmax()
    values = np.tile([float(name == most) for name in classes], (len(table), 1))
    return _predictions(table, folds, values)


def colours(root: Path, table: pd.DataFrame, folds: Split) -> pd.DataFrame:
    """Learn from 18 colour statistics of each picture, as the leak meter does."""
    features, homes = colour_features(root, table), folds.assign(table).to_numpy(str)
    labels, values = table["label"].to_numpy(str), np.zeros((len(table), len(classes_of(table))))
    for home in np.unique(homes):
        test = homes == home
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))
        values[test] = model.fit(features[~test], labels[~test]).predict_proba(features[test])
    return _predictions(table, folds, values)


def _predictions(table: pd.DataFrame, folds: Split, values: np.ndarray) -> pd.DataFrame:
    made = make_predictions(table.assign(set="test"), values, classes_of(table))
    return made.assign(fold=folds.assign(table).to_numpy(str))


def trained(
    root: Path, weights: str, settings: dict[str, Any], home: Path, folds: Split
) -> pd.DataFrame:
    """Train every fold of a real run, or go on with one, and return its predictions."""
    if (home / "config.json").exists():
        run = open_run(str(home))
        if run.status().state != "finished":
            resume_run(run, here=True)
    else:
        own = settings["model"] == "cnn" or "encoder" in settings
        chosen: dict[str, Any] = {} if own else {"weights": weights}
        run = create_run(TrainConfig(PictureSource(str(root)), **settings, **chosen), folds, home)
        train_here(run)
    status = run.status()
    if status.state != "finished":
        raise RuntimeError(f"{home}: {status.state}. {status.error}")
    return run.predictions()


class Bench:
    """All recipes over the same folds, each kept as soon as it is measured."""

    def __init__(self, root: Path, weights: str, seeds: int, encoders: Sequence[str] = ()) -> None:
        self.root, self.weights, self.seeds = root, weights, seeds
        self.encoders = {f"linear probe on {_short(asked)}": asked for asked in encoders}
        self.table = PictureSource(str(root)).usable()
        self.home = workspace.home() / "bench-recipes"

    def predictions(self, recipe: str, by: By, seed: int) -> tuple[pd.DataFrame, float]:
        """Return the predictions of a recipe over the folds of a seed, and the seconds it took."""
        folds = make_folds(self.table, FOLDS, by, seed)
        home = self.home / f"{recipe}-{by}-{seed}"
        kept, took = home / "out-of-fold.csv", home / "seconds.json"
        if not kept.exists():
            start = time.perf_counter()
            if recipe in SETTINGS or recipe in self.encoders:
                settings = self.settings(recipe)
                made = trained(self.root, self.weights, settings, home / "run", folds)
            elif recipe == "colours":
                made = colours(self.root, self.table, folds)
            else:
                made = largest(self.table, folds)
            workspace.write_json(took, round(time.perf_counter() - start, 1))
            write_predictions(made, kept)
        return read_predictions(kept), workspace.read_json(took)

    def settings(self, recipe: str) -> dict[str, Any]:
        """Return what a trained recipe is told."""
        if recipe in SETTINGS:
            return SETTINGS[recipe]
        return {"model": "linear-probe", "encoder": self.encoders[recipe]}

    def title(self, recipe: str) -> str:
        """Return the name of a recipe for people."""
        return TITLES.get(recipe, recipe)

    def neighbours(self, recipe: str) -> Robustness | None:
        """Return what lies next to a picture in a recipe's ready features; None without any."""
        if recipe == "colours":
            features = colour_features(self.root, self.table)
        elif recipe == "probe":
            features = self._features("resnet50")
        elif recipe in self.encoders:
            features = self._features(self.encoders[recipe])
        else:
            return None
        return robustness(features, *(self.table[n].to_numpy(str) for n in ("label", "patient")))

    def _features(self, encoder: str) -> np.ndarray:
        return features_of_set(open_encoder(encoder, self.weights), self.root, self.table)

    def measure(self, recipe: str, by: By) -> dict[str, Any]:
        """Return the figures of a recipe over all seeds."""
        found = [self.predictions(recipe, by, seed) for seed in range(self.seeds)]
        reports = [report(table, "test") for table, _ in found]
        pictures = [figures["pictures"]["accuracy"] for figures in reports]
        patients = [figures["patients"]["accuracy"] for figures in reports]
        middle = int(np.argsort(pictures, kind="stable")[len(pictures) // 2])
        baseline, _ = self.predictions("largest", by, middle)
        difference = paired_difference(baseline, found[middle][0])
        return {
            "pictures": pictures,
            "patients": patients,
            "interval": reports[middle]["pictures"]["interval"],
            "patients_interval": reports[middle]["patients"]["interval"],
            "told_apart_from_largest": bool(difference.told_apart),
            "seconds": [seconds for _, seconds in found],
        }


def _short(asked: str) -> str:
    path = Path(asked)
    return (path.parent if path.suffix else path).name


def as_markdown(results: dict[str, dict[str, Any]], bench: Bench) -> str:
    """Write the figures as a table, patients apart beside pictures at random."""
    people = bench.table["patient"].nunique()
    lines = [
        f"{len(bench.table)} pictures of {people} patients, {FOLDS} folds, {bench.seeds} seeds of"
        " the folds; means over the seeds, 95 % interval of the seed in the middle.",
        "",
        "| recipe | patients apart: images (interval) | patients | told apart from the largest"
        " class | images at random | seconds a run | nearest image: same patient | robustness index"
        " (by chance) | nearest of another patient: same class (by chance) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for recipe, sides in results.items():
        apart, mixed = sides["patient"], sides["picture"]
        low, high = apart["interval"] or (float("nan"), float("nan"))
        told = "yes" if apart["told_apart_from_largest"] else "no"
        lines.append(
            f"| {bench.title(recipe)} | {100 * np.mean(apart['pictures']):.0f} %"
            f" ({100 * low:.0f}-{100 * high:.0f}) | {100 * np.mean(apart['patients']):.0f} % |"
            f" {'' if recipe == 'largest' else told} | {100 * np.mean(mixed['pictures']):.0f} % |"
            f" {np.median(apart['seconds']):.0f} |{_neighbours_cells(sides.get('neighbours'))}"
        )
    return "\n".join(lines)


def _neighbours_cells(found: dict[str, Any] | None) -> str:
    if found is None:
        return " | | |"
    told = Robustness(**found)
    index = "none" if told.index is None else f"{told.index:.2f}"
    return (
        f" {100 * told.same_patient:.0f} % | {index} ({told.index_by_chance:.2f}) |"
        f" {100 * told.apart:.0f} % ({100 * told.apart_by_chance:.0f} %) |"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the recipes and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", default=REAL)
    parser.add_argument("--weights", default=str(WEIGHTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipes", nargs="+", choices=list(TITLES), default=list(TITLES))
    parser.add_argument("--out", type=Path, default=HERE / "recipes")
    parser.add_argument(
        "--encoders", nargs="+", default=[], metavar="NAME|FILE", help="as of `lymph train`"
    )
    options = parser.parse_args(arguments)
    bench = Bench(options.data, options.weights, options.seeds, options.encoders)
    results: dict[str, dict[str, Any]] = {}
    for recipe in [*options.recipes, *bench.encoders]:
        told = bench.neighbours(recipe)
        results[recipe] = {by: bench.measure(recipe, by) for by in SIDES}
        results[recipe]["neighbours"] = told and told.to_json()
        print(as_markdown({recipe: results[recipe]}, bench).splitlines()[-1], flush=True)
    text = as_markdown(results, bench)
    document = {"machine": machine(), "folds": FOLDS, "seeds": options.seeds, "recipes": results}
    options.out.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    options.out.with_suffix(".json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
