"""The table of a comparison: each cell with its interval, and what it can be told apart from."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lymph.data.sources import is_synthetic
from lymph.errors import LymphError
from lymph.evaluation import interval_words, letters_of, paired_difference, report
from lymph.evaluation.intervals import METHOD, OUT_OF_FOLD_METHOD
from lymph.predictions import classes_of_predictions, make_predictions, probabilities_of
from lymph.recipes.comparison import SIDES, Cell, Comparison
from lymph.recipes.recipe import recipe_title
from lymph.splits.split import By
from lymph.text import as_cell, counted, whole_percent

LARGEST = "the largest class"


def largest_class(p: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions of who always names the largest class of a prediction table."""
    classes = classes_of_predictions(p)
    most = str(p["label"].value_counts().idxmax())
    values = np.zeros_like(probabilities_of(p))
    values[:, classes.index(most)] = 1.0
    return make_predictions(p, values, classes)


@dataclass(frozen=True)
class Figures:
    """What one cell is worth.

    ``report`` is `lymph.evaluation.report`'s. ``better_than`` holds the letters of the recipes
    whose accuracy per picture is lower on the same pictures and can be told apart, ``worse_than``
    those of the higher ones, ``like`` those that cannot be told apart from it. ``beside_largest``
    is ``above``, ``below`` or ``like`` always naming the largest class; ``seconds`` is its time.
    """

    report: dict[str, Any]
    seconds: float
    beside_largest: str
    better_than: tuple[str, ...] = ()
    worse_than: tuple[str, ...] = ()
    like: tuple[str, ...] = ()

    @property
    def pictures(self) -> dict[str, Any]:
        """Return the figures per picture."""
        return self.report["pictures"]

    @property
    def patients(self) -> dict[str, Any]:
        """Return the figures per patient."""
        return self.report["patients"]

    @property
    def better_words(self) -> str:
        """Say what it is better than, as far as these patients can tell."""
        largest = [LARGEST] if self.beside_largest == "above" else []
        return ", ".join([*largest, *self.better_than]) or "none of them"


@dataclass(frozen=True)
class Row:
    """A recipe with its figures by ``patient`` and by ``picture``, as far as they are measured.

    ``problem`` says what cannot be read of it.
    """

    name: str
    letter: str
    cells: dict[By, Figures] = field(default_factory=dict)
    problem: str = ""

    @property
    def title(self) -> str:
        """Return the recipe's name for people."""
        return recipe_title(self.name)

    @property
    def seconds(self) -> float:
        """Return what it has taken so far, both kinds of folds together."""
        return sum(cell.seconds for cell in self.cells.values())


def rows_of(comparison: Comparison) -> list[Row]:
    """Return a row for each recipe of which a cell is done, in the order of the comparison.

    Raises
    ------
    LymphError
        When the comparison's configuration cannot be read.
    """
    config = comparison.config
    letters = dict(zip(config.recipes, letters_of(config.recipes), strict=True))
    drawn = is_synthetic(config.source.root)
    tables: dict[By, dict[str, pd.DataFrame]] = {by: {} for by in SIDES}
    problems, cells = {}, [cell for cell in comparison.cells() if cell.done]
    for cell in cells:
        try:
            tables[cell.by][cell.recipe] = cell.predictions()
        except LymphError:
            problems[cell.recipe] = (
                f"What was measured of {cell.title} cannot be read: delete the folder {cell.path},"
                " then compare again, which measures that alone."
            )
    found: dict[str, dict[By, Figures]] = {name: {} for name in config.recipes}
    for cell in cells:
        if cell.recipe in tables[cell.by]:
            found[cell.recipe][cell.by] = _figures(cell, tables[cell.by], letters, drawn)
    return [
        Row(name, letters[name], by, problems.get(name, ""))
        for name, by in found.items()
        if by or name in problems
    ]


def _figures(
    cell: Cell, tables: dict[str, pd.DataFrame], letters: dict[str, str], drawn: bool
) -> Figures:
    own = tables[cell.recipe]
    sides: dict[str, list[str]] = {"above": [], "below": [], "like": []}
    for name, other in tables.items():
        if name != cell.recipe:
            sides[_beside(other, own)].append(letters[name])
    return Figures(
        report(own, "test", drawn),
        cell.seconds,
        _beside(largest_class(own), own),
        *(tuple(sides[side]) for side in ("above", "below", "like")),
    )


def _beside(first: pd.DataFrame, second: pd.DataFrame) -> str:
    """Say whether the second is above or below the first, or cannot be told apart from it."""
    found = paired_difference(first, second)
    if not found.told_apart:
        return "like"
    return "above" if found.difference > 0 else "below"


def best_of(rows: Sequence[Row], by: By = "patient") -> Row | None:
    """Return the recipe with the highest accuracy per picture, or None where none is measured."""
    known = [row for row in rows if by in row.cells]
    return max(known, key=lambda row: row.cells[by].pictures["accuracy"], default=None)


def best_words(rows: Sequence[Row], by: By = "patient") -> str:
    """Say which recipe is best with patients apart, and what it can be told apart from.

    Parameters
    ----------
    rows : sequence of Row
        Of one comparison; titles may hold what others wrote.

    Returns
    -------
    str
        Empty where no recipe has been measured with patients apart.
    """
    best = best_of(rows, by)
    if best is None:
        return ""
    cell = best.cells[by]
    share, interval = cell.pictures["accuracy"], cell.pictures["interval"]
    people, largest = counted(cell.patients["n"], "patient"), cell.pictures["baseline"]
    told = (
        f"With patients apart ‘{best.title}’ is highest: {whole_percent(share)} of"
        f" {cell.pictures['n']} pictures ({people}, {interval_words(interval)})."
    )
    naming = f"always naming the largest class ({whole_percent(largest)})"
    if cell.beside_largest == "above":
        told += f" That is better than {naming}."
    elif cell.beside_largest == "below":
        told += f" That is worse than {naming}."
    else:
        told += f" {people[0].upper()}{people[1:]} cannot tell that from {naming}."
    return told + _mixed_words(best)


def _mixed_words(row: Row) -> str:
    if "picture" not in row.cells:
        return ""
    mixed = row.cells["picture"].pictures["accuracy"]
    return (
        f" Under random folds it would seem to reach {whole_percent(mixed)}, on patients that it"
        " had trained on."
    )


def method_words(rows: Sequence[Row]) -> str:
    """Say how the intervals are made, and what a comparison of several recipes cannot tell."""
    return (
        f"Intervals are 95 %: {METHOD.format(unit='pictures')}; {OUT_OF_FOLD_METHOD}. Two recipes"
        " are told apart by the differences of the same patients, each pair by an interval of its"
        f" own{_pairs_words(len(rows))}. The highest of several looks a little better than it is:"
        " try the one you choose on patients who had no part in the choice."
    )


def _pairs_words(recipes: int) -> str:
    pairs = recipes * (recipes + 1) // 2  # the largest class is one of them
    return (
        f": of {pairs} pairs that do not differ, {0.05 * pairs:.1f} would be told apart by chance"
    )


# ---- exports -----------------------------------------------------------------------------------


def as_json(comparison: Comparison, rows: Sequence[Row]) -> dict[str, Any]:
    """Return a comparison with its rows in JSON types; shares run from 0 to 1."""
    config, status = comparison.config, comparison.status()
    return {
        "comparison": str(comparison.path),
        "state": status.state,
        "folds": config.folds,
        "seed": config.seed,
        "words": best_words(rows),
        "recipes": [_row_json(row) for row in rows],
    }


def _row_json(row: Row) -> dict[str, Any]:
    document: dict[str, Any] = {"recipe": row.name, "title": row.title, "letter": row.letter}
    if row.problem:
        document["problem"] = row.problem
    return {
        **document,
        "seconds": round(row.seconds, 1),
        **{by: _cell_json(row.cells[by]) if by in row.cells else None for by in SIDES},
    }


def _cell_json(cell: Figures) -> dict[str, Any]:
    level = ("n", "accuracy", "balanced_accuracy", "interval", "interval_method", "baseline")
    told = {
        name: {**{key: part[key] for key in level}, "stated": part["stated"]}
        for name, part in (("pictures", cell.pictures), ("patients", cell.patients))
    }
    return {
        **told,
        "leaked_test_share": cell.report.get("leaked_test_share"),
        "beside_largest": cell.beside_largest,
        "better_than": list(cell.better_than),
        "worse_than": list(cell.worse_than),
        "not_told_apart": list(cell.like),
        "seconds": cell.seconds,
    }


def as_csv(comparison: Comparison, rows: Sequence[Row]) -> str:
    """Return the table as CSV, one line a cell; no spreadsheet runs a name of it as a formula."""
    config = comparison.config
    lines = [
        _csv_line(row, by, row.cells[by], config.folds, config.seed)
        for row in rows
        for by in SIDES
        if by in row.cells
    ]
    written = io.StringIO()
    pd.DataFrame(lines).map(as_cell).to_csv(written, index=False, lineterminator="\n")
    return written.getvalue()


def _csv_line(row: Row, by: By, cell: Figures, folds: int, seed: int) -> dict[str, Any]:
    line: dict[str, Any] = {"letter": row.letter, "recipe": row.name, "title": row.title}
    line |= {"folds_by": by, "folds": folds, "seed": seed}
    for name, part in (("picture", cell.pictures), ("patient", cell.patients)):
        low, high = part["interval"]
        line |= {
            f"{name}s": part["n"],
            f"accuracy_per_{name}": part["accuracy"],
            f"low_95_per_{name}": low,
            f"high_95_per_{name}": high,
            f"stated_per_{name}": part["stated"]["verdict"],
        }
    return {
        **line,
        "why": "; ".join(cell.pictures["stated"]["reasons"]),
        "largest_class": cell.pictures["baseline"],
        "beside_largest_class": cell.beside_largest,
        "better_than": " ".join(cell.better_than),
        "worse_than": " ".join(cell.worse_than),
        "not_told_apart": " ".join(cell.like),
        "leaked_test_share": cell.report.get("leaked_test_share"),
        "seconds": cell.seconds,
    }
