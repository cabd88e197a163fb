"""Prediction table -> metrics, patients, intervals, calibration; knows no models, no pages."""

from lymph.evaluation.calibration import (
    apply_temperature,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability_table,
)
from lymph.evaluation.intervals import (
    Difference,
    clopper_pearson,
    paired_difference,
    resampled_confusions,
    resampled_intervals,
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
from lymph.evaluation.report import cell_pictures, leaked_share, report
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
    "METRICS",
    "Difference",
    "accuracy",
    "apply_temperature",
    "balanced_accuracy",
    "brier_score",
    "by_patient",
    "cell_pictures",
    "choose_set",
    "classes_of_predictions",
    "clopper_pearson",
    "confusion",
    "expected_calibration_error",
    "fit_temperature",
    "kappa",
    "largest_class_baseline",
    "leaked_share",
    "macro_f1",
    "make_predictions",
    "negative_log_likelihood",
    "paired_difference",
    "per_class",
    "probabilities_of",
    "read_predictions",
    "reliability_table",
    "report",
    "resampled_confusions",
    "resampled_intervals",
    "validate_predictions",
    "write_predictions",
]
