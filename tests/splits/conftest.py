"""Picture tables for the split tests: the true names, even ones, and any hypothesis draws."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import strategies as st

from lymph.data.names import origin_of

NAMES = Path(__file__).parents[3] / "shared" / "data" / "names.txt"

Counts = Mapping[str, Mapping[str, int]]


def table_of(counts: Counts) -> pd.DataFrame:
    """Return a picture table with so many pictures of each patient of each class."""
    rows = [
        {"picture": f"{label}/{patient}_{i}.png", "label": label, "patient": patient}
        for label, patients in counts.items()
        for patient, pictures in patients.items()
        for i in range(pictures)
    ]
    return pd.DataFrame(rows)


def even_table(classes: int, patients: int, pictures: int) -> pd.DataFrame:
    """Return a table whose classes and patients are all of one size."""
    return table_of({
        f"class {c}": {f"{c}-{p:03}": pictures for p in range(patients)} for c in range(classes)
    })  # fmt: skip


def true_table(year: str = "") -> pd.DataFrame:
    """Return the table of the 374 true names, with another year in place of the true ones."""
    if not NAMES.is_file():
        pytest.skip("the list of true names (../shared/data/names.txt) is not here")
    rows = []
    for name in NAMES.read_text(encoding="utf-8").split():
        origin = origin_of(name)
        assert origin is not None
        number = origin.patient.split("-")[1]
        patient = f"{year}-{number}" if year else origin.patient
        rows.append({"picture": name, "label": name.split("/")[0], "patient": patient})
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def true_names() -> pd.DataFrame:
    """Return the table of the 374 true names."""
    return true_table()


# Zero bytes, combining marks, other scripts, blanks and quotes: a CSV may name patients anything.
NAME = st.text(
    st.sampled_from("aA1-_ .'\"\0\n\u0301é漢ß🙂\u200b/"), min_size=1, max_size=4
) | st.text(min_size=1, max_size=6)


@st.composite
def tables(draw: st.DrawFn, min_patients: int = 1, several_classes: bool = True) -> pd.DataFrame:
    """Draw a table of 2 to 4 classes with strange names; some patients have several classes."""
    labels = draw(st.lists(NAME, min_size=2, max_size=4, unique=True))
    names = draw(
        st.lists(NAME, min_size=max(2, len(labels) * min_patients), max_size=16, unique=True)
    )
    counts: dict[str, dict[str, int]] = {label: {} for label in labels}
    for i, name in enumerate(names):
        counts[labels[i % len(labels)]][name] = draw(st.integers(1, 6))
        if several_classes and draw(st.integers(0, 5)) == 0:
            counts[draw(st.sampled_from(labels))].setdefault(name, draw(st.integers(1, 6)))
    table = table_of(counts)
    table["picture"] = [f"{i}/{name}" for i, name in enumerate(table["picture"])]
    return table.sample(frac=1, random_state=draw(st.integers(0, 99)), ignore_index=True)
