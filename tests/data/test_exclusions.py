"""What users exclude stays out of everything until it is included again, for all who look."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from lymph.data import decisions
from lymph.data.exclusions import exclude, excluded, include
from lymph.data.scan import summary
from lymph.data.source import PictureSource, decisions_doubt, keep_source, source_of
from lymph.database import transaction


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
    """Both are kept; the source as it was looked at brings no exclusions of its own."""
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


@pytest.mark.parametrize("value", ["{", "[]", "5", '{"root": []}', '{"new": 1}', "[" * 9999])
def test_what_a_later_version_decided_locks_nobody_out(tiny_root: Path, value: str) -> None:
    """Regression guard: it counts as nothing decided, and the exclusions stay."""
    exclude(tiny_root, {"FL/sj-99-21_001.png": "why"})
    with transaction() as database:
        row = [decisions.name_of(tiny_root), decisions.SOURCE, value]
        database.execute("INSERT INTO decisions VALUES (?, ?, ?)", row)
    assert source_of(tiny_root) == PictureSource(tiny_root)
    unread = value in ("{", "[" * 9999, '{"root": []}')
    assert ("cannot be used" in decisions_doubt(tiny_root)) != unread
    assert set(excluded(tiny_root)) == {"FL/sj-99-21_001.png"}
    keep_source(PictureSource(str(tiny_root), patients="none"))
    assert source_of(tiny_root).patients == "none" and not decisions_doubt(tiny_root)


def test_every_decision_is_noticed_by_its_stamp(tiny_root: Path) -> None:
    """Pages compute anew what an earlier stamp was computed for, and only then."""
    stamps = [decisions.stamp(tiny_root)]
    exclude(tiny_root, {"a.png": "why"})
    stamps.append(decisions.stamp(tiny_root))
    exclude(tiny_root, {"a.png": "another reason"})
    stamps.append(decisions.stamp(tiny_root))
    keep_source(PictureSource(str(tiny_root), patients="none"))
    stamps.append(decisions.stamp(tiny_root))
    assert len(set(stamps)) == 4 and stamps[-1] == decisions.stamp(tiny_root)
    include(tiny_root, ["a.png"])
    assert decisions.stamp(tiny_root) not in stamps
