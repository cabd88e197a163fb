"""The time a run will take and the time left, from known seconds."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from torch import Tensor, nn

from lymph.data.source import PictureSource
from lymph.models.encoded import encode
from lymph.models.specs import MODELS
from lymph.models.view import work_of
from lymph.splits import make_folds, split_by_patient
from lymph.training import estimate, precision, speed
from lymph.training.config import TrainConfig
from lymph.training.estimate import estimate_seconds, seconds_left
from lymph.training.phases import plan_phases
from lymph.training.speed import Precision


class Flat(nn.Conv2d):
    """An encoder of one feature."""

    def __init__(self) -> None:
        super().__init__(3, 1, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return N x 1."""
        return super().forward(pictures).mean(dim=(2, 3))


def rows(*epochs: tuple[str, float], **more: object) -> pd.DataFrame:
    """Return finished epochs: phase and seconds."""
    return pd.DataFrame(epochs, columns=["phase", "seconds"]).assign(**more)


def test_the_time_left_counts_each_phase_at_its_own_speed() -> None:
    """Nine slow epochs are ahead although the last three were fast, or the other way round."""
    plan = plan_phases(
        TrainConfig("x", "resnet50", phases=["linear_probe:3", "finetune:3", "linear_probe:2"])
    )
    seen = rows(
        ("linear_probe", 0.1), ("linear_probe", 0.1), ("linear_probe", 0.1), ("finetune", 60.0)
    )
    assert seconds_left(seen, plan, 4.5, 8) == pytest.approx(1.5 * 60 + 2 * 0.1)
    assert seconds_left(seen[:3], plan, 3, 8) is None
    assert seconds_left(seen[:0], plan, 0, 8) is None


def test_the_time_left_of_folds_is_not_that_of_their_last_phase() -> None:
    """A fold ends with epochs on ready features; the folds ahead begin with fine-tuning."""
    plan = plan_phases(TrainConfig("x", "resnet50", epochs=2))
    seen = rows(("finetune", 60.0), ("linear_probe", 0.0), fold=1)
    assert seconds_left(seen, plan, 2, 10) == pytest.approx(8 * 30)


def test_folds_take_as_long_as_their_trainings(
    make_tiny: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On ready features the backbone is paid for once, else with every epoch of every fold."""
    monkeypatch.setattr(speed, "known", lambda name: Precision(False, False, 1.0, 0.5))
    table = PictureSource(make_tiny()).usable()
    folds = make_folds(table, 4)

    def seconds(schedule: str, split: object) -> float:
        config = TrainConfig("x", "resnet50", schedule=schedule, epochs=2)
        return estimate_seconds(config, split, table) - estimate.START_SECONDS

    frozen = seconds("linear_probe", folds)
    assert 18 < frozen < 18 + 4 * (estimate.LOAD_SECONDS + 1)
    assert seconds("finetune", folds) > 4 * 2 * 18
    assert seconds("finetune", split_by_patient(table)) < seconds("finetune", folds) / 2


def test_what_comes_before_the_last_block_is_paid_for_once(
    make_tiny: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the page would promise an hour for what takes minutes."""
    monkeypatch.setattr(speed, "known", lambda name: Precision(False, False, 1.0, 1.0))
    table = PictureSource(make_tiny()).usable()
    folds, config = make_folds(table, 4), TrainConfig("x", "resnet50", epochs=2)
    once = estimate_seconds(config, split_by_patient(table), table)
    four = estimate_seconds(config, folds, table)
    stem = estimate.STEM_SHARE * 312 * 416 / 224**2 * len(table)
    assert once > estimate.START_SECONDS + stem
    assert four - once < 3.5 * (once - estimate.START_SECONDS - stem)


@pytest.mark.parametrize("text", ["[]", '{"%s": 3}', '{"%s": {"cnn": [true, true, 1e30, "x"]}}'])
def test_a_damaged_file_of_speeds_is_measured_again(workspace: Path, text: str) -> None:
    """Regression: a speed of the wrong type broke the Train page until the file was deleted."""
    file = workspace / "cache" / "speed.json"
    # Other tests may have measured with other numbers of threads.
    file.unlink(missing_ok=True)
    sound = precision.precision_here("cnn")
    (machine,) = json.loads(file.read_text())
    file.write_text(text.replace("%s", machine))
    again = precision.precision_here("cnn")
    assert [type(value) for value in again] == [type(value) for value in sound]
    assert list(json.loads(file.read_text())[machine]["cnn"]) == list(again)


def test_a_probe_takes_time_for_new_pictures_only(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small pictures cost their share of a large one; what was seen before costs nothing."""
    monkeypatch.setattr(speed, "known", lambda name: Precision(False, True, 100.0, 100.0))
    table = PictureSource(tiny_root).usable()
    config, folds = TrainConfig(str(tiny_root), "linear-probe"), make_folds(table, 4)
    at_first = estimate_seconds(config, folds, table)
    work = len(table) * 100 * (96 * 128) / (624 * 834)
    heads = 4 * (estimate.LOAD_SECONDS + 30 * estimate.HEAD_EPOCH_SECONDS)
    assert at_first == pytest.approx(estimate.START_SECONDS + work + heads)
    encode(tiny_root, list(table["picture"]), Flat(), MODELS["linear-probe"])
    assert estimate_seconds(config, folds, table) == pytest.approx(estimate.START_SECONDS + heads)


@pytest.mark.parametrize("model", ["cnn", "resnet50"])
def test_a_network_on_tiles_trains_on_one_and_answers_by_all(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """An epoch costs as many pixels as there are pictures; validation and answers all tiles."""
    monkeypatch.setattr(speed, "known", lambda name: Precision(False, True, 2.0, 1.0))
    table, side = PictureSource(tiny_root).usable(), 64
    split = split_by_patient(table)
    counts = split.assign(table).value_counts()
    settings = {"weights": "none", "schedule": "finetune", "epochs": 3, "tiles": side}
    promised = estimate_seconds(TrainConfig(str(tiny_root), model, **settings), split, table)
    share = side**2 / {"cnn": 128, "resnet50": 224}[model] ** 2
    epoch = share * (2 * counts["train"] + 4 * counts["val"])  # seen at 96 x 128: four tiles each
    answers = share * 4 * len(table)
    assert promised == pytest.approx(estimate.START_SECONDS + 3 * epoch + answers)


def test_the_last_block_on_tiles_is_promised_more_than_on_fewer(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All tiles go through the frozen part, once for all folds."""
    monkeypatch.setattr(speed, "known", lambda name: Precision(False, True, 2.0, 1.0))
    table = PictureSource(tiny_root).usable()

    def promised(side: int, folds: int) -> float:
        config = TrainConfig(str(tiny_root), "resnet50", tiles=side)
        found = estimate_seconds(config, make_folds(table, folds), table)
        assert found is not None
        return found

    stem = estimate.STEM_SHARE * len(table) * 4 * 64**2 / 224**2
    assert stem < promised(64, 2) < promised(64, 4) < 10 * stem + 100
    # Two by three tiles of 48... would be too small: one of 128 covers less than four of 64.
    assert promised(128, 2) != promised(64, 2)


def test_tiles_are_promised_more_time_and_more_on_a_slow_machine(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: tiles counted as so many pixels of a whole picture, on any machine alike."""
    table = PictureSource(tiny_root).usable()
    config, folds = TrainConfig(str(tiny_root), "linear-probe", tiles=64), make_folds(table, 4)

    def promised(seconds: float, seen: bool) -> float:
        known = Precision(False, True, seconds, seconds)
        monkeypatch.setattr(speed, "known", lambda name: known)
        found = estimate_seconds(config, folds, table, seen)
        assert found is not None
        return found

    usual = estimate.TILE_MACHINE_SECONDS
    # A graphics card encodes quickly, and the processor fits the heads all the same.
    assert promised(usual / 100, True) == promised(usual, True) < promised(10 * usual, True)
    pixels = len(table) * work_of(48, 64, config.spec) / (624 * 834)
    features = promised(100.0, False) - promised(100.0, True)
    assert features == pytest.approx(estimate.TILED * 100 * pixels)
