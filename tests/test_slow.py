"""The list of slow tests, which the loop of a day leaves out."""

from pathlib import Path

from tests.conftest import SLOW

REPOSITORY = Path(__file__).parents[1]


def test_every_line_names_a_file_or_a_test_that_is_there() -> None:
    """A test that was renamed would slip into the loop of a day, or out of the list's reach."""
    lines = SLOW.read_text(encoding="utf-8").splitlines()
    assert lines == sorted(set(lines))
    for line in lines:
        file, _, name = line.partition("::")
        assert f"def {name or 'test_'}" in (REPOSITORY / file).read_text(encoding="utf-8"), line
