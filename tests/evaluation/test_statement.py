"""May a figure be stated? Each rule at its edge, the words, and how many patients it would take."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from bench import coverage
from lymph.evaluation import Statement, Verdict, may_be_stated, report
from lymph.evaluation.intervals import clopper_pearson, share_interval
from lymph.evaluation.statement import Answers, Origin, lesson_of, patients_needed

Maker = Callable[..., pd.DataFrame]
CLASSES = ["CLL", "FL", "MCL"]


def answers(
    hits: list[int] | np.ndarray, each: int = 12, interval: tuple[float, float] | None = None
) -> Answers:
    right = np.array(hits, dtype=float)
    trials = np.full(len(right), float(each))
    return Answers(right, trials, interval or tuple(share_interval(right, trials)))


def of_patients(right: int, patients: int) -> Answers:
    hits = (np.arange(patients) < right).astype(float)
    return Answers(hits, np.ones(patients), clopper_pearson(right, patients), one_each=True)


def judged(hits: list[int] | np.ndarray, origin: Origin | None = None, **more: object) -> Statement:
    return may_be_stated(answers(hits, **more), origin or Origin())


# Patients that hardly differ, so that only the rule in question decides.
EVEN = [9, 8] * 10


def test_many_even_patients_can_be_stated() -> None:
    found = judged(EVEN)
    assert (found.verdict, found.reasons, found.needed_words) == (Verdict.CAN, (), "")
    assert found.words.startswith("Can be stated. 20 patients: this test cannot tell ")


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.55, 0.85), Verdict.CANNOT),
        ((0.56, 0.855), Verdict.CAN),
        ((0.68, 0.73), Verdict.CAN),
    ],
)
def test_an_interval_of_30_points_is_too_wide(
    interval: tuple[float, float], verdict: Verdict
) -> None:
    assert judged(EVEN, interval=interval).verdict is verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.02, 0.125, Verdict.CAN), (0.0, 0.14, Verdict.CANNOT), (0.05, 0.1, Verdict.CAN)],
)
def test_an_interval_wider_than_130_percent_of_the_figure_is_too_wide(
    low: float, high: float, verdict: Verdict
) -> None:
    """One of 12 right, 8.3 %: up to 10.8 points may be stated, and any 5 points or fewer."""
    assert judged([1] * 40, interval=(low, high)).verdict is verdict


def test_mistakes_too_rare_for_their_interval_ask_for_care() -> None:
    found = judged([11] * 40, interval=(0.86, 0.98))
    assert found.verdict is Verdict.CARE
    assert "the share of mistakes, 8 %," in found.words
    assert judged([11] * 40, interval=(0.875, 0.98)).verdict is Verdict.CAN


def test_thirty_are_needed() -> None:
    narrow = (0.5, 0.6)
    assert judged([1, 2] * 10, each=3, interval=narrow).verdict is Verdict.CAN
    few = judged([1, 2] * 5, each=2, interval=narrow)
    assert few.verdict is Verdict.CANNOT and few.reasons[0].startswith("20 pictures tested")
    assert may_be_stated(of_patients(15, 29), Origin(), "patients").reasons[0] == (
        "29 patients tested, and 30 are needed"
    )


def test_pictures_of_a_patient_that_are_alike_count_little() -> None:
    """Of 20 patients every picture is right or every one wrong: worth 20, not 240."""
    found = judged([12, 0] * 10, interval=(0.45, 0.55))
    assert found.verdict is Verdict.CANNOT and found.effective == pytest.approx(19)
    assert found.reasons == (
        "240 pictures of 20 patients tell no more than 19 independent pictures, and 30 are needed",
    )


def test_fewer_than_nine_patients_are_stated_with_care() -> None:
    eight, nine = judged([9, 8] * 4), judged([9, 8] * 4 + [8])
    assert eight.verdict is Verdict.CARE and "fewer than 9 patients" in eight.words
    assert eight.needed == 9
    assert nine.verdict is Verdict.CAN


@pytest.mark.parametrize("share", [0, 1])
def test_nothing_or_everything_right_asks_for_care(share: int) -> None:
    found = judged([12 * share] * 60)
    assert found.verdict is Verdict.CARE and "which the next one may end" in found.words
    assert found.effective == 60


def test_what_was_not_new_cannot_be_stated_and_says_why() -> None:
    for origin, words in (
        (Origin(leaked=1.0), "100 % of the pictures are of patients on whom the model has trained"),
        (Origin(leaked=0.001), "under 1 % of the pictures"),
        (Origin(unknown=True), "the patients are unknown"),
        (Origin("train", leaked=None), "learned from these very pictures"),
    ):
        found = judged(EVEN, origin)
        assert found.verdict is Verdict.CANNOT and words in found.words
        # More patients would not help, and what the test tells apart is no matter.
        assert (found.lesson, found.needed, found.needed_range) == ("", None, None)
    assert judged(EVEN, Origin(unknown=True)).patients is None
    assert judged(EVEN, Origin(leaked=0.0)).verdict is Verdict.CAN


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (
            Origin("val"),
            "these are validation pictures, by which the run may have chosen its epoch",
        ),
        (Origin("out-of-fold"), "the models of all folds"),
        (Origin(leaked=None), "a leak would not be seen"),
        (Origin(drawn=True), "says nothing of real slides"),
        (Origin(single=["FL"]), "a single patient stands for FL"),
        (Origin(absent=["CLL", "MCL"]), "no picture of CLL, MCL was tested"),
    ],
)
def test_what_asks_for_care_says_why(origin: Origin, words: str) -> None:
    found = judged(EVEN, origin)
    assert found.verdict is Verdict.CARE and words in found.words
    assert found.words.startswith("Stated with care: ") and found.needed is None


def test_two_patients_a_class_and_a_single_one() -> None:
    six = judged([2, 8, 5, 9, 3, 10])
    assert six.verdict is Verdict.CANNOT
    assert six.lesson == "6 patients: this test cannot tell 25 % from 77 %."
    assert six.needed_range is not None and six.needed_range[0] <= six.needed <= six.needed_range[1]
    one = judged([7])
    assert one.needed is None and one.needed_range == (9, 41)
    assert "one cannot show how much they differ" in one.needed_words


def test_the_ends_are_told_apart_in_words() -> None:
    assert lesson_of(900, (0.701, 0.704)) == (
        "900 patients: this test cannot tell 70.1 % from 70.4 %."
    )
    assert lesson_of(1, (0.01, 0.99)).startswith("1 patient: ")


def test_patients_that_count_once_need_no_range() -> None:
    found = may_be_stated(of_patients(4, 6), Origin(), "patients")
    low, high = clopper_pearson(round(found.needed * 4 / 6), found.needed)
    assert found.needed_range == (found.needed, found.needed)
    assert 0.27 < high - low < 0.31
    assert " (" not in found.needed_words


@pytest.mark.parametrize(("accuracy", "clustering"), [(0.55, 0.5), (0.7, 0.2)])
def test_as_many_patients_as_are_said_to_be_needed_are_needed(
    accuracy: float, clustering: float
) -> None:
    """With that many the middle interval of 500 tests is 30 points wide; two thirds give more.

    And of tests of two patients a class, 85 in 100 or more give a range that holds the number.
    """
    rng = np.random.default_rng(7)

    def hits(tests: int, patients: int) -> np.ndarray:
        counts = coverage.draw_answers(
            rng, np.full((tests, 3 * patients), 12), accuracy, clustering
        )
        return np.trace(counts, axis1=-2, axis2=-1)

    (large,) = hits(1, 500)
    needed, _ = patients_needed(answers(large))

    def width(patients: int) -> float:
        right = hits(500, -(-patients // 3))[:, :patients]
        ends = share_interval(right, np.full(right.shape, 12.0))
        return float(np.median(ends[:, 1] - ends[:, 0]))

    assert width(needed) == pytest.approx(0.3, abs=0.025)
    assert width(round(needed / 1.5)) > 0.33
    ranges = [patients_needed(answers(right))[1] for right in hits(200, 2)]
    assert np.mean([low <= needed <= high for low, high in ranges]) >= 0.85


def test_a_report_says_of_each_level_whether_it_may_be_stated(from_rows: Maker) -> None:
    rows = [
        (f"{name}{who}", name, name if place < 9 else "FL" if name != "FL" else "CLL")
        for name in CLASSES
        for who in range(34)
        for place in range(12)
    ]
    trained = from_rows([("other", "CLL", "CLL")], set_name="train")
    table = pd.concat([from_rows(rows), trained], ignore_index=True)
    found = report(table)
    assert found["pictures"]["stated"]["verdict"] == "can be stated"
    assert found["pictures"]["stated"]["patients"] == 102
    # Every patient is right, which nobody can promise of the next one.
    assert found["patients"]["stated"]["verdict"] == "stated with care"
    assert report(table, drawn=True)["pictures"]["stated"]["verdict"] == "stated with care"
    leaky = trained.assign(patient="CLL0")
    found = report(pd.concat([from_rows(rows), leaky], ignore_index=True))
    for level in ("pictures", "patients"):
        assert found[level]["stated"]["verdict"] == "cannot be stated"
        assert "under 1 % of" in found[level]["stated"]["words"]


def test_a_report_of_unknown_patients_and_of_folds(from_rows: Maker) -> None:
    rows = [(f"{name}{who}", name, name) for name in CLASSES for who in range(20)] * 3
    table = from_rows(rows)
    unknown = report(table.assign(patient=table["picture"]))
    assert "patients are unknown" in unknown["pictures"]["stated"]["words"]
    fold = table["patient"].str[-1].map(lambda digit: str(int(digit) % 3))
    folds = report(table.assign(set="out-of-fold", fold=fold), "out-of-fold")
    assert "of the models of all folds" in folds["pictures"]["stated"]["words"]


def test_a_statement_goes_into_json_with_its_words() -> None:
    found = judged([2, 8, 5, 9, 3, 10])
    document = found.to_json()
    assert document["words"] == found.words and document["needed_range"] == [9, 42]
