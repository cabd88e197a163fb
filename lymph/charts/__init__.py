"""Tables become figures: pure functions, Plotly or Altair, fit for light and dark pages."""

from lymph.charts.confusion import SELECTION, confusion_cells, confusion_chart
from lymph.charts.data import (
    class_histogram,
    kinds_histogram,
    kinds_of,
    patient_counts,
    pictures_per_patient,
    set_balance,
)
from lymph.charts.leak import leak_bars
from lymph.charts.learning import learning_curves
from lymph.charts.probabilities import percent, probability_bars
from lymph.charts.stain import intensity_histogram, stain_map, zoomable
from lymph.charts.style import SET_TITLES, ink_on, whole_percent

__all__ = [
    "SELECTION",
    "SET_TITLES",
    "class_histogram",
    "confusion_cells",
    "confusion_chart",
    "ink_on",
    "intensity_histogram",
    "kinds_histogram",
    "kinds_of",
    "leak_bars",
    "learning_curves",
    "patient_counts",
    "percent",
    "pictures_per_patient",
    "probability_bars",
    "set_balance",
    "stain_map",
    "whole_percent",
    "zoomable",
]
