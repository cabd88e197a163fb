"""A short, repeatable part of the fuzzing: the same seeds each time."""

import io
import os
import random
import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fuzz_reader import doubtful, judge, mutate, seeds


def test_sound_files_are_read() -> None:
    """Every seed itself is a good file, or mutations would test nothing."""
    assert {judge(data) for data in seeds()} == {"read"}


def test_what_nothing_tells_is_refused() -> None:
    """Whole files too, where a guess could show the wrong picture."""
    assert {judge(data) for data in doubtful()} == {"refused"}


def test_mutated_files_are_read_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,500 inputs: no other exception, no file written, and some of either outcome."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    files = [*seeds(), *doubtful()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = [judge(mutate(seed, files)) for seed in range(1500)]
    assert min(outcomes.count("read"), outcomes.count("refused")) > 100
    assert not os.listdir(empty)


def test_bare_noise_is_refused() -> None:
    """Bytes that were never a picture."""
    chance = random.Random(0)
    assert {judge(chance.randbytes(size)) for size in range(0, 400, 7)} == {"refused"}
    assert judge(io.BytesIO().getvalue()) == "refused"
