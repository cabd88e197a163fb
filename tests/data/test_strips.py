"""A patient's pictures side by side in one small picture."""

from pathlib import Path

from PIL import Image

from lymph.data.strips import MOST, WIDTH, shown_of, strip_file


def test_a_strip_holds_its_pictures_in_rows(tiny_root: Path) -> None:
    pictures = [f"CLL/sj-99-11_00{number}.png" for number in (1, 2, 3)]
    file = strip_file(tiny_root, pictures)
    with Image.open(file) as one:
        assert one.height == 64 and 3 * 85 < one.width <= WIDTH
    with Image.open(strip_file(tiny_root, pictures * 3)) as three:
        assert three.height == 2 * 64 + 4 and three.width <= WIDTH
    assert strip_file(tiny_root, pictures) == file != strip_file(tiny_root, pictures[::-1])


def test_of_many_pictures_some_are_shown_from_first_to_last() -> None:
    many = [str(number) for number in range(1000)]
    shown = shown_of(many)
    assert len(shown) == len(set(shown)) == MOST
    assert (shown[0], shown[-1]) == ("0", "999")
    assert shown_of(many[:3]) == many[:3]
