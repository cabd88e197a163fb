"""Class weights, counted on training pictures only."""

import pandas as pd

from lymph.errors import ConfigError


def class_weights(rows: pd.DataFrame, mode: str, classes: list[str]) -> dict[str, float]:
    """Weigh classes by inverse frequency, w_c = N / (K n_c), counted on training pictures only.

    Parameters
    ----------
    rows : DataFrame
        The training rows of the picture table; rows of other sets must not be among them.
    mode : str
        ``none`` (all 1), ``picture`` (n_c pictures) or ``patient`` (n_c patients).
    classes : list of str

    Raises
    ------
    ConfigError
        When a class has no training picture, so that its weight would be infinite.
    """
    if mode == "none":
        return dict.fromkeys(classes, 1.0)
    counted = rows if mode == "picture" else rows.drop_duplicates(["patient", "label"])
    counts = counted["label"].value_counts()
    empty = [name for name in classes if not counts.get(name, 0)]
    if empty:
        raise ConfigError(
            f"Class {empty[0]} has no training picture, so it cannot be weighted; change the split"
            " or train without class weights."
        )
    return {name: float(counts.sum() / (len(classes) * counts[name])) for name in classes}
