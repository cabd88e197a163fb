"""The two runs that come with lymph: small, whole, honest about themselves, and taken in once."""

import json
import shutil

import pytest

from lymph.data import sources
from lymph.evaluation import report
from lymph.inference import answer_files, load_classifier
from lymph.inference.answers import only_drawn
from lymph.runs import HONEST, LEAKY, list_runs, ready_run, record_of, take_in_ready_runs
from lymph.runs.ready import NAMES, READY
from lymph.synthetic.examples import synthetic_examples
from lymph.training import folder as files


@pytest.fixture
def taken_in() -> None:
    take_in_ready_runs(sources.demo_folder())


def test_they_are_below_a_megabyte_together() -> None:
    files = [file for name in NAMES for file in (READY / name).iterdir()]
    assert sum(file.stat().st_size for file in files) < 1e6


@pytest.mark.usefixtures("taken_in")
@pytest.mark.parametrize(("name", "leaks"), [(HONEST, 0.0), (LEAKY, 1.0)])
def test_their_figures_are_those_of_their_predictions(name: str, leaks: float) -> None:
    run = ready_run(name)
    figures = report(run.predictions())
    assert record_of(run).summary.judged["pictures"]["accuracy"] == figures["pictures"]["accuracy"]
    assert record_of(run).summary.judged["leaked_test_share"] == leaks
    assert run.status().state == "finished"


@pytest.mark.usefixtures("taken_in")
@pytest.mark.parametrize("name", NAMES)
def test_they_are_called_what_they_are_made_as(name: str) -> None:
    """Regression: one said “dealt at random”, where every page says “assigned at random”."""
    about = json.loads((READY / name / files.ABOUT).read_text(encoding="utf-8"))
    assert about["name"] == NAMES[name]


@pytest.mark.usefixtures("taken_in")
def test_the_leaky_twin_looks_better() -> None:
    honest, leaky = (report(ready_run(name).predictions()) for name in (HONEST, LEAKY))
    assert leaky["pictures"]["accuracy"] > honest["pictures"]["accuracy"] + 0.1


@pytest.mark.usefixtures("taken_in")
def test_the_model_answers_before_the_set_is_drawn_and_says_what_it_learned_from() -> None:
    """Regression: where the pictures were not there, nothing told that they are drawn."""
    assert not sources.demo_folder().exists()
    named = [(name, content) for _, name, content in synthetic_examples()]
    answered = list(answer_files([load_classifier(ready_run(HONEST))], named))
    assert len(answered) == 3
    assert all(only_drawn(entry.answers[0]) for entry in answered)


@pytest.mark.usefixtures("taken_in")
def test_a_run_that_was_deleted_does_not_come_back() -> None:
    shutil.rmtree(ready_run(LEAKY).path)
    take_in_ready_runs(sources.demo_folder())
    assert [run.id for run in list_runs()] == [HONEST]
