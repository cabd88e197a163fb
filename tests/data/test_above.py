"""The folder above one that holds a single class."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from lymph.data.above import folder_above
from lymph.data.source import PictureSource
from lymph.errors import DataError


def above(root: Path) -> list[str] | None:
    """Return the classes that the folder above would hold, as the Data page asks for them."""
    try:
        found = folder_above(root, PictureSource(str(root)).look())
    except DataError:
        found = folder_above(root, None)
    return found.classes if found else None


def fill(root: Path, *folders: str) -> Path:
    for folder in folders:
        (root / folder).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(root / folder / "sj-99-1_001.png")
    return root


def test_one_class_has_its_sisters_above(make_tiny: Callable[..., Path], tmp_path: Path) -> None:
    """A folder of one class, whether its pictures lie in it or in folders of patients."""
    root = make_tiny()
    (root / "docs").mkdir()
    assert above(root / "CLL") == ["CLL", "FL", "MCL"]
    nested = fill(tmp_path / "nested", "CLL/p1", "CLL/p2", "MCL/p3", "MCL/p4")
    assert above(nested / "CLL") == ["CLL", "MCL"], "the patients are no classes"
    other = fill(tmp_path / "other", "benign", "malignant")
    assert above(other / "benign") == ["benign", "malignant"]


@pytest.mark.parametrize(
    ("folders", "opened"),
    [
        (("set/CLL", "set/FL", "beside/CLL"), "set"),
        (("train/CLL", "train/FL", "test/CLL", "test/FL"), "train"),
        (("alone",), "alone"),
        (tuple(f"patient {n}" for n in range(30)), "patient 7"),
        (("CLL", "figures"), "CLL"),
    ],
    ids=["a whole set", "a ready split", "no sister", "patients", "a paper's figures"],
)
def test_nothing_else_offers_what_lies_above(
    tmp_path: Path, folders: tuple[str, ...], opened: str
) -> None:
    """A home folder full of other things must not be offered as a data set."""
    assert above(fill(tmp_path / "root", *folders) / opened) is None


def test_a_folder_above_that_may_not_be_read_offers_nothing(tmp_path: Path) -> None:
    assert folder_above(tmp_path / "nowhere" / "CLL", None) is None
