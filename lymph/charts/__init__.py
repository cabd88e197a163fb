"""Tables become figures: pure functions, Plotly or HTML, fit for light and dark pages."""

from lymph.charts.confusion import (
    MATRIX_CSS,
    MODES,
    Mode,
    confusion_cells,
    difference_cells,
    matrix_html,
)
from lymph.charts.data import (
    class_histogram,
    kinds_histogram,
    kinds_of,
    names_fit,
    patient_counts,
    pictures_per_patient,
    set_balance,
)
from lymph.charts.embedding import COLOURINGS, embedding_chart
from lymph.charts.judgement import (
    class_curves,
    intervals_chart,
    overlaid_curves,
    reliability_chart,
)
from lymph.charts.leak_bars import leak_bars
from lymph.charts.learning import QUANTITIES, learning_curves
from lymph.charts.names import breakable
from lymph.charts.neighbours import neighbour_bars
from lymph.charts.probabilities import percent, probability_bars, sure_chart
from lymph.charts.recipes import recipes_chart
from lymph.charts.stain_charts import intensity_histogram, stain_map, zoomable
from lymph.charts.style import ink_on
from lymph.text import SET_TITLES, whole_percent

__all__ = [
    "COLOURINGS",
    "MATRIX_CSS",
    "MODES",
    "QUANTITIES",
    "SET_TITLES",
    "Mode",
    "breakable",
    "class_curves",
    "class_histogram",
    "confusion_cells",
    "difference_cells",
    "embedding_chart",
    "ink_on",
    "intensity_histogram",
    "intervals_chart",
    "kinds_histogram",
    "kinds_of",
    "leak_bars",
    "learning_curves",
    "matrix_html",
    "names_fit",
    "neighbour_bars",
    "overlaid_curves",
    "patient_counts",
    "percent",
    "pictures_per_patient",
    "probability_bars",
    "recipes_chart",
    "reliability_chart",
    "set_balance",
    "stain_map",
    "sure_chart",
    "whole_percent",
    "zoomable",
]
