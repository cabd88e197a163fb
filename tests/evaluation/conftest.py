"""Prediction tables with known answers."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from lymph.evaluation import make_predictions

CLASSES = ("CLL", "FL", "MCL")
Row = tuple[str, str, str]


@pytest.fixture
def from_rows() -> Callable[..., pd.DataFrame]:
    """Return a maker of tables from (patient, label, predicted); ``sure`` is its probability."""

    def make(
        rows: Sequence[Row],
        classes: Sequence[str] = CLASSES,
        sure: float = 0.8,
        set_name: str = "test",
    ) -> pd.DataFrame:
        table = pd.DataFrame(rows, columns=["patient", "label", "predicted"], dtype=str)
        table["picture"] = [f"{row[1]}/{row[0]}_{place:05}.tif" for place, row in enumerate(rows)]
        table = table.assign(slide=table["patient"] + "-R1", set=set_name)
        rest = (1 - sure) / (len(classes) - 1)
        hit = table["predicted"].to_numpy()[:, None] == np.array(classes, dtype=object)
        return make_predictions(table, np.where(hit, sure, rest), classes)

    return make


@pytest.fixture
def random_table() -> Callable[..., pd.DataFrame]:
    """Return a maker of random tables; each patient has one class, pictures vary in number."""

    def make(
        pictures: int = 200, patients: int = 20, classes: Sequence[str] = CLASSES, seed: int = 0
    ) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        patient = rng.integers(patients, size=pictures)
        label = patient % len(classes)
        logits = rng.normal(size=(pictures, len(classes)))
        logits[np.arange(pictures), label] += 1
        values = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        table = pd.DataFrame(
            {
                "picture": [
                    f"a/sj-05-{who:04}_{place:05}.tif" for place, who in enumerate(patient)
                ],
                "label": np.array(classes, dtype=object)[label],
                "patient": [f"05-{who:04}" for who in patient],
                "slide": [f"05-{who:04}-R4" for who in patient],
                "set": "test",
            }
        )
        return make_predictions(table, values, classes)

    return make
