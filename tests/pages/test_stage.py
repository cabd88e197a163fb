"""Every page on a projector: a slide for each view, and the way from page to page."""

import pytest

from lymph.data.source import PictureSource
from lymph.data.sources import DataSet
from lymph.splits import split_by_picture

from .conftest import MakeRun, OpenPage, words

SLIDES = {
    "start": 1,
    "data": 5,
    "split": 2,
    "train": 1,
    "results": 9,
    "runs": 1,
    "classify": 1,
    "lessons": 1,
}


@pytest.mark.parametrize("name", SLIDES)
def test_every_page_has_its_slides(
    name: str, tiny: DataSet, make_run: MakeRun, open_page: OpenPage
) -> None:
    """A lecturer goes through the page with the clicker, and on to the next one."""
    make_run()
    make_run(split_by_picture(PictureSource(tiny.path).usable()))
    questions = []
    app = open_page(name, stage="1")
    for place in range(1, SLIDES[name] + 1):
        app.query_params["slide"] = str(place)
        app.run()
        assert not app.exception
        questions.append(app.title[0].value)
        assert (app.button(key="next").label == "Next") == (place < SLIDES[name])
    assert len(set(questions)) == len(questions)
    app.button(key="next").click().run()
    assert not app.exception and app.title[0].value not in questions


@pytest.mark.parametrize("name", ["train", "results", "classify"])
def test_a_page_without_runs_has_a_slide_all_the_same(
    name: str, tiny: DataSet, open_page: OpenPage
) -> None:
    app = open_page(name, stage="1")
    assert not app.exception
    assert name == "train" or "No model has learned" in words(app)
