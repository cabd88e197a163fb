"""What users exclude stays out of everything until it is included again, for all who look."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from lymph.data import decisions
from lymph.data.exclusions import exclude, excluded, include
from lymph.data.scan import summary
from lymph.data.source import PictureSource, keep_source, source_of


def test_an_excluded_picture_is_out_everywhere_until_it_is_included(tiny_root: Path) -> None:
    """The table names the reason, usable and the counts are without it; the file is not touched."""
    picture = "FL/sj-99-21_001.png"
    before = (tiny_root / picture).read_bytes()
    exclude(tiny_root, {picture: "Blurred: 5 % of the usual sharpness."})
    table = PictureSource(tiny_root).table()
    row = table[table["picture"] == picture].iloc[0]
    assert row["problem"] == "Blurred: 5 % of the usual sharpness." and row["width"] == 64
    assert picture not in set(PictureSource(tiny_root).usable()["picture"])
    assert summary(table)["pictures"] == 35
    assert summary(table)["problems"][0]["picture"] == picture
    include(tiny_root, [picture])
    assert summary(PictureSource(tiny_root).table())["pictures"] == 36
    assert (tiny_root / picture).read_bytes() == before


def test_decisions_of_two_folders_do_not_mix(tiny_root: Path, tmp_path: Path) -> None:
    """Each data root has its own decisions, whatever way its path is written."""
    exclude(tiny_root, {"a.png": "why"})
    exclude(tiny_root / ".." / tiny_root.name, {"b.png": "why"})
    assert set(excluded(tiny_root)) == {"a.png", "b.png"}
    assert excluded(tmp_path) == {}


def test_thirty_exclusions_at_once_are_all_kept(tiny_root: Path) -> None:
    """Regression: each read, changed and wrote the file by itself, and 2 of 30 were left."""
    with ThreadPoolExecutor(30) as visitors:
        list(visitors.map(lambda i: exclude(tiny_root, {f"FL/{i}.png": "why"}), range(30)))
    assert len(excluded(tiny_root)) == 30


def test_a_correction_and_an_exclusion_do_not_undo_each_other(tiny_root: Path) -> None:
    """Both stand in one file; the source as it was looked at brings no exclusions of its own."""
    exclude(tiny_root, {"FL/sj-99-21_001.png": "why"})
    found = PictureSource(tiny_root).look().source
    keep_source(replace(found, patients="none"))
    exclude(tiny_root, {"FL/sj-99-21_002.png": "why"})
    again = source_of(tiny_root)
    assert again.patients == "none" and again.excluded is None
    assert len(again.look().source.excluded) == 2


def test_a_run_keeps_the_exclusions_it_began_with(tiny_root: Path) -> None:
    """What is excluded later does not change what an earlier source reads."""
    found = PictureSource(tiny_root).look().source
    exclude(tiny_root, {"FL/sj-99-21_001.png": "why"})
    assert len(found.usable()) == 36 and len(PictureSource(tiny_root).usable()) == 35


def test_a_damaged_file_of_decisions_counts_as_none(tiny_root: Path) -> None:
    """Regression guard: nobody is locked out by a broken file."""
    exclude(tiny_root, {"FL/sj-99-21_001.png": "why"})
    file = decisions.decisions_file(tiny_root)
    for text in (
        "{",
        "[]",
        "5",
        '{"left_out": 5, "source": 7}',
        '{"source": {"root": []}}',
        "[" * 9999,
    ):
        file.write_text(text)
        assert excluded(tiny_root) == {}
        assert source_of(tiny_root) == PictureSource(tiny_root)
    exclude(tiny_root, {"FL/sj-99-21_002.png": "why"})
    assert set(excluded(tiny_root)) == {"FL/sj-99-21_002.png"}


def test_a_workspace_of_an_earlier_version_keeps_its_pattern_and_its_table(tiny_root: Path) -> None:
    """Before there was a source the file held a pattern, and a table lay beside it."""
    file = decisions.decisions_file(tiny_root)
    decisions.change(tiny_root, lambda kept: {**kept, "pattern": r"sj-99-(?P<patient>\d)"})
    assert set(source_of(tiny_root).usable()["patient"]) == {"1", "2", "3"}
    rows = "".join(
        f"{p},x{i % 4}\n" for i, p in enumerate(PictureSource(tiny_root).look().pictures)
    )
    file.with_suffix(".csv").write_text("picture,patient\n" + rows)
    assert set(source_of(tiny_root).usable()["patient"]) == {"x0", "x1", "x2", "x3"}
