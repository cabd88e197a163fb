"""The matrix says what the counts say, in words, colours and buttons."""

import html
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lymph import charts
from lymph.charts.style import EOSIN, HAEMATOXYLIN

CLASSES = ["CLL", "FL", "MCL"]
MATRIX = np.array([[3, 1, 0], [0, 0, 0], [2, 2, 4]])


class Table(HTMLParser):
    """Collect cells with their attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[dict[str, str]] = []
        self.buttons: list[dict[str, str]] = []
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "td" and dict(attrs).get("class", "").startswith("cell"):  # type: ignore[union-attr]
            self.cells.append(dict(attrs))  # type: ignore[arg-type]
        if tag == "button":
            self.buttons.append(dict(attrs))  # type: ignore[arg-type]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours after WCAG 2."""

    def light(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    low, high = sorted([light(one), light(other)])
    return (high + 0.05) / (low + 0.05)


def test_cells_hold_counts_and_shares_of_the_true_class() -> None:
    cells = charts.confusion_cells(MATRIX, CLASSES).set_index(["true", "predicted"])
    assert cells.loc[("CLL", "FL"), "count"] == 1
    assert cells.loc[("CLL", "FL"), "share"] == 0.25
    assert cells.loc[("MCL", "CLL"), "text"] == "2"
    assert cells.loc[("MCL", "CLL"), "below"] == "25 %"
    assert (cells.loc["FL", "share"] == 0).all()


def test_shares_are_of_the_true_or_of_the_predicted_class() -> None:
    of_true = charts.confusion_cells(MATRIX, CLASSES, "of_true")
    assert list(of_true["text"])[:3] == ["75 %", "25 %", "0 %"]
    of_predicted = charts.confusion_cells(MATRIX, CLASSES, "of_predicted")
    assert list(of_predicted["text"])[::3] == ["60 %", "0 %", "40 %"]
    assert list(of_predicted["below"])[::3] == ["3", "0", "2"]


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 7), st.integers(0, 10_000))
def test_shares_sum_to_one_where_there_is_anything(size: int, seed: int) -> None:
    matrix = np.random.default_rng(seed).integers(0, 4, size=(size, size))
    names = [str(place) for place in range(size)]
    for mode, column in (("of_true", "true"), ("of_predicted", "predicted")):
        cells = charts.confusion_cells(matrix, names, mode)
        sums = cells.groupby(column)["share"].sum()
        there = cells.groupby(column)["count"].sum() > 0
        assert sums.to_numpy() == pytest.approx(there.to_numpy(float))


def test_right_answers_are_violet_and_wrong_ones_pink() -> None:
    cells = charts.confusion_cells(np.array([[4, 0], [5, 0]]), ["A", "B"])
    assert cells.loc[0, "fill"] == HAEMATOXYLIN
    assert cells.loc[2, "fill"] == EOSIN


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_every_cell(dark: bool) -> None:
    counts = np.array([[share, 100 - share] for share in (0, 37)])
    for cell in charts.confusion_cells(counts, ["A", "B"], dark=dark).itertuples():
        assert contrast(cell.ink, cell.fill) >= 4.5


def test_a_difference_says_what_got_better() -> None:
    worse, better = np.array([[2, 2], [1, 3]]), np.array([[4, 0], [2, 2]])
    cells = charts.difference_cells(worse, better, ["A", "B"])
    assert list(cells["text"]) == ["+2", "−2", "+1", "−1"]
    assert list(cells["below"]) == ["+50 points", "−50 points", "+25 points", "−25 points"]
    # More right and fewer wrong are violet; the second row got worse.
    assert cells.loc[0, "fill"] == cells.loc[1, "fill"] == HAEMATOXYLIN
    assert cells.loc[2, "fill"] == cells.loc[3, "fill"] != HAEMATOXYLIN
    same = charts.difference_cells(worse, worse, ["A", "B"])
    assert set(same["text"]) == {"0"}


def test_every_cell_is_a_button_with_words() -> None:
    cells = charts.confusion_cells(MATRIX, CLASSES)
    table = Table(charts.matrix_html(cells, CLASSES, "patients"))
    assert len(table.cells) == len(table.buttons) == 9
    assert table.cells[1]["data-true"] == "CLL" and table.cells[1]["data-predicted"] == "FL"
    words = "is CLL, called FL: 1 patients, 25 % of the true class"
    assert table.buttons[1]["aria-label"] == words
    assert {button["aria-pressed"] for button in table.buttons} == {"false"}


def test_right_answers_are_told_without_colour() -> None:
    cells = charts.confusion_cells(MATRIX, CLASSES)
    kinds = [cell["class"] for cell in Table(charts.matrix_html(cells, CLASSES)).cells]
    assert [kind == "cell right" for kind in kinds] == list(np.eye(3, dtype=bool).ravel())
    assert "✓" in charts.MATRIX_CSS


def test_totals_stand_at_the_edges() -> None:
    cells = charts.confusion_cells(MATRIX, CLASSES)
    text = Table(charts.matrix_html(cells, CLASSES)).texts
    assert text[-4:] == ["5", "3", "4", "12"]


def test_the_chosen_cell_is_pressed() -> None:
    cells = charts.confusion_cells(MATRIX, CLASSES)
    table = Table(charts.matrix_html(cells, CLASSES, chosen=("MCL", "FL")))
    pressed = [button["aria-pressed"] == "true" for button in table.buttons]
    assert pressed.index(True) == 7 and sum(pressed) == 1


def test_names_of_classes_cannot_become_markup() -> None:
    """A folder may be called anything; its name is shown, never run."""
    names = ['<img src=x onerror="alert(1)">', "A&B's"]
    table = Table(charts.matrix_html(charts.confusion_cells(np.eye(2), names), names))
    assert "img" not in table.tags
    assert table.cells[0]["data-true"] == names[0]
    assert html.unescape(names[1]) in table.texts


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("CLL", "CLL"),
        ("08_EMPTY_BACKGROUND", "08_<wbr>EMPTY_<wbr>BACKGROUND"),
        ("mantleCell b-1.2", "mantle<wbr>Cell <wbr>b-<wbr>1.<wbr>2"),
        ("a__b", "a__<wbr>b"),
        ("<b>_&", "&lt;b&gt;_<wbr>&amp;"),
    ],
)
def test_names_break_between_their_parts(name: str, written: str) -> None:
    assert charts.breakable(name) == written


def test_headings_stand_upright_where_a_part_is_wider_than_its_column() -> None:
    """Regression: headings of eight long classes broke letter by letter."""

    def drawn(names: list[str]) -> str:
        return charts.matrix_html(charts.confusion_cells(np.eye(len(names)), names), names)

    assert "sideways" not in drawn(CLASSES) and " long" not in drawn(CLASSES)
    few = drawn(["BENIGN", "MALIGNANT"])
    assert " long" in few and "sideways" not in few
    assert drawn([f"0{i}_BACKGROUND" for i in range(8)]).count('class="head sideways"') == 8


def test_cells_that_hold_chosen_pictures_are_seen_and_read_out() -> None:
    """Not by a look alone: a screen reader hears it too."""
    cells = charts.confusion_cells(np.eye(2, dtype=int), ["a", "b"])
    page = charts.matrix_html(cells, ["a", "b"], holding={("b", "b")})
    assert page.count(" holds") == 1 and page.count("with chosen pictures") == 1
    assert 'class="cell right holds" data-true="b" data-predicted="b"' in page
