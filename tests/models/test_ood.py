"""The checks for strange pictures: tissue passes, photographs, greys and blank glass do not."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from lymph.data.read import read_picture
from lymph.data.source import PictureSource
from lymph.models.ood import (
    COLOUR_REASON,
    FALSE_ALARMS,
    FAMILIAR_SHARE,
    FEATURE_REASON,
    OODDetector,
    colour_statistics,
    false_alarm_rate,
    fit_ood_detector,
)


def features_of(count: int, patients: np.ndarray, seed: int = 0) -> np.ndarray:
    """Draw features of 40 numbers: a clump a patient."""
    rng = np.random.default_rng(seed)
    codes = np.unique(patients, return_inverse=True)[1]
    return rng.normal(0, 1, (count, 40)) + 0.5 * rng.normal(0, 1, (codes.max() + 1, 40))[codes]


def fitted_on(root: Path) -> OODDetector:
    """Fit on every sound picture of a folder, with drawn features."""
    table = PictureSource(root).usable()
    statistics = np.stack([colour_statistics(read_picture(root / p)) for p in table["picture"]])
    patients = table["patient"].to_numpy(str)
    features = features_of(len(table), patients)
    return fit_ood_detector(statistics, patients, features, features[:0])


def test_photographs_greys_and_blanks_are_strange(make_tiny) -> None:  # noqa: ANN001
    """A fit on stripes: its own pictures are familiar, anything else is not, and says why."""
    root = make_tiny(pictures=6)
    check = fitted_on(root)
    within = features_of(72, np.repeat(np.arange(12), 6).astype(str))
    own = [
        check.reason(colour_statistics(read_picture(file)), row)
        for file, row in zip(sorted(root.glob("*/*.png")), within, strict=True)
    ]
    assert np.mean([reason == "" for reason in own]) >= 0.9
    grey = np.repeat(read_picture(next(root.glob("*/*.png")))[..., :1], 3, axis=-1)
    blank = np.full((50, 50, 3), 255, np.uint8)
    for picture in (*load_sample_images().images, blank, grey):
        assert check.reason(colour_statistics(picture), within[0]) == COLOUR_REASON


def test_far_features_are_strange_along_and_beside_the_axes(make_tiny) -> None:  # noqa: ANN001
    """Familiar colours do not excuse features that no training picture had."""
    root = make_tiny(pictures=6)
    check = fitted_on(root)
    colours = colour_statistics(read_picture(next(root.glob("*/*.png"))))
    middle = check.origin + 0.5
    assert check.reason(colours, middle) == ""
    assert check.reason(colours, middle + 30 * check.axes[0]) == FEATURE_REASON
    beside = np.linalg.svd(check.axes)[2][-1]  # a direction that none of the axes has
    assert check.reason(colours, middle + 500 * beside) == FEATURE_REASON


def test_patients_who_were_kept_out_widen_what_is_familiar() -> None:
    """A network knows its training patients; validation patients tell how far new ones lie."""
    patients = np.repeat(np.arange(10), 8).astype(str)
    statistics = np.random.default_rng(0).normal(0, 1, (80, 14))
    features = features_of(80, patients)
    alone = fit_ood_detector(statistics, patients, features, features[:0])
    held_out = 4 * features_of(16, patients[:16], seed=1)
    widened = fit_ood_detector(statistics, patients, features, held_out)
    assert widened.features.threshold > 1.5 * alone.features.threshold
    assert widened.colours.threshold == alone.colours.threshold
    reasons = [widened.reason(statistics.mean(axis=0), row) for row in held_out]
    assert sum(map(bool, reasons)) <= 1


def test_the_check_errs_less_the_more_patients_it_knew() -> None:
    """The rate falls with the training patients, ends at what was measured, may be unknown."""
    rates = [false_alarm_rate(patients) for patients in range(1, 40)]
    assert np.all(np.diff(rates) <= 0) and rates[0] > rates[-1] > 1 - FAMILIAR_SHARE
    assert (rates[0], rates[-1]) == (max(FALSE_ALARMS.values()), min(FALSE_ALARMS.values()))
    assert false_alarm_rate(None) is None
    assert false_alarm_rate(3, drawn=True) > false_alarm_rate(3)


def test_it_survives_its_file(make_tiny) -> None:  # noqa: ANN001
    """Written as JSON and read back, it gives the same distances."""
    check = fitted_on(make_tiny())
    again = OODDetector.from_json(json.loads(json.dumps(check.to_json())))
    statistics = colour_statistics(load_sample_images().images[0])[None]
    assert again.colours.distances(statistics) == pytest.approx(check.colours.distances(statistics))
    np.testing.assert_array_equal(again.axes, check.axes)
    assert again.features.threshold == check.features.threshold


def test_a_picture_of_one_pixel_has_statistics() -> None:
    """Nothing is divided by zero."""
    assert np.isfinite(colour_statistics(np.zeros((1, 1, 3), np.uint8))).all()


def test_real_tissue_passes_and_photographs_do_not(real_root: Path) -> None:
    """Colours alone, every third real picture, patients in two halves: few of the other half."""
    table = PictureSource(real_root).usable().iloc[::3]
    patients = table["patient"].to_numpy(str)
    values = np.stack([colour_statistics(read_picture(real_root / p)) for p in table["picture"]])
    half = np.isin(patients, np.unique(patients)[::2])
    features = np.random.default_rng(0).normal(0, 1, (len(table), 20))
    check = fit_ood_detector(values[half], patients[half], features[half], features[~half])
    assert (check.colours.distances(values[~half]) > 1).mean() <= 0.15
    photographs = np.stack([colour_statistics(p) for p in load_sample_images().images])
    assert (check.colours.distances(photographs) > 2).all()
