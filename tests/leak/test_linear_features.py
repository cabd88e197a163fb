"""What the leak meter sees through an encoder is what a probe's run learns from."""

from pathlib import Path

import numpy as np
import pytest

from lymph.data.source import PictureSource
from lymph.errors import WeightsError
from lymph.leak.linear_features import frozen_features
from lymph.models.specs import MODELS
from lymph.models.store import unseen


def test_the_meter_and_a_probe_share_their_features(tiny_root: Path, encoder_file: Path) -> None:
    """One row of 3,584 numbers a picture, and none is left for a run to make."""
    table = PictureSource(tiny_root).usable().iloc[:4]
    features = frozen_features(tiny_root, table, str(encoder_file))
    assert features.shape == (4, 3584)
    assert np.isfinite(features).all()
    assert not np.allclose(features[0], features[-1])
    assert unseen(tiny_root, list(table["picture"]), MODELS["linear-probe"]) == []


def test_a_missing_file_of_values_is_said(tiny_root: Path) -> None:
    """The measurement ends in words."""
    table = PictureSource(tiny_root).usable()
    with pytest.raises(WeightsError, match="There is no file"):
        frozen_features(tiny_root, table, "nowhere.pth")
