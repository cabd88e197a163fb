"""What a helper makes of a set of pictures, so that nobody waits for it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from lymph.data import ahead, duplicates, measure, quality, scan, thumbnails
from lymph.data.ahead import HEIGHT, LINE_HEIGHT, MEASURE, READ, SEE, make_ahead, start_ahead
from lymph.data.measure import measure_all, measured_before
from lymph.data.source import PictureSource
from lymph.data.thumbnails import thumbnail_paths
from tests.waiting import PATIENCE


def test_afterwards_no_picture_is_read_again(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, int, int]] = []
    make_ahead(tiny_root, lambda *step: told.append(step))
    table = PictureSource(tiny_root).usable()
    before = quality.find(table, measure_all(tiny_root, list(table["picture"])))
    for step in (READ, SEE, MEASURE):
        own = [(done, total) for name, done, total in told if name == step]
        assert own == [*((done, 36) for done in range(1, 37)), (0, 0)]

    def read_again(*_: object) -> None:
        raise AssertionError("a picture was read again")

    for room in (scan, measure, thumbnails):
        for name in ("read_header", "read_with_notes", "read_of"):
            monkeypatch.setattr(room, name, read_again, raising=False)
    monkeypatch.setattr(duplicates, "near_pairs", read_again)
    table = PictureSource(tiny_root).usable()
    pictures = list(table["picture"])
    measured = measure_all(tiny_root, pictures)
    assert len(measured) == 36
    assert quality.find(table, measured, tiny_root) == before
    for height in (HEIGHT, LINE_HEIGHT):
        assert len(thumbnail_paths(tiny_root, pictures, height)) == 36


def test_other_pictures_are_compared_anew(make_tiny: Callable[..., Path]) -> None:
    """A picture that comes twice is found, though the set was compared without it."""
    root = make_tiny(pictures=1)
    make_ahead(root, lambda *_: None)
    picture = next((root / "FL").iterdir())
    Image.open(picture).resize((128, 96)).save(picture.with_name(f"again-{picture.name}"))

    def twins() -> list[str]:
        table = PictureSource(root).table()
        sound = list(table.loc[table["problem"] == "", "picture"])
        found = quality.find(table, measure_all(root, sound), root)
        return [one.picture for one in found if one.kind == "near"]

    assert any(picture.name in one for one in twins()) and twins() == twins()


def test_a_very_large_set_is_left_to_those_who_ask(
    tiny_root: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "DECODED_AT_ONCE", 35)
    make_ahead(tiny_root, lambda *step: pytest.fail(f"told {step}"))
    assert not list(workspace.rglob("thumbnails-*"))


def test_a_helper_tells_line_by_line_and_ends(tiny_root: Path, workspace: Path) -> None:
    helper = start_ahead(tiny_root)
    lines = (helper.stdout or []) and list(helper.stdout)
    assert helper.wait(PATIENCE) == 0
    assert lines[0] == f"{READ} 1 36\n" and lines[-1] == f"{MEASURE} 0 0\n"


def test_a_helper_with_nothing_to_do_ends_quietly(tmp_path: Path, capfd: object) -> None:
    assert start_ahead(tmp_path / "gone").wait(PATIENCE) == 1
    assert capfd.readouterr() == ("", "")


def test_asking_what_was_measured_looks_at_nothing_and_forgets_nothing(tiny_root: Path) -> None:
    """Results shows the stains of one set's pictures; measuring those alone forgot the others'."""
    pictures = list(PictureSource(tiny_root).usable()["picture"])
    assert measured_before(tiny_root, pictures).empty
    whole = measure_all(tiny_root, pictures)
    few = measured_before(tiny_root, pictures[:3])
    assert few["haematoxylin"].tolist() == whole["haematoxylin"][:3].tolist()
    assert len(measured_before(tiny_root, pictures)) == 36
