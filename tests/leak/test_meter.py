"""The leak meter: known gaps are measured, a process of its own tells how it goes."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lymph import leak
from lymph.cli import main
from lymph.data.source import PictureSource
from lymph.errors import RunError, SplitError
from lymph.leak import measurement as kept
from lymph.leak import meter
from lymph.leak.control import BELOW_CHANCE, draws_that_leak
from lymph.leak.linear_features import colour_features
from lymph.leak.meter import choose_pictures, count_folds
from lymph.training import folder as files
from tests.waiting import wait_for

PICTURES, PATIENTS = 10, 8


@pytest.fixture
def table() -> pd.DataFrame:
    """Return two classes of eight patients, ten pictures each."""
    rows = [
        {"picture": f"{label}/{patient}-{i}.png", "label": label, "patient": f"{label}{patient}"}
        for label in "AB"
        for patient in range(PATIENTS)
        for i in range(PICTURES)
    ]
    return pd.DataFrame(rows)


def of_patients(table: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Draw features that tell the patient and nothing of the class."""
    centres = {name: rng.normal(0, 10, 20) for name in table["patient"].unique()}
    return np.array([centres[p] + rng.normal(0, 0.1, 20) for p in table["patient"]])


def of_classes(table: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Draw features that tell the class and nothing of the patient."""
    shift = (table["label"] == "B").to_numpy()[:, None]
    return 4.0 * shift + rng.normal(0, 1, (len(table), 6))


def measure(draw: Callable[..., np.ndarray], table: pd.DataFrame, seeds: int) -> dict:
    """Measure the leak of a linear model on drawn features."""
    features = draw(table, np.random.default_rng(0))
    return leak.measure_leak(leak.linear(features, table), table, seeds)


def test_features_of_patients_leak(table: pd.DataFrame) -> None:
    """A random split names nearly all, a patient split no more than by chance."""
    result = measure(of_patients, table, seeds=3)
    assert result["picture"]["mean"] > 0.95 and result["picture"]["same_patient_rate"] == 1.0
    assert result["picture"]["same_patient_rate_by_chance"] == pytest.approx(1 / 16, abs=0.01)
    assert result["patient"]["same_patient_rate"] == 0.0
    assert result["patient"]["mean"] < 0.75 and result["gap"] > 0.25
    low, high = result["patient"]["interval"]
    assert low <= 0.5 <= high
    assert len(result["patient"]["accuracies"]) == 3
    assert (result["pictures"], result["patients"], result["folds"]) == (160, 16, 5)


def test_features_of_classes_do_not_leak(table: pd.DataFrame) -> None:
    """Where the class itself is seen, the patients make no difference, and the words say so."""
    result = measure(of_classes, table, seeds=2)
    assert abs(result["gap"]) < 0.02
    assert "makes no difference that could be measured" in leak.words(result, "colour")


def test_the_words_carry_split_patients_and_interval(table: pd.DataFrame) -> None:
    """The sentence names both splits, the number of patients, the interval and the baseline."""
    result = measure(of_patients, table, seeds=2)
    words = leak.words(result, "colour")
    for part in ("split at random", "kept apart", "16 patients", "95 % interval", "50 %"):
        assert part in words
    assert "points of the random split's score" in words


def test_shuffled_classes_belong_to_patients(table: pd.DataFrame) -> None:
    """Every patient keeps one class, every class its number of patients; other seeds differ."""
    few = table[table["patient"] != "B0"]
    first, second = (leak.shuffle_classes(few, seed) for seed in (0, 1))
    for shuffled in (first, second):
        classes = shuffled.groupby("patient")["label"].agg(["nunique", "first"])
        assert (classes["nunique"] == 1).all()
        assert classes["first"].value_counts().to_dict() == {"A": 8, "B": 7}
        assert shuffled.drop(columns="label").equals(few.drop(columns="label"))
    assert (first["label"] != second["label"]).any() and (first["label"] != few["label"]).any()


def control(draw: Callable[..., np.ndarray], table: pd.DataFrame, seeds: int) -> dict:
    """Run the negative control of a linear model on drawn features."""
    features = draw(table, np.random.default_rng(0))
    return leak.measure_control(partial(leak.linear, features), table, seeds)


def test_the_control_proves_that_patients_are_recognised(table: pd.DataFrame) -> None:
    """Where patients can be told the random split finds classes that do not exist."""
    result = control(of_patients, table, seeds=3)
    assert result["picture"]["mean"] > 0.95 and result["patient"]["mean"] < 0.75
    assert draws_that_leak(result) == 3 and result["control"] and result["chance"] == 0.5
    shape = set(measure(of_patients, table, seeds=1))
    assert set(result) - shape == {"control", "baselines", "chance"} and shape <= set(result)
    words = leak.control_words(result, "colour")
    assert "16 patients" in words and words.count("recognises the patients. It leaks.") == 1
    below = result["patient"]["mean"] < 0.5
    assert words.endswith(BELOW_CHANCE) == below


def test_the_control_acquits_a_model_that_cannot_tell_patients(table: pd.DataFrame) -> None:
    """Features that are noise beat the largest class in no draw but by luck, and the words say."""
    result = control(lambda t, rng: rng.normal(size=(len(t), 3)), table, seeds=3)
    assert draws_that_leak(result) < 2
    assert "the control shows no leak" in leak.control_words(result, "colour")


def test_the_control_says_where_it_is_only_mostly_right(table: pd.DataFrame) -> None:
    """Two draws of three, with the figures of each."""
    part = {"mean": 0.6, "accuracies": [0.7, 0.7, 0.4]}
    result = {"picture": part, "patient": {"mean": 0.4, "accuracies": [0.4, 0.4, 0.4]}}
    result |= {"seeds": 3, "patients": 9, "baseline": 0.5, "baselines": [0.5] * 3, "chance": 0.3}
    words = leak.control_words(result, "cnn")
    assert "In 2 of 3 draws" in words and "not reliably" in words and BELOW_CHANCE not in words


def test_the_control_is_refused_where_it_can_show_nothing(table: pd.DataFrame) -> None:
    """Patients unknown, or a class with a single patient: a sentence, no figures."""
    unknown = table.assign(patient=table["picture"])
    with pytest.raises(SplitError, match="needs patients with several pictures"):
        control(of_patients, unknown, seeds=1)
    with pytest.raises(SplitError, match="has a single patient"):
        control(of_patients, table[table["patient"].isin(["A0", "A1", "B0"])], seeds=1)


def test_intervals_of_an_older_version_are_not_shown(tiny_root: Path) -> None:
    """Regression: results kept from before showed intervals that resampled patients."""
    measurement = leak.measure_here(leak.MeterConfig(str(tiny_root), seeds=1))
    new = measurement.result()
    assert new["patient"]["interval"] is not None and "version" not in new and "old" not in new
    old = dict(new)
    for by in ("picture", "patient"):
        old[by] = {k: v for k, v in new[by].items() if k != "interval_method"}
    rate = old["picture"].pop("same_patient_rate")
    old["picture"]["kin"] = rate  # its name in earlier versions
    (measurement.path / kept.RESULT).write_text(json.dumps(old), encoding="utf-8")
    found = measurement.result()
    assert found["picture"]["same_patient_rate"] == rate
    assert found["old"] and found["picture"]["interval"] is found["patient"]["interval"] is None
    assert found["patient"]["accuracies"] == new["patient"]["accuracies"]
    assert "cannot be given" in leak.words(found, "colour")
    for damaged in ("{", "[]", '{"picture": 1}', "null"):
        (measurement.path / kept.RESULT).write_text(damaged, encoding="utf-8")
        assert measurement.result() is None


def test_folds_follow_the_smallest_class(table: pd.DataFrame) -> None:
    """Never more folds than a class has patients; a single patient is refused by name."""
    few = table[(table["label"] == "A") | table["patient"].isin(["B0", "B1"])]
    assert count_folds(table) == 5 and count_folds(few) == 2
    with pytest.raises(SplitError, match="B has a single patient"):
        count_folds(table[(table["label"] == "A") | (table["patient"] == "B0")])


def test_of_a_large_set_whole_patients_are_drawn(table: pd.DataFrame) -> None:
    """Enough pictures, and every chosen patient with all of its own."""
    chosen = choose_pictures(table, most=45)
    assert 45 <= len(chosen) < 45 + PICTURES
    assert (chosen["patient"].value_counts() == PICTURES).all()


def test_colour_features_know_no_shapes(tiny_root: Path) -> None:
    """Turning a picture upside down changes none of the 18 numbers."""
    from PIL import Image, ImageOps

    first, second = "CLL/sj-99-11_001.png", "CLL/sj-99-11_002.png"
    ImageOps.flip(Image.open(tiny_root / first)).save(tiny_root / second)
    features = colour_features(tiny_root, pd.DataFrame({"picture": [first, second]}))
    assert features.shape == (2, 18)
    assert features[0] == pytest.approx(features[1], abs=1e-3)


def test_a_measurement_runs_on_its_own(tiny_root: Path) -> None:
    """Started, followed by its files alone, finished, and found again with its result."""
    measurement = leak.start_measurement(leak.MeterConfig(str(tiny_root), seeds=2))
    wait_for(lambda: measurement.status().over)
    status = measurement.status()
    assert (status.state, status.epoch, status.error) == ("finished", 4, "")
    found = leak.latest_measurement(PictureSource(tiny_root).look().source, "colour")
    assert found == measurement and found.result()["patients"] == 12
    assert leak.latest_measurement(PictureSource(tiny_root).look().source, "imagenet") is None
    assert leak.latest_measurement(PictureSource(tiny_root.parent), "colour") is None


def test_the_small_cnn_is_measured_the_same_way(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained anew for every fold it learns the easy set, by picture and by patient."""
    monkeypatch.setattr(meter, "FOLDS", 2)
    measurement = leak.measure_here(leak.MeterConfig(str(tiny_root), "cnn", seeds=1))
    assert measurement.status().error == "" and measurement.config.seeds == 1
    result = measurement.result()
    assert result["folds"] == 2 and result["patient"]["same_patient_rate"] == 0.0
    assert result["picture"]["mean"] > 0.8 and result["patient"]["mean"] > 0.6
    assert leak.MeterConfig(str(tiny_root), "cnn").seeds == 3
    assert "small CNN trained again" in leak.words(result, "cnn")


def test_a_measurement_can_be_stopped(tiny_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked to stop before its first round it ends as stopped, without a result."""
    from lymph.leak import leak_worker

    true_measure = leak_worker.measure_leak

    def measure_after_stop(*args: object) -> dict:
        (
            leak.latest_measurement(PictureSource(tiny_root).look().source, "colour").path
            / files.STOP
        ).touch()
        return true_measure(*args)

    monkeypatch.setattr(leak_worker, "measure_leak", measure_after_stop)
    measurement = leak.measure_here(leak.MeterConfig(str(tiny_root), seeds=2))
    assert measurement.status().state == "stopped" and measurement.result() is None


def test_what_goes_wrong_is_told(tiny_root: Path, tmp_path: Path) -> None:
    """Missing pictures and missing weights end as failed with the remedy, not in silence."""
    gone = leak.measure_here(leak.MeterConfig(str(tmp_path / "nowhere")))
    assert gone.status().state == "failed" and "no folder" in gone.status().error
    config = leak.MeterConfig(str(tiny_root), "imagenet", str(tmp_path / "none.pth"))
    failed = leak.measure_here(config)
    assert failed.status().state == "failed" and "no file" in failed.status().error


def test_the_command_prints_one_document(
    tiny_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``leak --json`` gives the result and its words; an impossible one ends with code 2."""
    assert main(["leak", str(tiny_root), "--seeds", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["patients"] == 12 and "12 patients" in document["words"]
    assert document["patient"]["interval_method"] in document["words"]
    assert document["neighbours"]["patients"] == 12
    assert main(["leak", str(tiny_root), "--seeds", "2", "--control", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["control"] and len(document["picture"]["accuracies"]) == 2
    assert "class drawn at random" in document["words"]
    source = PictureSource(tiny_root).look().source
    assert leak.latest_measurement(source, "colour", control=True).config.control
    assert not leak.latest_measurement(source, "colour").config.control
    assert main(["leak", str(tiny_root), "--seeds", "0", "--json"]) == 2
    assert main(["leak", str(tiny_root / "nowhere"), "--json"]) == 2
    assert main(["leak", str(tiny_root), "--patients", "none", "--control"]) == 2
    told = capsys.readouterr().err
    assert "no folder" in told and "needs patients with several pictures" in told


def test_another_encoder_is_measured_and_told_apart(
    tiny_root: Path, tiny_encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its name is in the words, and a later look for ResNet-50's measurement does not find it."""
    asked = ["leak", str(tiny_root), "--encoder", str(tiny_encoder), "--seeds", "1", "--json"]
    assert main(asked) == 0
    document = json.loads(capsys.readouterr().out)
    assert f"On frozen features of {tiny_encoder.name}" in document["words"]
    assert document["neighbours"]["patients"] == 12
    source = PictureSource(tiny_root).look().source
    found = leak.latest_measurement(source, "imagenet", encoder=str(tiny_encoder))
    assert found.config.title == f"frozen features of {tiny_encoder.name}"
    assert leak.latest_measurement(source, "imagenet") is None


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        (["--features", "colour"], "choose --features imagenet"),
        ([], "There is no encoder"),
    ],
)
def test_an_encoder_that_cannot_be_is_said(
    tiny_root: Path, capsys: pytest.CaptureFixture[str], asked: list[str], remedy: str
) -> None:
    """One line with the remedy: colours have no encoder, and a file that is not there is named."""
    assert main(["leak", str(tiny_root), "--encoder", "nowhere", *asked]) == 2
    assert remedy in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"features": "taste"}, {"seeds": 0}, {"seeds": 101}])
def test_impossible_measurements_are_refused(change: dict) -> None:
    """Unknown features and numbers of seeds."""
    with pytest.raises(RunError):
        leak.MeterConfig("data", **change)
