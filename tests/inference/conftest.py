"""A classifier of the run on the tiny set."""

import pytest

from lymph.inference import Classifier, load_classifier
from lymph.runs import Run


@pytest.fixture
def run(trained_run: Run) -> Run:
    """Return a finished run on the tiny set."""
    return trained_run


@pytest.fixture
def classifier(run: Run) -> Classifier:
    """Return the run's classifier."""
    return load_classifier(run)
