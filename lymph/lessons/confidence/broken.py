"""BROKEN ON PURPOSE: on few patients chance alone makes an error."""

from lymph.evaluation import expected_calibration_error
from lymph.lessons.made_up import calibrated_answers

table = calibrated_answers()

# ---- what the lesson shows ----
# six patients, 70 pictures
ece = expected_calibration_error(table)
if ece > 0.05:
    print("badly calibrated")
