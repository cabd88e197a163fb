"""What is cached of files: unchanged ones are known, others are looked at again."""

import os
from pathlib import Path

import pytest

from lymph.data.cache import fill, load, stamps_of, store


def length(root: Path):  # noqa: ANN201 - a local callable
    return lambda picture: {"size": (root / picture).stat().st_size}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder of three files of 1, 2 and 3 bytes."""
    for count in (1, 2, 3):
        (tmp_path / f"{count}.png").write_bytes(b"x" * count)
    return tmp_path


NAMES = ["1.png", "2.png", "3.png"]


def test_only_new_and_changed_files_are_looked_at(root: Path) -> None:
    """A second look sees nothing new; a longer file and an added one are seen, in order."""
    file = root / "cache.json"
    stamps = stamps_of(root, NAMES)
    known = fill(file, load(file, stamps), stamps, length(root))
    assert known["size"].tolist() == [1, 2, 3]
    (root / "2.png").write_bytes(b"x" * 20)
    (root / "0.png").write_bytes(b"")
    seen: list[str] = []

    def look(picture: str) -> dict[str, int]:
        seen.append(picture)
        return length(root)(picture)

    stamps = stamps_of(root, ["0.png", *NAMES])
    known = fill(file, load(file, stamps), stamps, look)
    assert sorted(seen) == ["0.png", "2.png"]
    assert known["size"].to_dict() == {"0.png": 0, "1.png": 1, "2.png": 20, "3.png": 3}


def test_a_touched_file_of_the_same_length_is_looked_at_again(root: Path) -> None:
    """The time of change counts, to the nanosecond."""
    file = root / "cache.json"
    stamps = stamps_of(root, NAMES)
    fill(file, load(file, stamps), stamps, length(root))
    moved = (root / "1.png").stat().st_mtime_ns + 1
    os.utime(root / "1.png", ns=(moved, moved))
    if (root / "1.png").stat().st_mtime_ns != moved:
        pytest.skip("this file system does not keep nanoseconds")
    assert list(load(file, stamps_of(root, NAMES)).index) == ["2.png", "3.png"]


def test_what_was_seen_before_an_interruption_is_stored(root: Path) -> None:
    """An interrupted look keeps its part, and the next one goes on from there."""
    file = root / "cache.json"
    stamps = stamps_of(root, NAMES)

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(file, load(file, stamps), stamps, length(root), stop)
    assert list(load(file, stamps)["size"]) == [1]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pictures": ["a"], "columns": {}}', "null"])
def test_a_damaged_cache_is_no_cache(root: Path, text: str) -> None:
    """Whatever stands in the file, everything is looked at anew."""
    file = root / "cache.json"
    file.write_text(text)
    assert load(file, stamps_of(root, NAMES)).empty


def test_strange_names_come_back(root: Path) -> None:
    """Names with quotes, line ends and other scripts are kept as they are."""
    names = ['a"b.png', "é漢.png", "c\nd.png"]
    for name in names:
        (root / name).write_bytes(b"x")
    stamps = stamps_of(root, names)
    known = fill(root / "c.json", load(root / "c.json", stamps), stamps, length(root))
    store(root / "c.json", known, stamps)
    assert list(load(root / "c.json", stamps).index) == names
