"""The machine's speed: read without torch, measured once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lymph.training import precision, speed
from lymph.training.speed import Precision
from tests.at_once import at_once

MEASURED = Precision(False, True, 0.25, 0.125)

ESTIMATE = """
import sys
from lymph.training import speed
from lymph.training.estimate import estimate_seconds
assert speed.known("cnn") == (False, True, 0.25, 0.125)
print("torch" in sys.modules)
"""


def test_what_was_measured_is_read_without_torch(workspace: Path) -> None:
    """Regression: the first visitor of Train waited until torch was loaded, eight seconds."""
    speed.keep("cnn", MEASURED)
    told = subprocess.run(
        [sys.executable, "-c", ESTIMATE], capture_output=True, text=True, check=True
    )
    assert told.stdout == "False\n"


def test_a_machine_used_in_another_way_is_measured_anew(workspace: Path) -> None:
    assert speed.machine({"OMP_NUM_THREADS": "1"}) != speed.machine({}) == speed.machine({"A": "b"})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_of_many_who_ask_at_once_one_measures(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: each process measured, and all of them together measured each other."""
    speed.file().unlink(missing_ok=True)
    log = tmp_path / "measured.txt"

    def measure(name: str) -> Precision:
        with log.open("a") as out:
            out.write(f"{name}\n")
        return MEASURED

    monkeypatch.setattr(precision, "measure_precision", measure)
    assert at_once(lambda _: precision.precision_here("cnn"), 6) == [0] * 6
    assert log.read_text() == "cnn\n" and speed.known("cnn") == MEASURED
    # Later tests measure for themselves.
    speed.file().unlink()
