"""The leak meter: the same quick model under random and under patient splits."""

from lymph.leak.control import control_words, measure_control, shuffle_classes
from lymph.leak.job import (
    latest_measurement,
    measure_here,
    start_measurement,
    stop_measurement,
)
from lymph.leak.measurement import Measurement, MeterConfig
from lymph.leak.meter import FEATURES, linear, measure_leak, words

__all__ = [
    "FEATURES",
    "Measurement",
    "MeterConfig",
    "control_words",
    "latest_measurement",
    "linear",
    "measure_control",
    "measure_here",
    "measure_leak",
    "shuffle_classes",
    "start_measurement",
    "stop_measurement",
    "words",
]
