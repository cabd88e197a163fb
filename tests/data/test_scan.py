"""A folder becomes the picture table: columns, counts, problems, cache of what was examined."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lymph.data import scan as scan_module
from lymph.data.scan import (
    classes_of,
    count_unopened,
    summary,
    usable,
)
from lymph.data.source import PictureSource
from lymph.data.walk import walk
from lymph.errors import DataError

COLUMNS = ["picture", "label", "patient", "slide", "width", "height", "mode", "bytes", "problem"]


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that every file decoded by a scan adds its name to."""
    names: list[str] = []
    true_reader = scan_module.read_with_notes

    def counting(path: Path) -> np.ndarray:
        names.append(path.name)
        return true_reader(path)

    monkeypatch.setattr(scan_module, "read_with_notes", counting)
    return names


def row_of(table: pd.DataFrame, picture: str) -> pd.Series:
    """Return the one row of a picture."""
    rows = table[table["picture"] == picture]
    assert len(rows) == 1
    return rows.iloc[0]


def write_csv(path: Path, text: str) -> Path:
    """Write a table of patients and return its path."""
    path.write_text(text, encoding="utf-8")
    return path


def test_the_table_has_the_columns_and_values_of_the_contract(tiny_root: Path) -> None:
    """One row a picture, sorted by path, each column with the known value."""
    table = PictureSource(tiny_root).table()
    assert list(table.columns) == COLUMNS
    assert list(table.index) == list(range(36))
    assert table["picture"].is_monotonic_increasing and table["picture"].is_unique
    file = tiny_root / "FL" / "sj-99-22_003.png"
    assert row_of(table, "FL/sj-99-22_003.png").tolist() == [
        "FL/sj-99-22_003.png", "FL", "99-22", "99-22", 64, 48, "RGB", file.stat().st_size, "",
    ]  # fmt: skip


def test_the_summary_counts_sound_pictures(tiny_root: Path) -> None:
    """Known counts; a second block of a patient is a slide more and no patient more."""
    shutil.copy(tiny_root / "FL/sj-99-22_003.png", tiny_root / "FL/sj-99-22-R10_004.png")
    (tiny_root / "CLL" / "sj-99-11_001.png").write_bytes(b"broken")
    found = summary(PictureSource(tiny_root).table())
    problems = found.pop("problems")
    assert found == {
        "pictures": 36,
        "classes": {"CLL": 11, "FL": 13, "MCL": 12},
        "patients": 12,
        "slides": 13,
    }
    assert [problem["picture"] for problem in problems] == ["CLL/sj-99-11_001.png"]


def test_problems_are_listed_with_their_reason_and_left_out(tiny_root: Path) -> None:
    """A broken file and an unmatched name keep their row and reason; the other pictures go on."""
    (tiny_root / "CLL" / "sj-99-11_001.png").write_bytes(b"<svg></svg>")
    whole = (tiny_root / "FL" / "sj-99-21_001.png").read_bytes()
    (tiny_root / "FL" / "sj-99-21_001.png").write_bytes(whole[: len(whole) // 2])
    shutil.copy(tiny_root / "MCL" / "sj-99-31_001.png", tiny_root / "MCL" / "slide 7.png")
    table = PictureSource(tiny_root).table()
    bad = table[table["problem"] != ""].set_index("picture")["problem"].to_dict()
    assert sorted(bad) == ["CLL/sj-99-11_001.png", "FL/sj-99-21_001.png", "MCL/slide 7.png"]
    assert "not a PNG" in bad["CLL/sj-99-11_001.png"]
    assert "damaged or cut short" in bad["FL/sj-99-21_001.png"]
    assert "patient cannot be told" in bad["MCL/slide 7.png"]
    sound = usable(table)
    assert not set(bad) & set(sound["picture"])
    assert len(sound) == 34 and list(sound.index) == list(range(34))


def test_deeper_folders_belong_to_their_class(tiny_root: Path) -> None:
    """The class is the first folder, whatever lies between it and the picture."""
    deep = tiny_root / "FL" / "2005" / "a b"
    deep.mkdir(parents=True)
    shutil.copy(tiny_root / "FL" / "sj-99-21_001.png", deep / "sj-99-29_001.PNG")
    row = row_of(PictureSource(tiny_root).table(), "FL/2005/a b/sj-99-29_001.PNG")
    assert (row["label"], row["patient"], row["problem"]) == ("FL", "99-29", "")


def test_what_is_no_picture_is_passed_over(tiny_root: Path) -> None:
    """Hidden files, other suffixes, files beside the class folders and hidden classes stay out."""
    source = tiny_root / "FL" / "sj-99-21_001.png"
    for name in ("FL/._sj-99-21_001.png", "FL/notes.txt", "sj-99-1_001.png", "FL/thumbs.db"):
        shutil.copy(source, tiny_root / name)
    for name in (".git", "__MACOSX"):
        (tiny_root / name).mkdir()
        shutil.copy(source, tiny_root / name / source.name)
    assert len(PictureSource(tiny_root).look().pictures) == 36


def test_hidden_folders_inside_a_class_are_passed_over(tiny_root: Path) -> None:
    """Regression: Jupyter's .ipynb_checkpoints put second copies of pictures into the class."""
    hidden = tiny_root / "FL" / ".ipynb_checkpoints"
    hidden.mkdir()
    shutil.copy(tiny_root / "FL/sj-99-21_001.png", hidden / "sj-99-21_001-checkpoint.png")
    assert len(PictureSource(tiny_root).look().pictures) == 36


def test_a_root_below_a_hidden_folder_serves(make_tiny: Callable[..., Path]) -> None:
    """Only what is hidden below the class counts; the root may lie anywhere."""
    assert len(PictureSource(make_tiny(".cache/data")).look().pictures) == 36


def test_a_folder_named_like_a_picture_is_no_picture(tiny_root: Path) -> None:
    """Regression: a folder named x.png was listed as a damaged picture."""
    folder = tiny_root / "FL" / "sj-99-21.png"
    folder.mkdir()
    shutil.copy(tiny_root / "FL" / "sj-99-21_001.png", folder / "sj-99-21_009.png")
    table = PictureSource(tiny_root).table()
    assert len(table) == 37 and (table["problem"] == "").all()


def test_a_name_that_is_not_utf8_is_a_problem_and_no_crash(tiny_root: Path) -> None:
    """Regression: one file with a Latin-1 name ended the whole scan with a UnicodeEncodeError."""
    raw = os.fsencode(tiny_root / "FL") + b"/sj-99-21_\xe9.png"
    try:
        with open(raw, "wb") as file:
            file.write((tiny_root / "FL" / "sj-99-21_001.png").read_bytes())
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    table = PictureSource(tiny_root).table()
    bad = table[table["problem"] != ""]
    assert len(table) == 37 and bad["picture"].tolist() == ["FL/sj-99-21_?.png"]
    assert "rename the file" in bad["problem"].iloc[0]


def test_the_size_is_that_of_the_upright_picture(tiny_root: Path) -> None:
    """Regression: the table gave a turned picture's width as its height."""
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (30, 20)).save(tiny_root / "FL" / "sj-99-21_009.jpg", exif=exif)
    row = row_of(PictureSource(tiny_root).table(), "FL/sj-99-21_009.jpg")
    assert (row["width"], row["height"]) == (20, 30)


def test_two_classes_are_needed(tiny_root: Path, tmp_path: Path) -> None:
    """A missing folder, an empty one and one class only are refused, each with its remedy."""
    with pytest.raises(DataError, match="There is no folder"):
        PictureSource(tmp_path / "nowhere").table()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="two class folders"):
        PictureSource(tmp_path / "empty").table()
    shutil.rmtree(tiny_root / "FL")
    assert classes_of(PictureSource(tiny_root).table()) == ["CLL", "MCL"]
    shutil.rmtree(tiny_root / "MCL")
    with pytest.raises(DataError, match="two class folders"):
        PictureSource(tiny_root).table()


def test_two_classes_must_be_sound(make_tiny: Callable[..., Path]) -> None:
    """With only one class readable the error tells the first problem."""
    root = make_tiny(pictures=1)
    for file in [*root.glob("FL/*"), *root.glob("MCL/*")]:
        file.write_bytes(b"")
    with pytest.raises(DataError, match="the first is: The file is empty"):
        PictureSource(root).usable()


def test_usable_without_any_problem_still_needs_two_classes(tiny_root: Path) -> None:
    """Regression: a table of one sound class raised IndexError for want of a problem to tell."""
    table = PictureSource(tiny_root).table()
    with pytest.raises(DataError, match="Fewer than two classes"):
        usable(table[table["label"] == "FL"])


def test_an_unchanged_folder_is_not_decoded_again(tiny_root: Path, read_files: list[str]) -> None:
    """The first scan decodes every file once, the second none, with the same table."""
    first = PictureSource(tiny_root).table()
    assert len(read_files) == 36 and len(set(read_files)) == 36
    pd.testing.assert_frame_equal(PictureSource(tiny_root).table(), first)
    assert len(read_files) == 36


def test_only_changed_files_are_decoded_again(tiny_root: Path, read_files: list[str]) -> None:
    """A file changed, one added and one removed: the first two are decoded, the table follows."""
    PictureSource(tiny_root).table()
    read_files.clear()
    Image.new("L", (10, 11)).save(tiny_root / "FL" / "sj-99-21_001.png")
    Image.new("RGB", (9, 9)).save(tiny_root / "FL" / "sj-99-21_009.png")
    (tiny_root / "CLL" / "sj-99-11_001.png").unlink()
    table = PictureSource(tiny_root).table()
    assert sorted(read_files) == ["sj-99-21_001.png", "sj-99-21_009.png"]
    assert len(table) == 36
    row = row_of(table, "FL/sj-99-21_001.png")
    assert (row["width"], row["height"], row["mode"]) == (10, 11, "L")


def test_a_fixed_file_loses_its_problem(tiny_root: Path) -> None:
    """A file that was broken at the first scan and is whole at the second is sound."""
    file = tiny_root / "FL" / "sj-99-21_001.png"
    whole = file.read_bytes()
    file.write_bytes(b"broken")
    assert row_of(PictureSource(tiny_root).table(), "FL/sj-99-21_001.png")["problem"]
    file.write_bytes(whole)
    assert row_of(PictureSource(tiny_root).table(), "FL/sj-99-21_001.png")["problem"] == ""


def test_the_pattern_can_change_without_decoding(tiny_root: Path, read_files: list[str]) -> None:
    """What is cached is of the files; patients follow the pattern of the moment."""
    PictureSource(tiny_root).table()
    table = PictureSource(tiny_root, pattern=r"sj-99-(?P<patient>\d)").table()
    assert sorted(table["patient"].unique()) == ["1", "2", "3"]
    assert len(read_files) == 36
    with pytest.raises(DataError, match="names no patient"):
        PictureSource(tiny_root, pattern="sj").table()


def test_a_first_look_reads_headers_only(tiny_root: Path, read_files: list[str]) -> None:
    """Nothing is decoded, the table is the same; a later full scan decodes and finds damage."""
    whole = (tiny_root / "FL" / "sj-99-21_001.png").read_bytes()
    (tiny_root / "FL" / "sj-99-21_001.png").write_bytes(whole[:-200])
    first = PictureSource(tiny_root).table(decode=False)
    assert not read_files and (first["problem"] == "").all()
    assert count_unopened(tiny_root, walk(tiny_root).pictures) == 36
    full = PictureSource(tiny_root).table()
    assert len(read_files) == 36 and count_unopened(tiny_root, walk(tiny_root).pictures) == 0
    assert "cut short" in row_of(full, "FL/sj-99-21_001.png")["problem"]
    pd.testing.assert_frame_equal(PictureSource(tiny_root).table(decode=False), full)
    sound = full["problem"] == ""
    pd.testing.assert_frame_equal(first[sound], full[sound])


def test_progress_ends_at_the_number_of_files(tiny_root: Path) -> None:
    """Progress counts one file at a time up to the whole."""
    seen: list[tuple[int, int]] = []
    PictureSource(tiny_root).table(lambda done, total: seen.append((done, total)))
    assert seen == [(i, 36) for i in range(1, 37)]


def test_a_csv_takes_the_place_of_the_pattern(tiny_root: Path, tmp_path: Path) -> None:
    """Pictures in the table get its patients; the others are problems, whatever their names."""
    file = write_csv(
        tmp_path / "p.csv",
        "\ufeffpicture,patient\nCLL/sj-99-11_001.png, ann \nFL/sj-99-21_001.png,Jörg\n",
    )
    table = PictureSource(tiny_root, patients="table", patients_file=file).table()
    sound = usable(table)
    assert sound["patient"].tolist() == ["ann", "Jörg"]
    assert sound["slide"].tolist() == ["ann", "Jörg"]
    assert (table["problem"] != "").sum() == 34


def test_the_real_set(real_root: Path) -> None:
    """Every real picture is decoded and sound, and the counts are the known ones."""
    found = summary(PictureSource(real_root).table())
    assert found["pictures"] == 309 and found["problems"] == []
    assert found["classes"] == {"CLL": 113 - 21, "FL": 139 - 21, "MCL": 122 - 23}
    assert found["patients"] == 23
