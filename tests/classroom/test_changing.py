"""Nothing on the pages changes anything but through the classroom, which asks who may."""

import pytest

from tests.classroom.changing import HOME, Code, changing, module_of, uses

# What pages may call as it is, and why it takes nothing from anybody.
HARMLESS = {
    "lymph.data.decisions.keep_table": "a table beside the others, used once a correction names it",
    "lymph.data.measure.measure_all": "a cache",
    "lymph.data.quality.find": "a cache",
    "lymph.data.source.table_of": "a cache",
    "lymph.data.strips.strip_file": "a cache",
    "lymph.data.thumbnails.thumbnail_paths": "a cache",
    "lymph.training.estimate.estimate_seconds": "a cache",
    "lymph.recipes.comparison.make_config": "a cache",
    "lymph.recipes.estimate.estimate_recipes": "a cache",
    "lymph.runs.catalogue.with_figures": "a cache in the run's folder",
    "lymph.data.sources.clear_unfinished": "leftovers of processes that have ended",
    "lymph.data.sources.make_demonstration": "made once, whoever comes first",
    "lymph.data.sources.begin_demonstration": "made once, whoever comes first",
    "lymph.runs.ready.take_in_ready_runs": "taken in once, whoever comes first",
    "lymph.jobs.queue.look": "tickets of jobs that are over",
    "lymph.jobs.queue.ahead_of": "tickets of jobs that are over",
    "lymph.jobs.queue.job_of": "tickets of jobs that are over",
    "lymph.runs.control.queue": "tickets of jobs that are over",
    "lymph.synthetic.examples.synthetic_examples": "a folder of its own, deleted at once",
    "lymph.reports.document.report_html": "a folder of its own, deleted at once",
}
# The files of the pages that write by themselves, and what.
WRITERS = {"pages/shared/drops.py": "what a visitor drops, for the visit"}
HEAD = (
    "from lymph import runs\nfrom lymph.classroom import jobs\n"
    "from lymph.data.exclusions import exclude\n"
    "from pages.shared.visit.changing import change_on_click\n"
)


def test_every_change_on_a_page_asks_who_may() -> None:
    """A page that changes something past the classroom fails here, with its line.

    Hand the function to ``lymph.classroom.jobs`` or ``pages.shared.visit.changing`` instead.
    """
    files = [HOME / "app.py", *sorted((HOME / "pages").rglob("*.py"))]
    assert len(files) > 30
    found = [
        use
        for file in files
        if (name := file.relative_to(HOME).as_posix()) not in WRITERS
        for use in uses(Code(module_of(file), file.read_text("utf-8")), name)
    ]
    assert [f"{use.place}: {use.function}" for use in found if use.function not in HARMLESS] == []
    assert set(HARMLESS) - {use.function for use in found} == set(), "listed, but no longer used"


def test_what_changes_is_known() -> None:
    """The check is worth what it knows: these are found through several calls."""
    known = changing()
    assert {
        *(f"lymph.runs.control.{name}" for name in ("create_run", "start_run", "stop_run")),
        *(f"lymph.runs.about.{name}" for name in ("change_about", "delete_run")),
        *(f"lymph.data.exclusions.{name}" for name in ("exclude", "include")),
        *(f"lymph.data.sources.{name}" for name in ("add_folder", "add_zip", "remove_data_set")),
        "lymph.data.sources.rename_data_set",
        *(f"lymph.splits.saved.{name}" for name in ("save_split", "delete_split")),
        *("lymph.leak.job.start_measurement", "lymph.lessons.live.stop_lesson"),
    } <= known
    assert not {"lymph.runs.run.open_run", "lymph.data.exclusions.excluded"} & known


@pytest.mark.parametrize(
    "code",
    [
        "runs.stop_run(run)",
        "st.button('a', on_click=exclude, args=(root, {}))",
        "def act(run):\n    (run.path / 'stop').touch()",
        "jobs.change_job(who(), run.path, stop, run)\nstop = runs.stop_run",
        "from lymph.runs import delete_run as away\naway(run)",
        "jobs.change_job(who(), run.path, runs.stop_run(run))",
    ],
)
def test_a_change_past_the_classroom_is_found(code: str) -> None:
    assert len(uses(Code("pages.sample", HEAD + code), "sample")) >= 1


@pytest.mark.parametrize(
    "code",
    [
        "jobs.change_job(who(), run.path, runs.stop_run, run)",
        "attempt(lambda: jobs.change_job(who(), run.path, runs.delete_run, run))",
        "st.button('a', on_click=change_on_click, args=(data_set, reasons))",
        "change_on_click(data_set, exclude, data_set.path, {})",
        "runs.open_run(name)",
    ],
)
def test_a_change_through_the_classroom_is_not(code: str) -> None:
    assert uses(Code("pages.sample", HEAD + code), "sample") == []
