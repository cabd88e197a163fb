"""Answers for new pictures: the same as in training, one by one, and nothing breaks."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lymph.data.scan import scan, usable
from lymph.errors import RunError
from lymph.inference import classify_files, load_classifier
from lymph.runs import Run, create_run, train_here
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig


@pytest.fixture
def run(tiny_root: Path) -> Run:
    """Return a finished run on the tiny set."""
    config = TrainConfig(str(tiny_root), epochs=2)
    made = create_run(config, split_by_patient(usable(scan(tiny_root))))
    train_here(made)
    return made


def test_a_picture_gets_the_answer_that_the_run_predicted(run: Run, tiny_root: Path) -> None:
    """Training, prediction and classification share one way from file to input."""
    predictions = run.predictions()
    named = [(name, tiny_root / name) for name in predictions["picture"]]
    answers = list(classify_files(load_classifier(run), named))
    for answer, (_, row) in zip(answers, predictions.iterrows(), strict=True):
        assert answer["picture"] == row["picture"]
        assert answer["predicted"] == row["predicted"]
        for name, value in answer["probabilities"].items():
            assert value == pytest.approx(row[f"p_{name}"], abs=0.02)


def test_a_broken_file_says_so_beside_the_good_ones(run: Run, tiny_root: Path) -> None:
    """Good, broken, good: three answers, in order."""
    good = (tiny_root / "CLL" / "sj-99-11_001.png").read_bytes()
    named = [("a", good), ("../../evil.png", b"not a picture"), ("c", io.BytesIO(good))]
    first, broken, last = classify_files(load_classifier(run), named)
    assert first["predicted"] == last["predicted"] != ""
    assert broken["problem"]
    assert broken["probabilities"] == {}
    assert broken["picture"] == "../../evil.png"


def test_a_strange_picture_is_marked(run: Run, tiny_root: Path) -> None:
    """Noise in strong colours is nothing that the run has seen."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    own = tiny_root / "CLL" / "sj-99-11_001.png"
    strange, familiar = classify_files(load_classifier(run), [("n", file), ("o", own)])
    assert not strange["familiar"]
    assert familiar["familiar"]


def test_nothing_to_classify_gives_nothing(run: Run) -> None:
    """An empty list is no error."""
    classifier = load_classifier(run)
    assert classifier.classify([]).shape == (0, 3)
    assert list(classify_files(classifier, [])) == []


def test_a_run_that_has_not_finished_cannot_answer(tiny_root: Path) -> None:
    """The message says to wait or resume."""
    config = TrainConfig(str(tiny_root), epochs=2)
    made = create_run(config, split_by_patient(usable(scan(tiny_root))))
    with pytest.raises(RunError, match="finish"):
        load_classifier(made)


def test_a_strangers_checkpoint_executes_nothing(run: Run, tmp_path: Path) -> None:
    """A run folder from elsewhere may hold a pickle that wants to run."""
    import torch

    class Evil:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "pwned",)

    copy = Run(Path(shutil.copytree(run.path, tmp_path / "copy")))
    torch.save({"model": Evil()}, copy.path / "best.pt")
    with pytest.raises(RunError, match="damaged"):
        load_classifier(copy)
    assert not (tmp_path / "pwned").exists()
