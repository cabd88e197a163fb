"""Files of a workspace that several people share."""

import os
from pathlib import Path

import pytest

from lymph import workspace


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such modes")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_files_are_as_open_as_the_system_says(tmp_path: Path, mask: int, mode: int) -> None:
    """Regression: every file was closed to all but who wrote it, whatever the umask."""
    before = os.umask(mask)
    try:
        workspace.write_text(tmp_path / "new.json", "{}")
    finally:
        os.umask(before)
    assert (tmp_path / "new.json").stat().st_mode & 0o777 == mode
    assert [path.name for path in tmp_path.iterdir()] == ["new.json"]
