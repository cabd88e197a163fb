"""Answers into a CSV: line by line, resuming, refusing other tables."""

import csv
from pathlib import Path

import pytest

from lymph.errors import DataError
from lymph.inference import Classifier, classify_to_csv


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_it_goes_on_where_it_stopped(
    classifier: Classifier, tiny_root: Path, tmp_path: Path
) -> None:
    """A half-written last line is answered again, whole ones are not."""
    out = tmp_path / "deep" / "answers.csv"
    named = [(p.name, p) for p in sorted(tiny_root.rglob("*.png"))]
    first = classify_to_csv(classifier, "r", named[:10], out)
    assert first[1:] == (10, 0, 0)
    whole, before = out.read_bytes(), rows_of(out)[-1]
    out.write_bytes(whole[:-7])
    second = classify_to_csv(classifier, "r", named, out)
    assert (second.pictures, second.before) == (27, 9)
    found = rows_of(out)
    assert [row["picture"] for row in found] == [name for name, _ in named]
    kept = whole[: whole[:-1].rfind(b"\n") + 1]
    assert out.read_bytes().startswith(kept)
    # Answered beside other pictures than before: equal but for rounding, which the processor does.
    for column, value in found[9].items():
        if column.startswith("p_"):
            assert float(value) == pytest.approx(float(before[column]), abs=1e-5)
        else:
            assert value == before[column]
    assert all(float(row["p_CLL"]) <= 1 and row["familiar"] in ("True", "False") for row in found)
    assert classify_to_csv(classifier, "r", named, out)[1:] == (0, 36, 0)


def test_a_broken_file_has_its_line(classifier: Classifier, tmp_path: Path) -> None:
    """With its sentence, and counted."""
    (tmp_path / "=evil.png").write_bytes(b"nothing")
    out = tmp_path / "answers.csv"
    named = [("=evil.png", tmp_path / "=evil.png"), ("gone.png", tmp_path / "gone.png")]
    assert classify_to_csv(classifier, "r", named, out).problems == 2
    assert classify_to_csv(classifier, "r", named, out).before == 2
    evil, gone = rows_of(out)
    assert evil["picture"] == "'=evil.png" and "not a PNG" in evil["problem"]
    assert "no longer there" in gone["problem"]


def test_other_tables_are_left_alone(classifier: Classifier, tmp_path: Path) -> None:
    """Another table, or another run's answers, is never written into."""
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="another table"):
        classify_to_csv(classifier, "r", [], other)
    assert other.read_text() == "a,b\n1,2\n"
    own = tmp_path / "own.csv"
    classify_to_csv(classifier, "r", [("x", tmp_path / "x.png")], own)
    with pytest.raises(DataError, match="another run"):
        classify_to_csv(classifier, "s", [], own)
    with pytest.raises(DataError, match="cannot be written"):
        classify_to_csv(classifier, "r", [], tmp_path)
