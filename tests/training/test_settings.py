"""Configuration, phases, class weights and learning rates."""

import pandas as pd
import pytest

from lymph.data.source import PictureSource
from lymph.errors import ConfigError, RunError
from lymph.leak.measurement import MeterConfig
from lymph.training.class_weights import class_weights
from lymph.training.config import TrainConfig
from lymph.training.phases import phase_of, plan_phases, rate_factor


def test_an_unknown_key_is_refused() -> None:
    """A mistyped key must not be passed over in silence."""
    with pytest.raises(ConfigError, match="'epoch'"):
        TrainConfig.from_json({"source": {"root": "x"}, "epoch": 3})


@pytest.mark.parametrize(
    "change",
    [
        {"model": "vgg"},
        {"epochs": -1},
        {"batch_size": 0},
        {"learning_rate": -1.0},
        {"class_weights": "some"},
        {"schedule": "never"},
        {"seed": -1},
        {"epochs": True},
        {"augmentation": ["mirror"]},
        {"precision": "float16"},
        {"patience": -1},
        {"backbone_factor": 2.0},
        {"phases": ["linear_probe"]},
        {"phases": ["tail:3"]},
        {"phases": ["linear_probe:0"]},
        {"phases": "linear_probe:3"},
        {"epochs": 2.5},
        {"epochs": 0},
        {"seed": 1.5},
        {"seed": "1"},
        {"classes": "abc"},
        {"classes": [1, 2]},
        {"augmentation": "flips"},
        {"weights": None},
        {"warm_up": float("nan")},
        {"learning_rate": "0.1"},
        {"schedule": ["finetune"]},
    ],
)
def test_an_impossible_value_is_refused(change: dict) -> None:
    """Each message names the key."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        TrainConfig("x", **change)


@pytest.mark.parametrize(
    "change", [{"pattern": None}, {"skipped": "abc"}, {"within_class": 1}, {"labels_file": None}]
)
def test_a_source_is_held_to_its_types(change: dict) -> None:
    """A pattern None came up as a traceback when the names were read."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        PictureSource("x", **change)


@pytest.mark.parametrize(
    "change", [{"seeds": 2.5}, {"seeds": 0}, {"weights": None}, {"control": "no"}, {"colour": 1}]
)
def test_a_measurement_is_held_to_its_keys_and_types(change: dict) -> None:
    """An unknown key was a TypeError."""
    with pytest.raises(RunError, match=f"{next(iter(change))}|keys"):
        MeterConfig.from_json({"source": {"root": "x"}, **change})


def test_a_measurement_of_an_earlier_version_opens() -> None:
    """Its configuration had a folder, a pattern and a table in place of a source."""
    older = {"data": "x", "pattern": "", "patients_csv": "", "features": "cnn", "seeds": None}
    assert MeterConfig.from_json(older).times == 3


def test_a_configuration_survives_its_file() -> None:
    """What is written is what is read."""
    config = TrainConfig("x", model="resnet50", weights="none", seed=4, class_weights="patient")
    assert TrainConfig.from_json(config.to_json()) == config


def test_a_source_with_an_unknown_key_or_value_is_refused() -> None:
    """The source in a configuration is held to its keys as the configuration is."""
    for source in ({"root": "x", "colour": 1}, {"root": "x", "patients": "guess"}, 5, {}):
        with pytest.raises(ConfigError, match=r"source|patients"):
            TrainConfig.from_json({"source": source})


def test_the_notebooks_schedule_is_five_whole_then_five_frozen() -> None:
    """Notebook fault 5: freeze_epochs was an argument that nothing read."""
    phases = plan_phases(TrainConfig("x", model="resnet50"))
    assert [(p.name, p.first_epoch, p.epochs) for p in phases] == [
        ("finetune", 1, 5),
        ("linear_probe", 6, 5),
    ]
    assert phases[0].backbone_rate == pytest.approx(0.1 * phases[0].head_rate)
    assert phases[1].backbone_rate == 0.0
    assert phase_of(phases, 5).name == "finetune"
    assert phase_of(phases, 6).name == "linear_probe"


def test_the_better_schedule_turns_the_order() -> None:
    """A linear probe first, then fine-tuning."""
    phases = plan_phases(
        TrainConfig("x", model="resnet50", schedule="linear_probe_then_finetune", epochs=7)
    )
    assert [(p.name, p.epochs) for p in phases] == [("linear_probe", 3), ("finetune", 4)]


@pytest.mark.parametrize(
    ("older", "now"),
    [
        ("whole-then-head", "finetune_then_linear_probe"),
        ("head-then-whole", "linear_probe_then_finetune"),
        ("whole", "finetune"),
        ("head", "linear_probe"),
        ("linear-probe", "linear_probe"),
    ],
)
def test_schedules_of_earlier_versions_are_known(older: str, now: str) -> None:
    """A configuration, a script and a command written before the phases had the field's names."""
    assert TrainConfig("x", "resnet50", schedule=older).schedule == now
    written = {**TrainConfig("x", "resnet50").to_json(), "schedule": older}
    assert TrainConfig.from_json(written).schedule == now
    with pytest.raises(ConfigError, match="'heads'"):
        TrainConfig("x", "resnet50", schedule="heads")


def test_phases_and_their_lengths_are_free() -> None:
    """Named phases replace schedule and epochs, in any order and number."""
    config = TrainConfig(
        "x", "resnet50", phases=["linear_probe:1", "finetune:3", "linear_probe:2"], epochs=99
    )
    assert config.epochs == 6
    phases = plan_phases(config)
    assert [(p.name, p.first_epoch, p.epochs) for p in phases] == [
        ("linear_probe", 1, 1),
        ("finetune", 2, 3),
        ("linear_probe", 5, 2),
    ]


def test_the_rates_of_backbone_and_warm_up_are_free() -> None:
    """The backbone's share of the rate, and the share of steps in which rates rise."""
    phases = plan_phases(TrainConfig("x", "resnet50", learning_rate=0.01, backbone_factor=0.5))
    assert phases[0].backbone_rate == pytest.approx(0.005)
    assert [rate_factor(step, 10, warm_up=0.5) for step in range(5)] == [0.2, 0.4, 0.6, 0.8, 1.0]


def test_the_small_cnn_has_one_phase() -> None:
    """There is nothing to freeze in a network from scratch."""
    phases = plan_phases(TrainConfig("x", epochs=9))
    assert [(p.name, p.epochs) for p in phases] == [("finetune", 9)]
    assert phases[0].backbone_rate == phases[0].head_rate


def test_the_rate_warms_up_and_falls_to_nearly_nothing() -> None:
    """Never zero at the first step, one at the peak, falling after it."""
    factors = [rate_factor(step, 100) for step in range(100)]
    assert 0 < factors[0] < factors[5] < factors[9] == 1.0
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert 0 <= factors[-1] < 0.01
    assert rate_factor(0, 1) == 1.0


def rows() -> pd.DataFrame:
    """Return nine training rows: five pictures of two A patients, four of four B patients."""
    return pd.DataFrame(
        {"label": ["A"] * 5 + ["B"] * 4, "patient": ["1", "1", "1", "1", "2", "3", "4", "5", "6"]}
    )


def test_weights_are_inverse_frequencies_of_pictures_or_patients() -> None:
    """w_c = N / (K n_c), with known answers."""
    assert class_weights(rows(), "picture", ["A", "B"]) == {"A": 9 / 10, "B": 9 / 8}
    assert class_weights(rows(), "patient", ["A", "B"]) == {"A": 6 / 4, "B": 6 / 8}
    assert class_weights(rows(), "none", ["A", "B"]) == {"A": 1.0, "B": 1.0}


def test_a_patient_of_two_classes_counts_in_both() -> None:
    """Regression: it counted for the class of its first picture, and the other had no patient."""
    mixed = pd.DataFrame({"label": ["A", "B", "A"], "patient": ["1", "1", "2"]})
    assert class_weights(mixed, "patient", ["A", "B"]) == {"A": 3 / 4, "B": 3 / 2}


def test_a_class_without_training_pictures_cannot_be_weighted() -> None:
    """Its weight would be infinite."""
    with pytest.raises(ConfigError, match="Class C"):
        class_weights(rows(), "picture", ["A", "B", "C"])
