"""Which recipe to believe: whole recipes over the same folds, with patients apart and at random.

    make bench-recipes
    python -m bench.recipes [DATA] [--weights FILE] [--seeds 3] [--recipes linear-probe cnn ...]

It is ``python -m lymph recipes`` once for each seed of the folds: every recipe has default settings
and the mean over the seeds; its interval (``lymph.evaluation``) and the comparison with always
naming the largest class are those of the seed in the middle. ``linear-probe:ENCODER`` is a linear
probe on a further encoder. Beside the accuracies stands what lies next to a picture in the features
(the robustness index of ``lymph.evaluation.robustness``), which needs no training. Comparisons stay
in the workspace: a second call goes on where the first stopped. The table goes to the screen and to
``bench/recipes.md``, every figure to ``bench/recipes.json``.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.__main__ import REAL, machine
from lymph.data.source import PictureSource
from lymph.errors import RunError
from lymph.evaluation import Robustness, report, robustness
from lymph.leak.linear_features import colour_features
from lymph.recipes import RECIPES, Comparison, Row, compare_here, make_config, rows_of
from lymph.recipes.comparison import FOLDS, SIDES, Cell
from lymph.recipes.recipe import COLOURS, ON, recipe_title
from lymph.recipes.table import largest_class
from lymph.splits.split import By
from lymph.training.encoders import features_of_set, open_encoder

HERE = Path(__file__).parent
WEIGHTS = REAL.parents[1] / "weights" / "resnet50-imagenet-to-layer3.pth"
LARGEST = "always the largest class"


class Bench:
    """All recipes over the folds of several seeds."""

    def __init__(self, root: Path, weights: str, seeds: int, recipes: Sequence[str]) -> None:
        self.source, self.weights = PictureSource(str(root)), weights
        self.table = self.source.usable()
        self.comparisons = [self._compare(recipes, seed) for seed in range(seeds)]
        self.rows = [{row.name: row for row in rows_of(one)} for one in self.comparisons]
        self.recipes = recipes

    def _compare(self, recipes: Sequence[str], seed: int) -> Comparison:
        config = make_config(self.source, recipes, FOLDS, seed, self.weights)
        comparison = compare_here(config, _say)
        status = comparison.status()
        if status.state != "finished":
            raise RunError(f"{comparison.path}: {status.state}. {status.error}")
        return comparison

    def results(self) -> dict[str, dict[str, Any]]:
        """Return the figures of all recipes, those of the largest class first."""
        found: dict[str, dict[str, Any]] = {LARGEST: {by: self._largest() for by in SIDES}}
        for name in self.recipes:
            told = self.neighbours(name)
            found[name] = {
                by: self.measured([rows[name] for rows in self.rows], by) for by in SIDES
            }
            found[name]["neighbours"] = told and told.to_json()
        return found

    def _largest(self) -> dict[str, Any]:
        figures = report(largest_class(self.comparisons[0].cells()[0].predictions()))
        sections = {name: figures[name] for name in ("pictures", "patients")}
        return {
            **{name: [part["accuracy"]] for name, part in sections.items()},
            "interval": sections["pictures"]["interval"],
            "patients_interval": sections["patients"]["interval"],
            "seconds": [0.0],
        }

    def measured(self, rows: Sequence[Row], by: By) -> dict[str, Any]:
        """Return the figures of a recipe over all seeds, one row each."""
        cells = [row.cells[by] for row in rows]
        pictures = [cell.pictures["accuracy"] for cell in cells]
        middle = cells[int(np.argsort(pictures, kind="stable")[len(pictures) // 2])]
        return {
            "pictures": pictures,
            "patients": [cell.patients["accuracy"] for cell in cells],
            "interval": middle.pictures["interval"],
            "patients_interval": middle.patients["interval"],
            "told_apart_from_largest": middle.beside_largest != "like",
            "seconds": [cell.seconds for cell in cells],
        }

    def neighbours(self, name: str) -> Robustness | None:
        """Return what lies next to a picture in a recipe's ready features; None without any."""
        if name == COLOURS:
            features = colour_features(self.source.path, self.table)
        elif name == "linear-probe":
            features = self._features("resnet50")
        elif name.startswith(ON):
            features = self._features(name.removeprefix(ON))
        else:
            return None
        return robustness(features, *(self.table[n].to_numpy(str) for n in ("label", "patient")))

    def _features(self, encoder: str) -> np.ndarray:
        return features_of_set(open_encoder(encoder, self.weights), self.source.path, self.table)


def _say(cell: Cell) -> None:
    figures = report(cell.predictions())["pictures"]
    print(f"{cell.title}: {100 * figures['accuracy']:.0f} %, {cell.seconds:.0f} s", flush=True)


def as_markdown(results: dict[str, dict[str, Any]], table: pd.DataFrame, seeds: int) -> str:
    """Write the figures as a table, patients apart beside pictures at random."""
    lines = [
        f"{len(table)} pictures of {table['patient'].nunique()} patients, {FOLDS} folds,"
        f" {seeds} seeds of the folds; means over the seeds, 95 % interval of the seed in the"
        " middle.",
        "",
        "| recipe | patients apart: images (interval) | patients | told apart from the largest"
        " class | images at random | seconds a run | nearest image: same patient | robustness index"
        " (by chance) | nearest of another patient: same class (by chance) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, sides in results.items():
        apart, mixed = sides["patient"], sides["picture"]
        low, high = apart["interval"]
        told = {True: "yes", False: "no", None: ""}[apart.get("told_apart_from_largest")]
        lines.append(
            f"| {name if name == LARGEST else recipe_title(name)} |"
            f" {100 * np.mean(apart['pictures']):.0f} %"
            f" ({100 * low:.0f}-{100 * high:.0f}) | {100 * np.mean(apart['patients']):.0f} % |"
            f" {told} | {100 * np.mean(mixed['pictures']):.0f} % |"
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
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), help="as of `lymph recipes`")
    parser.add_argument("--out", type=Path, default=HERE / "recipes")
    options = parser.parse_args(arguments)
    bench = Bench(options.data, options.weights, options.seeds, options.recipes)
    results = bench.results()
    text = as_markdown(results, bench.table, options.seeds)
    document = {"machine": machine(), "folds": FOLDS, "seeds": options.seeds, "recipes": results}
    options.out.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    options.out.with_suffix(".json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
