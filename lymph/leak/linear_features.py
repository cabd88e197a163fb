"""What the leak meter's linear model looks at."""

from pathlib import Path

import numpy as np
import pandas as pd

from lymph.data.measure import COLOUR_STATISTICS, measure_all
from lymph.errors import DataError
from lymph.models.encoder_table import DEFAULT
from lymph.parallel import Progress


def colour_features(
    root: Path | str, table: pd.DataFrame, progress: Progress | None = None
) -> np.ndarray:
    """Return the 18 colour statistics of every picture, N x 18: no shapes, no texture."""
    measured = measure_all(root, list(table["picture"]), progress)
    if (measured["content"] == "").any():
        lost = measured.loc[measured["content"] == "", "picture"].iloc[0]
        raise DataError(f"{lost} can no longer be read; scan the folder again.")
    return measured[COLOUR_STATISTICS].to_numpy(np.float64)


def frozen_features(
    root: Path | str,
    table: pd.DataFrame,
    weights: str,
    progress: Progress | None = None,
    encoder: str = DEFAULT,
) -> np.ndarray:
    """Return the linear probe's features of every picture, N x D.

    Of ResNet-50 they are means and spreads of layer1 to layer3 over the enlarged picture with its
    own contrast, 3,584 numbers; a run's probe learns from the very same.

    Parameters
    ----------
    root : Path
        Data root.
    table : DataFrame
        Picture table.
    weights : str
        ResNet-50's values: ``imagenet``, or a file.
    progress : callable, optional
    encoder : str
        As of :func:`lymph.training.encoders.open_encoder`.

    Raises
    ------
    WeightsError
        When the values cannot be had, or a part of them is missing.
    """
    # Loaded late: torch takes seconds to import.
    from lymph.training.encoders import features_of_set, open_encoder

    return features_of_set(open_encoder(encoder, weights), root, table, progress)
