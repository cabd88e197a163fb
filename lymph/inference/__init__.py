"""A run's model answers for new pictures."""

from lymph.inference.answers import (
    Answer,
    PatientAnswer,
    answer_table,
    how_sure,
    only_drawn,
    patient_answers,
)
from lymph.inference.batch import Written, classify_to_csv, picture_files
from lymph.inference.classify import (
    Answered,
    Classifier,
    answer_files,
    classify_files,
    load_classifier,
    read_for_answer,
)
from lymph.inference.dropped import Dropped, unpack_drop

__all__ = [
    "Answer",
    "Answered",
    "Classifier",
    "Dropped",
    "PatientAnswer",
    "Written",
    "answer_files",
    "answer_table",
    "classify_files",
    "classify_to_csv",
    "how_sure",
    "load_classifier",
    "only_drawn",
    "patient_answers",
    "picture_files",
    "read_for_answer",
    "unpack_drop",
]
