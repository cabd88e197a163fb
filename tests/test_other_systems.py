"""What other systems do differently, as far as it can be tried on any of them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lymph import workspace

REPOSITORY = Path(__file__).parents[1]


def refused_twice(act: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of the system's refuse two calls, as Windows does while a file is read."""
    refusals = [PermissionError(13, "in use")] * 2

    def refuse_first(*arguments: Any, **options: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return act(*arguments, **options)

    return refuse_first


def test_a_status_is_written_while_another_process_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: on Windows a page that polled a run could make the run fail."""
    monkeypatch.setattr(workspace, "PATIENCE_SECONDS", 60.0)
    monkeypatch.setattr(os, "replace", refused_twice(os.replace))
    workspace.write_json(tmp_path / "status.json", {"state": "running"})
    monkeypatch.setattr(Path, "read_text", refused_twice(Path.read_text))
    assert workspace.read_json(tmp_path / "status.json") == {"state": "running"}
    monkeypatch.setattr(Path, "unlink", refused_twice(Path.unlink))
    workspace.remove(tmp_path / "status.json")
    assert not (tmp_path / "status.json").exists()


def test_space_is_set_aside_where_the_system_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS and Windows have no ``posix_fallocate``; line ends and marks in the file stay."""
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    content = b"\r\n\x1a\n\0" * 500_000
    (tmp_path / "file").write_bytes(content)
    workspace.reserve(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == content


def test_what_a_command_prints_is_utf_8(tmp_path: Path) -> None:
    """Regression: a class named Ω ended in a traceback where the system's code page lacks it."""
    for label in ("Ω", "α"):
        (tmp_path / "set" / label).mkdir(parents=True)
        pixels = np.zeros((40, 40, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "set" / label / "sj-99-11_001.png")
    done = subprocess.run(
        [sys.executable, "-m", "lymph", "scan", str(tmp_path / "set"), "--json"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=True,
    )
    assert set(json.loads(done.stdout.decode("utf-8"))["classes"]) == {"Ω", "α"}
