"""The error of a model is compared with that of a calibrated one on as many patients."""

import numpy as np

from lymph.evaluation import expected_calibration_error
from lymph.lessons.confidence.experiment import calibration_error
from lymph.lessons.made_up import CLASSES, calibrated_answers

rng = np.random.default_rng(0)
table = calibrated_answers()
sure = table[[f"p_{name}" for name in CLASSES]].max(axis=1).to_numpy()
patients, patient_of_row = np.unique(table["patient"], return_inverse=True)

# ---- what the lesson shows ----
ece = expected_calibration_error(table)
# what would a calibrated model get here?
u = rng.random(len(patients))[patient_of_row]
perfect = calibration_error(sure, u < sure)
# repeated: convict only above its 97.5 %
