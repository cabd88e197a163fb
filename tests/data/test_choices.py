"""What a user decides: left-out pictures stay out of everything until they are taken back."""

from pathlib import Path

import pytest

from lymph.data import choices
from lymph.data.scan import scan, summary, usable
from lymph.errors import DataError
from lymph.facts import PATIENT_PATTERN


def test_a_picture_left_out_is_out_everywhere_until_it_is_taken_back(tiny_root: Path) -> None:
    """scan names the reason, usable and the counts are without it; the file is not touched."""
    picture = "FL/sj-99-21_001.png"
    before = (tiny_root / picture).read_bytes()
    choices.leave_out(tiny_root, {picture: "Blurred: 5 % of the usual sharpness."})
    table = scan(tiny_root)
    row = table[table["picture"] == picture].iloc[0]
    assert row["problem"] == "Blurred: 5 % of the usual sharpness." and row["width"] == 64
    assert picture not in set(usable(table)["picture"])
    assert summary(table)["pictures"] == 35
    assert summary(table)["problems"][0]["picture"] == picture
    choices.take_back(tiny_root, [picture])
    assert summary(scan(tiny_root))["pictures"] == 36
    assert (tiny_root / picture).read_bytes() == before


def test_choices_of_two_folders_do_not_mix(tiny_root: Path, tmp_path: Path) -> None:
    """Each data root has its own decisions, whatever way its path is written."""
    choices.leave_out(tiny_root, {"a.png": "why"})
    choices.leave_out(tiny_root / ".." / tiny_root.name, {"b.png": "why"})
    assert set(choices.left_out(tiny_root)) == {"a.png", "b.png"}
    assert choices.left_out(tmp_path) == {}


def test_the_pattern_is_kept(tiny_root: Path) -> None:
    """A pattern of one's own outlives the program; others keep the usual one."""
    assert choices.patient_pattern(tiny_root) == PATIENT_PATTERN
    choices.keep_pattern(tiny_root, "(?P<patient>x)")
    assert choices.patient_pattern(tiny_root) == "(?P<patient>x)"


def test_a_table_of_patients_is_checked_before_it_is_kept(tiny_root: Path) -> None:
    """A good table is used, a bad one refused and the good one stays."""
    choices.keep_patients_csv(tiny_root, b"picture,patient\nFL/a.png,1\n")
    with pytest.raises(DataError, match="needs the columns"):
        choices.keep_patients_csv(tiny_root, b"name;who\n")
    file = choices.patients_csv(tiny_root)
    assert file is not None and b"FL/a.png,1" in file.read_bytes()
    choices.drop_patients_csv(tiny_root)
    assert choices.patients_csv(tiny_root) is None


def test_a_damaged_file_of_choices_counts_as_none(tiny_root: Path) -> None:
    """Regression guard: nobody is locked out by a broken file."""
    choices.keep_pattern(tiny_root, "(?P<patient>x)")
    for text in ("{", "[]", "5"):
        choices.choices_file(tiny_root).write_text(text)
        assert choices.left_out(tiny_root) == {}
        assert choices.patient_pattern(tiny_root) == PATIENT_PATTERN
