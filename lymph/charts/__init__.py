"""Tables become figures: pure functions, Plotly or Altair, fit for light and dark pages."""

from lymph.charts.confusion import SELECTION, confusion_cells, confusion_chart
from lymph.charts.data import class_histogram, patient_counts, pictures_per_patient, set_balance
from lymph.charts.embedding import COLOURINGS, embedding_chart
from lymph.charts.learning import learning_curves
from lymph.charts.probabilities import percent, probability_bars
from lymph.charts.style import SET_TITLES, ink_on, whole_percent

__all__ = [
    "COLOURINGS",
    "SELECTION",
    "SET_TITLES",
    "class_histogram",
    "confusion_cells",
    "confusion_chart",
    "embedding_chart",
    "ink_on",
    "learning_curves",
    "patient_counts",
    "percent",
    "pictures_per_patient",
    "probability_bars",
    "set_balance",
    "whole_percent",
]
