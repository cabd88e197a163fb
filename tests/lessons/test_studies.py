"""The quick lessons: five seeds on a small set, and words that follow all figures."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lymph.errors import SplitError
from lymph.evaluation import expected_calibration_error, make_predictions
from lymph.leak.meter import count_folds
from lymph.lessons.catalogue import FROM_THE_NOTEBOOK, LESSONS, lesson_of
from lymph.lessons.confidence.experiment import calibration_error
from lymph.lessons.data import LessonData
from lymph.lessons.findings import find
from lymph.lessons.lesson import Finding
from lymph.lessons.practice import score
from lymph.lessons.quick import colour_numbers, out_of_fold
from lymph.splits import make_folds

from .conftest import FAST

Figures = dict[str, Any]
SEEDS = range(5)
FROM_STUDIES = LESSONS[len(FROM_THE_NOTEBOOK) :]


@pytest.fixture(scope="module")
def seeds(fingerprints: LessonData) -> dict[str, list[Figures]]:
    """Return the figures of each quick lesson over five seeds, as they are read from a file."""
    return {
        lesson.slug: [
            json.loads(json.dumps(lesson.module().run(fingerprints, seed=s, **FAST[lesson.slug])))
            for s in SEEDS
        ]
        for lesson in FROM_STUDIES
    }


def of(slug: str, figures: Figures) -> tuple[Finding, str]:
    """Return the finding of figures and all its words, with plain blanks."""
    found = find(slug, figures)
    told = [found.sentence, *(f"{n.label}: {n.value}; {n.note}" for n in found.numbers)]
    return found, " ".join(told)


def test_a_control_is_failed_by_the_random_split_in_every_seed(seeds: dict) -> None:
    for figures in seeds["control"]:
        found, told = of("control", figures)
        assert found.happened == 1 and "In every draw the random split" in told
        assert figures["picture"]["mean"] > figures["patient"]["mean"] + 0.05
        assert f"{100 * figures['picture']['mean']:.0f} %" in told


def test_a_list_of_names_leaks_every_picture_in_every_seed(seeds: dict) -> None:
    for figures in seeds["patient-names"]:
        found, told = of("patient-names", figures)
        assert found.happened == 2
        assert (figures["listed"], figures["patients"]) == (90, 15)
        assert figures["names"]["leaked"] == 1.0 and figures["patient"]["leaked"] == 0.0
        assert "for 90 of 90 test pictures with the list, over 5 folds, and for 0 with" in told
        gap = round(100 * figures["names"]["test"]["accuracy"])
        gap -= round(100 * figures["patient"]["test"]["accuracy"])
        assert gap > 5 and f"worth {gap} points" in told


def test_intervals_of_pictures_miss_and_those_of_patients_hold_in_every_seed(seeds: dict) -> None:
    for figures in seeds["coverage"]:
        found, told = of("coverage", figures)
        missed = figures["picture"]["missed"]
        assert missed > 0.1 and found.happened == (2 if missed > 0.2 else 1)
        assert figures["patient"]["missed"] < missed / 3
        assert figures["patient"]["width"] > 1.5 * figures["picture"]["width"]
        assert f"misses in {100 * missed:.0f} of 100 tests" in told
        kept = round(100 * figures["patient"]["missed"]) <= 5
        assert ("of 100, as it promises" in told) == kept


def test_the_best_of_fifteen_is_lucky_in_every_seed(seeds: dict) -> None:
    for figures in seeds["selection"]:
        found, told = of("selection", figures)
        drop = figures["best"] - figures["again"]
        assert found.happened == (0 if drop <= 0.03 else 1 if drop <= 0.1 else 2)
        assert figures["best"] > figures["all"] + 0.05
        assert ("loses" in told) == (drop > 0.03)
        assert f"In {figures['lower']} of 5 splits" in told


def test_a_perfect_model_is_convicted_on_few_patients_in_every_seed(seeds: dict) -> None:
    for figures in seeds["confidence"]:
        found, told = of("confidence", figures)
        gap = figures["confidence"] - figures["test"]["accuracy"]
        assert found.happened == (0 if abs(gap) <= 0.05 else 1 if gap > 0 else 2)
        few, more = figures["curve"]
        assert few["mean"] > 0.08 and few["mean"] > 1.5 * more["mean"] and few["convicted"] > 0.6
        assert f"in {100 * few['convicted']:.0f} of 100 tests" in told
        assert ("really not calibrated" in told) == (figures["own"] > figures["perfect"]["high"])


def test_the_interval_of_answers_out_of_fold_allows_for_the_folds(
    fingerprints: LessonData, seeds: dict
) -> None:
    """The fault: the classes of the patients were handed on in place of the folds."""
    folds = make_folds(fingerprints.table, count_folds(fingerprints.table), "patient", 0)
    values = out_of_fold(fingerprints, colour_numbers(fingerprints), folds)
    rows, homes = np.arange(len(values)), folds.assign(fingerprints.table).to_numpy(str)
    told = seeds["confidence"][0]["test"]["interval"]
    assert told == score(fingerprints, rows, values, homes)["interval"]
    assert told != score(fingerprints, rows, values)["interval"]


def test_the_quick_calibration_error_is_that_of_the_evaluation() -> None:
    rng = np.random.default_rng(0)
    values = rng.dirichlet([1, 1, 1], size=60)
    labels = rng.integers(3, size=60)
    table = pd.DataFrame({"picture": [str(i) for i in range(60)], "patient": "a", "slide": "a"})
    table = table.assign(label=np.array(["A", "B", "C"])[labels], set="test")
    p = make_predictions(table, values, ["A", "B", "C"])
    quick = calibration_error(values.max(axis=1), values.argmax(axis=1) == labels)
    assert quick == pytest.approx(expected_calibration_error(p))


def part(mean: float, *accuracies: float) -> Figures:
    return {"mean": mean, "accuracies": list(accuracies)}


@pytest.mark.parametrize(
    ("slug", "change", "happened", "words"),
    [
        ("control", {"leaking": 1, "seeds": 2}, 0, "in only 1 of 2 draws"),
        ("control", {"leaking": 0, "seeds": 2}, 0, "does not recognise these patients"),
        (
            "control",
            {"leaking": 2, "seeds": 3, "lead": None},
            1,
            "In 2 of 3 draws the random split finds classes that do not exist",
        ),
        (
            "control",
            {"leaking": 2, "patient": part(0.8, 0.8, 0.8), "lead": [0.2, 0.6]},
            2,
            "beat the largest class here as well",
        ),
        ("coverage", {"picture": {"missed": 0.05, "width": 0.3}}, 0, "in only 5 of 100"),
        ("coverage", {"picture": {"missed": 0.15, "width": 0.3}}, 1, "about 3 times"),
        ("coverage", {"patient": {"missed": 0.12, "width": 0.3}}, 2, "too often as well"),
        ("coverage", {"patient": {"missed": 0.06, "width": 0.3}}, 2, "6 of 100, a little more"),
        ("coverage", {"patient": {"missed": 0.05, "width": 0.3}}, 2, "5 of 100, as it promises"),
        ("coverage", {"patient": {"missed": 0.08, "width": 0.3}}, 2, "8 of 100, a little more"),
        ("selection", {"best": 0.6, "again": 0.6, "all": 0.5}, 0, "cost nothing"),
        ("selection", {"best": 0.6, "again": 0.58, "all": 0.5}, 0, "cost only 2 points here"),
        ("selection", {"best": 0.6, "again": 0.5, "all": 0.49}, 1, "only 1 point better than"),
        ("selection", {"best": 0.6, "again": 0.53, "all": 0.45}, 1, "still 8 points better"),
        ("selection", {"best": 0.6, "again": 0.4, "all": 0.4}, 2, "only luck was chosen"),
        ("confidence", {"confidence": 0.5, "accuracy": 0.52}, 0, "of 100 tests"),
        ("confidence", {"confidence": 0.5, "accuracy": 0.62}, 2, "of 100 tests"),
        ("confidence", {"own": 0.9}, None, "really not calibrated"),
        ("confidence", {"own": 0.0}, None, "chance explains its error"),
        ("confidence", {"sure": {"pictures": 0, "right": None}}, None, "of no picture at least"),
        ("confidence", {"sure": {"pictures": 4, "right": 0.5}}, None, "4 pictures, right on 50 %"),
        ("patient-names", {"leaked": 0.0}, 0, "test pictures with the list"),
        ("patient-names", {"leaked": 0.4}, 1, "test pictures with the list"),
        ("confidence", {"limit": 0.01}, None, "a limit of 1 point would"),
        ("patient-names", {"accuracy": 0.0}, 2, "gains nothing from it here"),
    ],
)
def test_the_words_follow_the_figures(
    slug: str, change: Figures, happened: int | None, words: str, seeds: dict
) -> None:
    figures = seeds[slug][0] | change
    if slug == "confidence" and "accuracy" in change:
        figures["test"] = figures["test"] | {"accuracy": change["accuracy"]}
    if slug == "patient-names":
        names = figures["names"] | {n: v for n, v in change.items() if n == "leaked"}
        test = names["test"] | {n: v for n, v in change.items() if n == "accuracy"}
        figures["names"] = names | {"test": test}
    found, told = of(slug, figures)
    assert words in told
    assert happened is None or found.happened == happened


@pytest.mark.parametrize("slug", [lesson.slug for lesson in FROM_STUDIES])
def test_unknown_patients_and_a_single_patient_are_told_in_a_sentence(
    slug: str, fingerprints: LessonData
) -> None:
    run = lesson_of(slug).module().run
    table = fingerprints.table
    unknown = replace(fingerprints, table=table.assign(patient=table["picture"]))
    with pytest.raises(SplitError, match="every picture counts as a patient of its own"):
        run(unknown)
    rows = table.index[(table["label"] != "MCL") | (table["patient"] == table["patient"].iloc[-1])]
    few = replace(
        fingerprints,
        table=table.loc[rows].reset_index(drop=True),
        labels=fingerprints.labels[rows],
    )
    with pytest.raises(SplitError, match="MCL has too few patients for this lesson"):
        run(few)


@pytest.mark.parametrize("slug", ["control", "patient-names", "coverage", "confidence"])
def test_two_patients_of_a_class_are_enough(slug: str, fingerprints: LessonData) -> None:
    table = fingerprints.table
    kept = table.drop_duplicates("patient").groupby("label").head(2)["patient"]
    rows = table.index[table["patient"].isin(kept)]
    few = replace(
        fingerprints,
        table=table.loc[rows].reset_index(drop=True),
        labels=fingerprints.labels[rows],
    )
    figures = lesson_of(slug).module().run(few, **FAST[slug])
    assert of(slug, json.loads(json.dumps(figures)))[0].sentence
