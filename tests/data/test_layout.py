"""Which level of folders is the class: read off names alone, for the ways in which people file."""

import pytest

from lymph.data.layout import Layout, find_layout, levels_of, set_name


def files(*folders: str, each: int = 5) -> list[str]:
    """Return the paths of some pictures in each folder; the empty name is the root."""
    return [f"{folder}/{i}.png".lstrip("/") for folder in folders for i in range(each)]


CASES = {
    "one folder per class": (files("A", "B"), Layout("", ("class",))),
    "patients in classes": (
        files(*(f"{c}/p{c}{i}" for c in "AB" for i in range(3))),
        Layout("", ("class", "patient")),
    ),
    "numbers that restart in each class": (
        files(*(f"{c}/{i}" for c in ("CLL", "FL", "MCL") for i in range(2))),
        Layout("", ("class", "patient")),
    ),
    "classes in patients": (
        files(*(f"{8863 + i}/{c}" for c in "01" for i in range(4))),
        Layout("", ("patient", "class")),
    ),
    "patients of one class each": (
        files("p1/A", "p2/B", "p3/A", "p4/B"),
        Layout("", ("patient", "class")),
    ),
    "a ready split": (
        files(*(f"{s}/{c}" for s in ("Training", "valid", "test_set") for c in "AB")),
        Layout("", ("set", "class")),
    ),
    "a ready split of patients": (
        files(*(f"{s}/{c}/p{s}{c}{i}" for s in ("train", "test") for c in "AB" for i in range(2))),
        Layout("", ("set", "class", "patient")),
    ),
    "sets in classes": (
        files(*(f"{c}/{s}" for s in ("train", "test") for c in "AB")),
        Layout("", ("class", "set")),
    ),
    "folds": (
        files(*(f"fold{i}/{c}" for i in range(1, 4) for c in "AB")),
        Layout("", ("set", "class")),
    ),
    "a repository": (
        [*files("repo/data/A", "repo/data/B"), *files("repo/docs", "icons", each=1)],
        Layout("repo/data", ("class",)),
    ),
    "documentation beside the classes": (
        [*files("A", "B"), *files("docs/figures", each=1)],
        Layout("", ("class",), ("docs",)),
    ),
    "a rare class beside patients of a frequent one": (
        [*files(*(f"normal/p{i}" for i in range(20))), *files("tumour/q1", each=2)],
        Layout("", ("class", "patient")),
    ),
    "a level that tells nothing": (
        files(*(f"x/{c}/SOB/p{c}{i}/40X" for c in ("benign", "malignant") for i in range(3))),
        Layout("x", ("class", "", "patient")),
    ),
    "no folder": (files(""), Layout()),
    "one folder and documentation": (files("images", "docs"), Layout("", (), ("docs",))),
    "sets without classes": (files("train", "test"), Layout("", ("set",))),
    "nothing": ([], Layout()),
}


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_the_classes_are_found(case: str) -> None:
    """Each way of filing stands for the people who file so."""
    pictures, layout = CASES[case]
    assert find_layout(pictures) == layout


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("train", "train"), ("Training_data", "train"), ("VAL", "val"), ("valid", "val"),
        ("validation-set", "val"), ("dev", "val"), ("test", "test"), ("Testing", "test"),
        ("test2", "test"), ("fold_03", "fold 3"), ("cv1", "fold 1"), ("trained", ""),
        ("testis", ""), ("valve", ""), ("developing", ""), ("train station", ""), ("fold", ""),
    ],
)  # fmt: skip
def test_names_of_sets(folder: str, name: str) -> None:
    """Testis is an organ, not a test set."""
    assert set_name(folder) == name


def test_the_levels_are_listed_with_their_names() -> None:
    """For the choosers of corrections; pictures of other depths count where they have a level."""
    levels = levels_of([*files("x/A/p1", "x/A/p2"), *files("x/B")], "x")
    assert [(level.names, level.pictures) for level in levels] == [
        (["A", "B"], 15),
        (["p1", "p2"], 10),
    ]
