"""``python -m bench.coverage``: how often does each printed 95 % interval hold the truth?

Tests of three classes are simulated, with 11 to 14 pictures of each patient, of models whose true
figures are known. The table goes to the screen: for each interval and number of patients per class
the mean coverage, that of the worst setting, and the mean width. Then come comparisons of two
equally good models: how often they are told apart, which must be at most 5 in 100. Last come
figures out of fold of a model that learns anew for each fold: the truth is then how good those very
models are on very many other patients, or how good such models are on average.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from lymph.evaluation import METRICS, areas, by_patient, calibrate, clopper_pearson
from lymph.evaluation.comparison import difference_interval
from lymph.evaluation.intervals import (
    FOLD_VARIANCE,
    class_metric_intervals,
    metric_interval,
    share_interval,
)

# A figure and its interval; None where it is undefined.
Scored = tuple[float | None, tuple[float, float] | None]

CLASSES = ("CLL", "FL", "MCL")
PICTURES = (11, 14)
SIZES = (1, 2, 3, 5, 10, 20)
ACCURACIES = (0.4, 0.55, 0.7, 0.85, 0.95)
# Correlation of two answers about one patient: of 0.5 half of all variance lies between patients.
CLUSTERING = (0.05, 0.2, 0.5)
# Of the probabilities: how far the true class stands out, how much patients differ, and by what
# the logits are multiplied, from fair to far too sure.
SCORES = tuple(product((0.7, 1.5, 3.0), (0.3, 1.0), (1, 2.5)))
LEVELS = ("pictures", "patients")
# Out of fold: how far the means of the classes lie apart and how much patients differ, as measured
# by how much pictures of one patient do.
LEARNING = tuple(product((1.0, 2.0, 4.0), (0.5, 1.5)))
FEATURES = 8
# Patients of each class from whom the truth is found where no formula gives it.
MANY = 4000


class Seen(NamedTuple):
    """Of one interval in one setting: share that held the truth, mean width, and how many."""

    held: float
    width: float
    tables: int


Found = dict[str, list[Seen]]


def draw_pictures(rng: np.random.Generator, tables: int, per_class: int) -> np.ndarray:
    """Draw how many pictures each patient has: tables x G, the patients of a class together."""
    return rng.integers(*PICTURES, size=(tables, len(CLASSES) * per_class), endpoint=True)


def draw_answers(
    rng: np.random.Generator, pictures: np.ndarray, accuracy: float, clustering: float
) -> np.ndarray:
    """Draw what a model answers: tables x G x K x K counts, from tables x G numbers of pictures.

    Each patient has an own accuracy, of a beta distribution with the given mean and intraclass
    correlation, and an own share of the mistakes that go to either other class.
    """
    size, (tables, patients) = len(CLASSES), pictures.shape
    per_class = patients // size
    parts = np.array([accuracy, 1 - accuracy]) * (1 - clustering) / clustering
    right = rng.binomial(pictures, rng.beta(*parts, size=pictures.shape))
    first = rng.binomial(pictures - right, rng.random(pictures.shape))
    counts = np.zeros((tables, patients, size, size))
    for place, answers in enumerate((right, first, pictures - right - first)):
        for label in range(size):
            own = slice(label * per_class, (label + 1) * per_class)
            counts[:, own, label, (label + place) % size] = answers[:, own]
    return counts


def judge_patients(rng: np.random.Generator, counts: np.ndarray) -> np.ndarray:
    """Give each patient the class named most often; of equal ones any, so that none is favoured."""
    size = counts.shape[-1]
    named = counts.sum(axis=-2)
    best = np.argmax(named + rng.random(named.shape) / 2, axis=-1)
    return (counts.sum(axis=-1) > 0)[..., None] * np.eye(size)[best][..., None, :]


def intervals_of_answers(counts: np.ndarray, level: str) -> dict[str, np.ndarray]:
    """Return the intervals that a report gives, tables x 2 each; of a class the first one's."""
    found = {name: metric_interval(name, counts) for name in METRICS}
    if level == "patients":
        right = np.trace(counts.sum(axis=1), axis1=-2, axis2=-1).astype(int)
        exact = [clopper_pearson(n, counts.shape[1]) for n in range(counts.shape[1] + 1)]
        found["accuracy"] = np.array(exact)[right]
    label_of_unit = np.repeat(np.arange(len(CLASSES)), counts.shape[1] // len(CLASSES))
    of_class = class_metric_intervals(counts, label_of_unit)
    return found | {f"{name} of a class": ends[:, 0] for name, ends in of_class.items()}


def of_answers(
    rng: np.random.Generator,
    tables: int,
    per_class: int,
    accuracies: Sequence[float] = ACCURACIES,
    clusterings: Sequence[float] = CLUSTERING,
) -> Iterator[tuple[str, Seen]]:
    """Measure the intervals of accuracy, its relatives and each class in every setting."""
    for accuracy in accuracies:
        for clustering in clusterings:
            counts, many = (
                draw_answers(rng, draw_pictures(rng, *size), accuracy, clustering)
                for size in ((tables, per_class), (10, MANY))
            )
            for level in LEVELS:
                truth = accuracy
                if level == "patients":
                    counts = judge_patients(rng, counts)
                    judged = judge_patients(rng, many)
                    truth = np.trace(judged.sum(axis=(0, 1))) / judged.sum()
                for name, ends in intervals_of_answers(counts, level).items():
                    # Classes and mistakes are alike, so that every share has the same truth.
                    chance = 1 / len(CLASSES) if name == "kappa" else 0
                    yield f"{name}, {level}", seen(ends, (truth - chance) / (1 - chance))


def draw_table(
    rng: np.random.Generator, per_class: int, apart: float, patient: float, sure: float
) -> pd.DataFrame:
    """Draw a table with the probabilities of one model for every picture."""
    size = len(CLASSES)
    pictures = rng.integers(*PICTURES, size=size * per_class, endpoint=True)
    who = np.repeat(np.arange(len(pictures)), pictures)
    label = who // per_class
    logits = apart * np.eye(size)[label] + rng.normal(size=(len(who), size))
    logits = sure * (logits + patient * rng.normal(size=(len(pictures), size))[who])
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = (odds / odds.sum(axis=1, keepdims=True)).T
    scores = {f"p_{name}": column for name, column in zip(CLASSES, shares, strict=True)}
    names = np.array(CLASSES, dtype=object)
    picture = np.char.mod("%07d", np.arange(len(who)))
    known = {"picture": picture, "patient": np.char.mod("%05d", who), "label": names[label]}
    return pd.DataFrame(known | {"fold": "", "predicted": names[odds.argmax(axis=1)]} | scores)


def figures_of_table(table: pd.DataFrame) -> Mapping[str, Scored]:
    """Return the figures of probabilities, each with its interval; of a class the first one's."""
    found = areas(table)
    figures: dict[str, Scored] = {
        f"{kind} area{words}": found[name][kind]
        for kind in ("roc", "precision_recall")
        for name, words in ((CLASSES[0], " of a class"), ("macro", ", mean"))
    }
    return figures | calibrate(table).scores


def of_scores(
    rng: np.random.Generator,
    tables: int,
    per_class: int,
    truths: dict[tuple, dict[str, float]],
) -> Iterator[tuple[str, Seen]]:
    """Measure the intervals of the figures of probabilities in every setting of ``truths``."""
    for setting, truth in truths.items():
        ends: dict[str, list] = defaultdict(list)
        for _ in range(tables):
            pictures = draw_table(rng, per_class, *setting)
            for level, table in zip(LEVELS, (pictures, by_patient(pictures)), strict=True):
                for name, (_, pair) in figures_of_table(table).items():
                    ends[f"{name}, {level}"].append(pair or (np.nan, np.nan))
        for name, pairs in ends.items():
            yield name, seen(np.array(pairs), truth[name])


def true_figures(rng: np.random.Generator, settings: Sequence[tuple] = SCORES) -> dict:
    """Find the true figures of each setting from very many patients."""
    truths = {}
    for setting in settings:
        pictures = draw_table(rng, MANY, *setting)
        truths[setting] = {
            f"{name}, {level}": value
            for level, table in zip(LEVELS, (pictures, by_patient(pictures)), strict=True)
            for name, (value, _) in figures_of_table(table).items()
        }
    return truths


def seen(ends: np.ndarray, truth: float | np.ndarray) -> Seen:
    """Count the intervals, tables x 2, that hold the truth; those not given (NaN) do not count."""
    there = ~np.isnan(ends).any(axis=1)
    given, truth = ends[there], np.broadcast_to(truth, len(ends))[there]
    held = (given[:, 0] <= truth) & (truth <= given[:, 1])
    return Seen(float(held.mean()), float(np.mean(given[:, 1] - given[:, 0])), len(given))


def draw_features(
    rng: np.random.Generator, means: np.ndarray, per_class: int, patient: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw features of pictures, N x D, their class codes and patients, N each.

    Around the class means, K x D, patients differ by ``patient``, and pictures of one by 1.
    """
    label_of_patient = np.repeat(np.arange(len(means)), per_class)
    pictures = rng.integers(*PICTURES, size=len(label_of_patient), endpoint=True)
    who = np.repeat(np.arange(len(label_of_patient)), pictures)
    own = patient * rng.normal(size=(len(label_of_patient), means.shape[1]))
    features = (means[label_of_patient] + own)[who] + rng.normal(size=(len(who), means.shape[1]))
    return features, label_of_patient[who], who


def name_nearest(
    features: np.ndarray, learned: tuple[np.ndarray, np.ndarray], classes: int
) -> np.ndarray:
    """Learn the mean of each class from features and codes, and name the nearest one."""
    means = np.stack([learned[0][learned[1] == code].mean(axis=0) for code in range(classes)])
    return np.argmin(np.sum((features[:, None] - means) ** 2, axis=-1), axis=1)


def of_folds(
    rng: np.random.Generator, tables: int, per_class: int, folds: int = 5
) -> Iterator[tuple[str, Seen]]:
    """Measure the interval of the accuracy out of fold in every setting of `LEARNING`."""
    size, folds = len(CLASSES), min(folds, per_class)
    for apart, patient in LEARNING:
        means = rng.normal(size=(size, FEATURES)) * apart / np.sqrt(FEATURES)
        others, other_codes, _ = draw_features(rng, means, 100, patient)
        ends, truths = [], []
        for _ in range(tables):
            features, codes, who = draw_features(rng, means, per_class, patient)
            # Patients of a class follow each other, so each fold has its share of every class.
            home = who % per_class % folds
            named, good = np.empty_like(codes), np.empty(folds)
            for fold in range(folds):
                test = home == fold
                learned = features[~test], codes[~test]
                named[test] = name_nearest(features[test], learned, size)
                good[fold] = np.mean(name_nearest(others, learned, size) == other_codes)
            hits = np.bincount(who, weights=named == codes)[None]
            ends.append(share_interval(hits, np.bincount(who)[None], FOLD_VARIANCE)[0])
            truths.append(good @ np.bincount(home) / len(home))
        ends, truths = np.array(ends), np.array(truths)
        yield f"accuracy out of {folds} folds, of these models", seen(ends, truths)
        yield f"accuracy out of {folds} folds, of such models", seen(ends, truths.mean())


def false_tellings(
    rng: np.random.Generator, tables: int, per_class: int, level: str = "pictures"
) -> dict[str, list[float]]:
    """Compare pairs of equally good models on the same patients: share told apart, by metric.

    Both models find a patient equally hard in half of the settings, and each its own in the rest.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for accuracy in ACCURACIES:
        for clustering in CLUSTERING:
            for alike in (False, True):
                pictures = draw_pictures(rng, tables, per_class)
                pair = _pair(rng, pictures, accuracy, clustering, alike)
                if level == "patients":
                    pair = [judge_patients(rng, counts) for counts in pair]
                for metric in METRICS:
                    ends = difference_interval(metric, pair[0], pair[1])
                    apart = (ends[:, 0] > 0) | (ends[:, 1] < 0)
                    found[metric].append(float(apart.mean()))
    return found


def _pair(
    rng: np.random.Generator,
    pictures: np.ndarray,
    accuracy: float,
    clustering: float,
    alike: bool,
) -> list[np.ndarray]:
    """Draw two equally good models; where ``alike`` they share each patient's difficulty."""
    pair = [draw_answers(rng, pictures, accuracy, clustering) for _ in range(2)]
    if not alike:
        return pair
    # What the first one answered serves both as the chances of their answers.
    cells = pair[0].shape[-1] ** 2
    shares = (pair[0] / pictures[..., None, None]).reshape(-1, cells)
    draws = [rng.multinomial(pictures.ravel(), shares) for _ in range(2)]
    return [drawn.reshape(pair[0].shape).astype(np.float64) for drawn in draws]


def coverage(
    measure: Callable[[np.random.Generator, int, int], Iterator[tuple[str, Seen]]],
    tables: int,
    sizes: Sequence[int] = SIZES,
    seed: int = 0,
) -> dict[int, Found]:
    """Measure at each number of patients per class: interval name to one `Seen` a setting."""
    rng, found = np.random.default_rng(seed), {}
    for per_class in sizes:
        found[per_class] = defaultdict(list)
        for name, one in measure(rng, tables, per_class):
            found[per_class][name].append(one)
    return found


def as_table(found: dict[int, Found]) -> str:
    """Write a Markdown table: mean coverage / worst setting / mean width, a column a size."""
    lines = [
        "| interval | " + " | ".join(f"{size} per class" for size in found) + " |",
        "|---" * (len(found) + 1) + "|",
    ]
    for name in next(iter(found.values())):
        cells = []
        for of_size in found.values():
            held, width, _ = zip(*of_size[name], strict=True)
            cells.append(
                f"{np.nanmean(held):.3f} / {np.nanmin(held):.2f} / {np.nanmean(width):.2f}"
            )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Simulate, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.coverage", description=__doc__)
    parser.add_argument("--tables", type=int, default=1000, help="simulated tests per setting")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    options = parser.parse_args()
    print(as_table(coverage(of_answers, options.tables, options.sizes)), flush=True)
    truths = true_figures(np.random.default_rng(1))

    def scores(rng: np.random.Generator, tables: int, per_class: int) -> Iterator:
        return of_scores(rng, tables, per_class, truths)

    print(as_table(coverage(scores, options.tables // 5, options.sizes)), flush=True)
    print("\n| equally good, told apart | patients per class | mean | worst setting |")
    print("|---|---|---|---|")
    rng = np.random.default_rng(2)
    for per_class in options.sizes:
        for level in LEVELS:
            for metric, shares in false_tellings(rng, options.tables, per_class, level).items():
                cells = f"{np.mean(shares):.3f} | {np.max(shares):.3f}"
                print(f"| {metric}, {level} | {per_class} | {cells} |", flush=True)
    print()
    for per_class in options.sizes:
        if per_class > 2:
            print(as_table(coverage(of_folds, options.tables // 5, [per_class])), flush=True)


if __name__ == "__main__":
    main()
