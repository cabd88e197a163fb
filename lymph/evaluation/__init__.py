"""Prediction table -> metrics, patients, intervals, calibration; knows no models, no pages."""

from lymph.evaluation.beside import Tested, key_of_test, letters_of, side_of, why_not_subtracted
from lymph.evaluation.calibration import (
    Calibration,
    Temperature,
    apply_temperature,
    brier_score,
    calibrate,
    expected_calibration_error,
    fit_temperature,
    fitted_temperature,
    negative_log_likelihood,
    reliability_table,
)
from lymph.evaluation.comparison import Difference, Needed, paired_difference
from lymph.evaluation.curves import AREA_METHOD, Area, areas, curve
from lymph.evaluation.intervals import (
    OUT_OF_FOLD_METHOD,
    class_intervals,
    clopper_pearson,
    metric_intervals,
)
from lymph.evaluation.metrics import (
    METRICS,
    accuracy,
    balanced_accuracy,
    confusion,
    kappa,
    largest_class_baseline,
    macro_f1,
    per_class,
)
from lymph.evaluation.patients import by_patient
from lymph.evaluation.report import leaked_pictures, leaked_share, report
from lymph.evaluation.selection import (
    ORDERS,
    cell_pictures,
    in_order,
    judged_pictures,
    moved_pictures,
)
from lymph.evaluation.statement import STANDARD, Statement, Verdict, may_be_stated
from lymph.evaluation.words import interval_text, interval_words, percent_interval_text
from lymph.predictions import (
    choose_set,
    classes_of_predictions,
    make_predictions,
    probabilities_of,
    read_predictions,
    validate_predictions,
    write_predictions,
)

__all__ = [
    "AREA_METHOD",
    "METRICS",
    "ORDERS",
    "OUT_OF_FOLD_METHOD",
    "STANDARD",
    "Area",
    "Calibration",
    "Difference",
    "Needed",
    "Statement",
    "Temperature",
    "Tested",
    "Verdict",
    "accuracy",
    "apply_temperature",
    "areas",
    "balanced_accuracy",
    "brier_score",
    "by_patient",
    "calibrate",
    "cell_pictures",
    "choose_set",
    "class_intervals",
    "classes_of_predictions",
    "clopper_pearson",
    "confusion",
    "curve",
    "expected_calibration_error",
    "fit_temperature",
    "fitted_temperature",
    "in_order",
    "interval_text",
    "interval_words",
    "judged_pictures",
    "kappa",
    "key_of_test",
    "largest_class_baseline",
    "leaked_pictures",
    "leaked_share",
    "letters_of",
    "macro_f1",
    "make_predictions",
    "may_be_stated",
    "metric_intervals",
    "moved_pictures",
    "negative_log_likelihood",
    "paired_difference",
    "per_class",
    "percent_interval_text",
    "probabilities_of",
    "read_predictions",
    "reliability_table",
    "report",
    "side_of",
    "validate_predictions",
    "why_not_subtracted",
    "write_predictions",
]
