"""The model card: every item of three guidelines, what the run knows, and blanks for the rest."""

import re
from pathlib import Path

import pytest

from lymph import reports
from lymph.evaluation import report
from lymph.evaluation.calibration import CURVE_PATIENTS
from lymph.facts import MARKER
from lymph.predictions import write_predictions
from lymph.reports.card import BLANK, Row, card_html
from lymph.runs import Run

LETTERS = {
    **{3: "abc", 5: "ab", 6: "abc", 8: "abc", 9: "abc", 12: "abcdefg", 18: "abcdef"},
    **{20: "abc", 23: "ab", 27: "abc"},
}
TRIPOD = {f"{item}{letter}" for item in range(1, 28) for letter in LETTERS.get(item, [""])}
CLAIM = {str(item) for item in range(1, 45)}
LEAKAGE = {"L1.1", "L1.2", "L1.3", "L1.4", "L2", "L3.1", "L3.2", "L3.3"}


def items(card: list[Row], guideline: str) -> set[str]:
    named = ", ".join(getattr(row, guideline) for row in card if getattr(row, guideline))
    return set(named.split(", "))


def answer(card: list[Row], title: str) -> str:
    return next(row.answer for row in card if row.title == title)


@pytest.fixture
def card(honest: Run) -> list[Row]:
    """Return the card of a run whose test patients are unknown to the model."""
    return reports.model_card(honest, report(honest.predictions()))


def test_every_item_of_the_guidelines_has_its_row(card: list[Row]) -> None:
    assert len(TRIPOD) == 52
    assert items(card, "tripod") == TRIPOD
    assert items(card, "claim") == CLAIM
    assert items(card, "leakage") == LEAKAGE
    assert all(row.items for row in card)
    assert len({row.title for row in card}) == len(card)


def test_the_card_says_what_the_run_knows(card: list[Row], honest: Run) -> None:
    figures = report(honest.predictions())
    assert answer(card, "Source") == "tiny: 36 pictures of 12 patients."
    assert answer(card, "Level at which they are apart").startswith("Patients: none")
    assert "Test: 9 pictures of 3 patients (CLL 3, FL 3, MCL 3)." in answer(
        card, "Pictures, patients, classes"
    )
    share = 100 * figures["pictures"]["accuracy"]
    assert answer(card, "Performance").startswith(f"{share:.0f} % of 9 pictures (")
    assert answer(card, "Limitations").startswith("Cannot be stated: ")
    assert "At most 2 epochs" in answer(card, "Training")
    assert "seed 0" in answer(card, "How pictures were assigned")
    assert answer(card, "Class imbalance") == "No class weights."


def test_the_card_names_a_reliability_curve_only_where_the_report_has_one(
    card: list[Row], honest: Run
) -> None:
    """Regression: the card listed reliability curves beside “No reliability curve”."""
    assert "eliability" not in answer(card, "Measures and plots")
    figures = report(honest.predictions())
    for values in figures["patients"]["per_class"].values():
        values["support"] = CURVE_PATIENTS
    many = reports.model_card(honest, figures)
    assert answer(many, "Measures and plots").endswith("A reliability curve.")


def test_what_nobody_told_stays_a_named_blank(card: list[Row]) -> None:
    for title in ("Ethical approval", "How the diagnosis was made, and why so", "Funding", "Dates"):
        assert answer(card, title) == ""
    blanks = sum(not row.answer for row in card)
    assert 20 < blanks < len(card) / 2
    assert card_html(card).count(BLANK) == blanks


def test_a_leak_drawings_and_unknown_patients_are_in_the_card(leaky: Run, honest: Run) -> None:
    card = reports.model_card(leaky, report(leaky.predictions()))
    assert "It leaks." in answer(card, "Level at which they are apart")
    assert "no accuracy on new patients" in answer(card, "Limitations")
    (Path(honest.config.data) / MARKER).write_text("drawn by a computer")
    try:
        figures = report(honest.predictions())
        drawn = answer(reports.model_card(honest, figures), "Source")
    finally:
        (Path(honest.config.data) / MARKER).unlink()
    assert "36 computer-drawn pictures of 12 patients. None is from a patient" in drawn


def test_a_cross_validation_of_unknown_patients_has_a_card(honest: Run, tmp_path: Path) -> None:
    copy = Run(tmp_path / "run")
    copy.path.mkdir()
    for file in ("config.json", "split.json", "status.json"):
        (copy.path / file).write_bytes((honest.path / file).read_bytes())
    table = honest.predictions()
    table = table.assign(patient=table["picture"], set="out-of-fold", fold="1")
    write_predictions(table, copy.path / "predictions.csv")
    card = reports.model_card(copy, report(table, "out-of-fold"))
    assert "unknown patients" in answer(card, "Source")
    assert "Unknown" in answer(card, "Level at which they are apart")
    # A run of an earlier version may not say what it ran on.
    assert answer(card, "Software") == ""


def test_the_card_as_markdown_holds_every_row(card: list[Row], honest: Run) -> None:
    written = reports.card_markdown(honest, report(honest.predictions()))
    rows = [line for line in written.splitlines() if re.match(r"\| (?!What \|)", line)]
    assert len(rows) == len(card)
    assert all(line.count(" | ") == 2 for line in rows)


def test_names_that_people_chose_break_neither_html_nor_markdown() -> None:
    row = Row("Data", "Source", "5a", "", "", "a|b <img src=x> `c")
    drawn = card_html([row])
    assert "<img" not in drawn and "`c" in drawn and "<code>" not in drawn
    told = card_html([row._replace(answer="see `python -m lymph code`")])
    assert "<code>python -m lymph code</code>" in told
