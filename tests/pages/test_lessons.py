"""The Lessons page: guess, run, see, fix."""

from collections.abc import Callable

import pytest

from lymph import workspace
from lymph.data.source import PictureSource, source_of
from lymph.data.sources import DataSet
from lymph.glossary import GLOSSARY
from lymph.jobs.status import Status, write_status
from lymph.lessons.catalogue import LESSONS
from lymph.lessons.data import load_lesson_data
from lymph.lessons.lesson import STEPS, Lesson
from lymph.lessons.live import FIGURES, LiveRun, live_run

from .conftest import OpenPage, words

SETTINGS = {
    "stale-optimiser": {"epochs": 2},
    "broadcast": {"epochs": 2},
    "class-weights": {"epochs": 1},
    "colour": {"epochs": 1},
}


@pytest.fixture
def has_run(tiny: DataSet) -> Callable[[str], LiveRun]:
    """Return a function that runs a lesson shortly and keeps its figures as the worker does."""

    def run_it(slug: str) -> LiveRun:
        run = live_run(slug, source_of(tiny.path).look().source, PictureSource(tiny.path).table())
        lesson = next(lesson for lesson in LESSONS if lesson.slug == slug)
        figures = lesson.module().run(load_lesson_data(tiny.path), **SETTINGS[slug])
        workspace.write_json(run.folder / FIGURES, figures)
        write_status(run.folder, Status("finished", share=1.0, seconds=3.0))
        return run

    return run_it


def test_all_lessons_are_offered(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("lessons")
    assert not app.exception
    titles = [heading.value for heading in app.header]
    assert titles == [f"{lesson.number}. {lesson.title}" for lesson in LESSONS]
    app.button(key="open_luck").click().run()
    assert app.query_params["lesson"] == "luck"
    assert app.title[0].value == "The same model, fifteen times. By how much will its" + (
        " accuracy vary?"
    )


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_a_link_opens_a_lesson_at_a_step(
    lesson: Lesson, tiny: DataSet, open_page: OpenPage
) -> None:
    app = open_page("lessons", lesson=lesson.slug, step="4")
    assert not app.exception
    assert app.title[0].value == lesson.question
    assert [code.value for code in app.code] == [lesson.broken, lesson.fixed]


@pytest.mark.parametrize("step", [*range(1, len(STEPS) + 1), 0, 99])
def test_any_step_in_the_address_opens(step: int, tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("lessons", lesson="freeze", step=str(step))
    assert not app.exception
    guesses = [b for b in app.button if b.key.startswith("guess_freeze")]
    assert len(guesses) == (3 if step in (0, 1, 99) else 0)


def test_nobody_goes_on_before_a_guess(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("lessons", lesson="leak")
    assert app.button(key="next").disabled
    app.button(key="guess_leak_2").click().run()
    assert not app.button(key="next").disabled
    app.button(key="next").click().run()
    assert app.query_params["step"] == "2"
    assert app.button(key="run_lesson").label == "Run it live"
    app.button(key="reset").click().run()
    assert app.query_params["step"] == "1"
    assert app.button(key="next").disabled


def test_the_lecturer_asks_the_room_and_goes_on(tiny: DataSet, open_page: OpenPage) -> None:
    """On stage nobody guesses at the lecturer's own computer; slides follow each other."""
    app = open_page("lessons", lesson="leak", stage="1")
    assert not app.button(key="next").disabled
    app.button(key="next").click().run()
    assert (app.query_params["step"], app.query_params["slide"]) == ("1", "2")
    for _ in range(len(STEPS)):
        app.button(key="next").click().run()
    assert app.query_params["lesson"] == "stale-optimiser"
    assert app.query_params["stage"] == "1" and "slide" not in app.query_params
    app.button(key="back").click().run()
    assert app.query_params["lesson"] == "leak"
    assert app.query_params["step"] == str(len(STEPS))
    app.button(key="stage_leave").click().run()
    assert "stage" not in app.query_params


def test_a_step_is_clicked_and_a_slide_has_a_link(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("lessons", lesson="leak", stage="1")
    app.button(key="step_4").click().run()
    assert app.query_params["step"] == "4" and len(app.code) == 2
    app = open_page("lessons", lesson="leak", step="1", slide="2", stage="1")
    assert app.button(key="guess_leak_0")
    app = open_page("lessons", lesson="leak", step="1", slide="99", stage="1")
    assert app.button(key="guess_leak_0"), "a slide past the end is the last"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_prepared_results_answer_without_a_run(
    lesson: Lesson, tiny: DataSet, open_page: OpenPage
) -> None:
    """They come with lymph, belong to this version, and say that they are not of these pictures."""
    app = open_page("lessons", lesson=lesson.slug, step="3", prepared="1")
    assert not app.exception and not app.error
    assert "Prepared results" in app.warning[0].value
    assert len(app.get("plotly_chart")) >= 1 and len(app.metric) >= 2


def test_the_answer_waits_for_the_run(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("lessons", lesson="depth", step="3")
    assert "has not been run on these pictures" in words(app)
    app.button(key="go_run").click().run()
    assert app.query_params["step"] == "2"


def test_kept_figures_are_shown_to_everybody(
    tiny: DataSet, has_run: Callable[[str], LiveRun], open_page: OpenPage
) -> None:
    has_run("stale-optimiser")
    app = open_page("lessons", lesson="stale-optimiser", step="2")
    assert "Done in 3 s" in app.success[0].value
    assert app.button(key="run_lesson").label == "Run it again"
    app = open_page("lessons", lesson="stale-optimiser", step="3")
    numbers = {metric.label: metric.value for metric in app.metric}
    assert numbers["Moved, old optimiser"] == "0.0 %"
    assert numbers["Notebook's loss, worked out"] == "1.102"
    assert len(app.get("plotly_chart")) == 1
    app = open_page("lessons", lesson="stale-optimiser", step="4")
    assert any("optimiser holds no parameter" in code.value for code in app.code)


def test_a_guess_is_judged(
    tiny: DataSet, has_run: Callable[[str], LiveRun], open_page: OpenPage
) -> None:
    has_run("stale-optimiser")
    app = open_page("lessons", lesson="stale-optimiser")
    app.button(key="guess_stale-optimiser_0").click().run()
    for _ in range(2):
        app.button(key="next").click().run()
    assert app.info[0].value.startswith("You guessed A. It was **C**")


def test_the_matrix_can_be_played_with(
    tiny: DataSet, has_run: Callable[[str], LiveRun], open_page: OpenPage
) -> None:
    has_run("broadcast")
    app = open_page("lessons", lesson="broadcast", step="3")
    assert not app.exception
    numbers = {metric.label: metric.value for metric in app.metric}
    # Everything is called CLL at first: two matches a picture, a third of it true.
    assert (numbers["Broken"], numbers["Fixed"]) == ("200.0 %", "33.3 %")
    tables = [element.proto.body for element in app.get("html")]
    assert sum(body.count('class="hit"') for body in tables) == 12


def test_the_slider_moves_the_weights(
    tiny: DataSet, has_run: Callable[[str], LiveRun], open_page: OpenPage
) -> None:
    has_run("class-weights")
    app = open_page("lessons", lesson="class-weights", step="3")
    assert "Weights: CLL 1, FL 1, MCL 1" in words(app).replace("\\", "")
    app.select_slider(key="lesson_stop_weights").set_value("CLL × 100").run()
    assert not app.exception
    assert "Weights: CLL 100, FL 1, MCL 1" in words(app).replace("\\", "")


def test_colour_shows_pictures_four_ways(
    tiny: DataSet, has_run: Callable[[str], LiveRun], open_page: OpenPage
) -> None:
    has_run("colour")
    app = open_page("lessons", lesson="colour", step="3")
    assert not app.exception
    assert len(app.get("image")) == 12


def test_an_unknown_lesson_says_so(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("lessons", lesson="nothing")
    assert "There is no lesson" in app.error[0].value
    app.button(key="all_lessons").click().run()
    assert len(app.header) == len(LESSONS)


def test_the_notebook_can_be_downloaded(tiny: DataSet, open_page: OpenPage) -> None:
    app = open_page("lessons", lesson="mode", step="5")
    (button,) = app.get("download_button")
    assert button.proto.label == "Download this lesson as a notebook"


@pytest.mark.parametrize("name", ["data", "split", "lessons"])
def test_the_glossary_is_on_every_page(name: str, tiny: DataSet, open_page: OpenPage) -> None:
    text = words(open_page(name))
    assert all(f"**{term}**" in text for term in GLOSSARY)


def test_the_glossary_is_searched_and_linked_to(tiny: DataSet, open_page: OpenPage) -> None:
    """A student who meets "fold" on a slide looks it up, and sends the link to another."""
    app = open_page("split", term="FOLD")
    assert app.text_input(key="glossary_search").value == "FOLD" and not app.exception
    text = words(app)
    assert "**fold**:" in text and "**CLL**:" not in text and "?term=FOLD" in text
    app.text_input(key="glossary_search").set_value("no*such").run()
    assert "No term for no\\*such" in words(app)
    app.text_input(key="glossary_search").set_value("").run()
    assert all(f"**{term}**" in words(app) for term in GLOSSARY)
