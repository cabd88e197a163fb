"""Runs are named as a person would name them, and set beside the right twin."""

from dataclasses import replace
from datetime import datetime

import pytest

from lymph.data import sources
from lymph.runs import (
    HONEST,
    LEAKY,
    About,
    RunRecord,
    full_title,
    ready_run,
    record_of,
    short_title,
    take_in_ready_runs,
    titles_of,
    twin_of,
)

TUESDAY = datetime(2026, 11, 24, 16, 6).timestamp()
HOURS = 3600.0


@pytest.fixture
def both() -> tuple[RunRecord, RunRecord]:
    """Return the honest and the leaky run that come with lymph."""
    take_in_ready_runs(sources.demo_folder())
    return record_of(ready_run(HONEST)), record_of(ready_run(LEAKY))


def nameless(record: RunRecord, queued: float) -> RunRecord:
    status = replace(record.status, queued=queued)
    return replace(record, about=About(), status=status)


@pytest.mark.parametrize(
    ("later", "when"),
    [
        (2 * HOURS, "Tuesday 16:06"),
        (200 * HOURS, "24 Nov 16:06"),
        (9e3 * HOURS, "24 Nov 2026 16:06"),
    ],
)
def test_a_title_is_read_at_a_glance(
    both: tuple[RunRecord, RunRecord], later: float, when: str
) -> None:
    """Selectors showed 20261124-160612-3f2a, cut in the middle."""
    record = nameless(both[0], TUESDAY)
    assert short_title(record, TUESDAY + later) == f"Small CNN, by patient, seed 0, {when}"


def test_a_name_that_was_given_comes_first(both: tuple[RunRecord, RunRecord]) -> None:
    record = replace(nameless(both[1], TUESDAY), about=About(name="baseline"))
    assert short_title(record) == "baseline"
    told = full_title(record, TUESDAY)
    assert told == "baseline · Small CNN, by picture, seed 0, Tuesday 16:06"


def test_runs_of_the_same_minute_can_be_told_apart(both: tuple[RunRecord, RunRecord]) -> None:
    runs = [replace(nameless(both[0], TUESDAY + place), id=str(place)) for place in (2, 0, 1)]
    titles = titles_of(runs, TUESDAY)
    assert titles["0"].endswith("16:06") and titles["2"].endswith("16:06 (3)")
    assert len(set(titles.values())) == 3


def test_a_leaky_run_finds_its_honest_twin_and_back(both: tuple[RunRecord, RunRecord]) -> None:
    honest, leaky = both
    assert twin_of(leaky, both) == honest and twin_of(honest, both) == leaky
    assert twin_of(honest, [honest]) is None and twin_of(leaky, [leaky]) is None


def test_no_other_model_and_no_other_data_is_a_twin(both: tuple[RunRecord, RunRecord]) -> None:
    honest, leaky = both
    other = replace(honest, config=replace(honest.config, model="resnet50"))
    source = replace(honest.config.source, root="/elsewhere")
    elsewhere = replace(honest, config=replace(honest.config, source=source))
    archived = replace(honest, about=About(archived=True))
    assert twin_of(leaky, [other, elsewhere, archived]) is None
    closest = replace(honest, id="closest")
    far = replace(honest, config=replace(honest.config, epochs=3, seed=5))
    assert twin_of(leaky, [far, closest]) == closest


def test_where_nobody_knows_the_patients_no_run_is_called_honest(
    both: tuple[RunRecord, RunRecord],
) -> None:
    honest, leaky = both
    judged = {k: v for k, v in honest.summary.judged.items() if k != "leaked_test_share"}
    unknown = replace(honest, summary=replace(honest.summary, judged=judged))
    assert twin_of(leaky, [unknown]) is None and twin_of(unknown, both) is None
