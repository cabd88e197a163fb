"""The report says everything in plain JSON, and its cells lead back to the pictures."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from lymph.errors import EvaluationError
from lymph.evaluation import clopper_pearson, report

Maker = Callable[..., pd.DataFrame]
CLASSES = ["CLL", "FL", "MCL"]
KEYS = {
    *("n", "accuracy", "balanced_accuracy", "macro_f1", "kappa", "interval", "intervals"),
    *("baseline", "confusion", "per_class", "interval_method", "intervals_method"),
    "stated",
}


def test_the_report_is_plain_json(random_table: Maker) -> None:
    found = report(random_table(pictures=374, patients=29))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(found) == {"classes", "set", "pictures", "patients", "warnings"}
    assert (found["classes"], found["set"], found["warnings"]) == (CLASSES, "test", [])
    for section, n in (("pictures", 374), ("patients", 29)):
        assert set(found[section]) == KEYS
        assert found[section]["n"] == n == np.sum(found[section]["confusion"])
        assert found[section]["interval"] == found[section]["intervals"]["accuracy"]
        of_class = found[section]["per_class"]["FL"]
        assert set(of_class) == {
            *("precision", "recall", "f1", "support", "intervals", "interval_method")
        }
        for name, (low, high) in of_class["intervals"].items():
            assert 0 <= low <= of_class[name] <= high <= 1


def test_the_report_is_the_same_to_the_last_digit(random_table: Maker) -> None:
    table = random_table()
    assert report(table) == report(table.sample(frac=1, random_state=2).reset_index(drop=True))


def test_a_perfect_predictor(from_rows: Maker) -> None:
    rows = [(f"{name}{who}", name, name) for name in CLASSES for who in range(10)] * 4
    found = report(from_rows(rows))
    for section in ("pictures", "patients"):
        for metric in ("accuracy", "balanced_accuracy", "macro_f1", "kappa"):
            assert found[section][metric] == 1
    assert found["patients"]["interval"] == list(clopper_pearson(30, 30))
    assert found["patients"]["interval"][0] < 0.9
    low, high = found["pictures"]["interval"]
    assert low < 0.95 and high == 1


def test_a_single_patient(from_rows: Maker) -> None:
    found = report(from_rows([("05-6124", "FL", "FL")] * 3))
    assert found["patients"]["interval"] == [pytest.approx(0.025), 1.0]
    assert found["pictures"]["kappa"] is None
    assert found["pictures"]["intervals"]["kappa"] is None
    text = " ".join(found["warnings"])
    for words in (
        "Only 1 patient in",
        "single class, FL",
        "no picture of CLL, MCL",
        "A single pat",
    ):
        assert words in text
    json.dumps(found, allow_nan=False)


def test_patients_and_pictures_may_disagree(from_rows: Maker) -> None:
    rows = [("a", "FL", "CLL")] * 30 + [(f"b{who}", "FL", "FL") for who in range(9)]
    found = report(from_rows([*rows, ("c", "CLL", "CLL")]))
    assert found["pictures"]["accuracy"] == 10 / 40
    assert found["patients"]["accuracy"] == 10 / 11
    assert found["patients"]["baseline"] == 10 / 11


def test_few_patients_and_a_single_class_are_warned_of(from_rows: Maker) -> None:
    rows = [(f"{name}{who}", name, "MCL") for name in CLASSES for who in range(3)]
    text = " ".join(report(from_rows(rows))["warnings"])
    assert "Only" not in text and "single class, MCL" in text
    assert "Only 8 patients" in " ".join(report(from_rows(rows[1:]))["warnings"])


def test_leaking_patients_are_warned_of(from_rows: Maker) -> None:
    test = from_rows([("a", "CLL", "CLL"), ("b", "FL", "FL"), ("b", "FL", "FL"), ("c", "FL", "FL")])
    train = from_rows([("b", "FL", "FL"), ("d", "CLL", "CLL")], set_name="train")
    found = report(pd.concat([train, test], ignore_index=True))
    assert found["leaked_test_share"] == 0.5
    assert found["warnings"][0].startswith("50 % of these pictures")
    clean = report(pd.concat([train[1:], test[1:]], ignore_index=True))
    assert clean["leaked_test_share"] == 0
    assert "trained" not in " ".join(clean["warnings"])


def test_folds_that_cut_through_patients_are_warned_of(from_rows: Maker) -> None:
    table = from_rows([("a", "CLL", "CLL"), ("a", "CLL", "FL"), ("b", "FL", "FL")])
    assert report(table.assign(fold=["0", "1", "1"]), "test")["leaked_test_share"] == 2 / 3
    whole = table.assign(fold=["0", "0", "1"], set="out-of-fold")
    assert report(whole, "out-of-fold")["leaked_test_share"] == 0


def test_a_missing_set_is_a_plain_error(random_table: Maker) -> None:
    with pytest.raises(EvaluationError, match="choose one of: test"):
        report(random_table(), "val")


@pytest.mark.parametrize(("set_name", "words"), [("train", "remembers"), ("val", "epoch")])
def test_sets_the_model_has_seen_are_warned_of(
    random_table: Maker, set_name: str, words: str
) -> None:
    table = random_table(pictures=300, patients=30).assign(set=set_name)
    assert words in report(table, set_name)["warnings"][0]


def test_each_interval_names_its_method(random_table: Maker) -> None:
    """Out of fold the method also says what it leaves out."""
    table = random_table(pictures=300, patients=30)
    held_out = table.assign(set="out-of-fold", fold=table["patient"].str[-1])
    for found in (report(table), report(held_out, "out-of-fold")):
        said = [found[level]["interval_method"] for level in ("pictures", "patients")]
        for level in ("pictures", "patients"):
            said += found[level]["intervals_method"].values()
            said += [values["interval_method"] for values in found[level]["per_class"].values()]
        assert all("interval" in sentence for sentence in said)
        overlap = found["set"] == "out-of-fold"
        assert all(("share training patients" in sentence) == overlap for sentence in said)
    assert "Clopper" in report(table)["patients"]["interval_method"]
