"""Markup, entities, links, control characters and endless text in every name, on every page."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

from lymph.jobs.status import write_status
from lymph.runs import Run
from lymph.splits import list_splits
from tests.hostile import LONG, hostile_run, hostile_set

OpenPage = Callable[..., AppTest]

# Fields that are no Markdown: ids, what is drawn as text or chart, and options of choosers.
NO_MARKDOWN = ("json", "plotly_chart", "arrow_data_frame", "text", "code", "imgs", "bidi_component")
NO_FIELD = ("id", "alt", "value", "default", "defaultValue", "placeholder", "queryParamKey")
TEXT_OPTIONS = ("selectbox", "multiselect", "slider")
# What a chooser offers, and what the page has chosen of it.
CHOSEN = ("options", "rawValue")
# A sign of markup with no backslash before it, and an address that is not cut.
BARE = re.compile(
    r"(?<!\\)(\*\*Zq|:red\[|`Zq|\$Zq|\[Zq|<b>|<img|<i>|&#60;)|https?\\?:/|www\\?\.|Zq@1"
)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a finished run whose every name is markup."""
    return hostile_run(hostile_set(tmp_path / "set"))


def texts(app: AppTest) -> Iterator[tuple[str, str]]:
    """Return every text that the browser takes for Markdown or HTML, with its element's kind."""
    for element in (*app.main, *app.sidebar):
        proto = getattr(element, "proto", None)
        if proto is None or element.type in NO_MARKDOWN:
            continue
        for name, value in leaves(MessageToDict(proto)):
            if name not in NO_FIELD and not (name in CHOSEN and element.type in TEXT_OPTIONS):
                yield element.type, value


def leaves(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one, name)


def check(app: AppTest) -> None:
    """No name is markup, no page falls over, and what hides is not there."""
    assert not app.exception, app.exception[0].stack_trace
    for kind, text in texts(app):
        if kind == "html":
            assert not re.search("<[bi]>Zq|<img src=.?http", text), text[:300]
        elif kind != "UnknownElement":
            assert not BARE.search(text), f"{kind}: {text[:300]}"
        assert not CONTROL.search(text), f"{kind}: {text[:300]!a}"


def test_every_page_shows_every_name_as_it_stands(open_page: OpenPage, run: Run) -> None:
    """Class, patient, file, data set, split, run and note are markup: each page and view."""
    for view in ("overview", "patients", "stain", "quality", "names"):
        check(open_page("data", view=view))
    app = open_page("split")
    for kind in ("picture", "hand", "folds", "saved"):
        way = next(radio for radio in app.radio if str(radio.key).startswith("split_by"))
        app = way.set_value(kind).run()
        check(app)
    assert list_splits(run.config.data)
    check(open_page("train"))
    app = open_page("results", run=run.id, cell=list(run.classes[:2]))
    check(app)
    for part in app.segmented_control(key="part").options:
        check(app.segmented_control(key="part").set_value(part).run())
    app = open_page("runs")
    check(app)
    app = open_page("classify")
    picture = next(Path(run.config.data).glob("*.png"))
    app.file_uploader(key="classify_upload").upload(picture.name, picture.read_bytes()).run()
    check(app)


def test_an_error_that_a_run_ended_with_is_shown_as_it_stands(
    open_page: OpenPage, run: Run
) -> None:
    """The words of an error may be of a file: Train shows them, and every list."""
    write_status(run.path, replace(run.status(), state="failed", error=LONG))
    for page in ("train", "runs", "results"):
        check(open_page(page, run=run.id))


def test_whatever_an_address_says_gets_a_page(open_page: OpenPage, run: Run) -> None:
    """Markup and control characters of 5,000 letters, and a path, in every parameter."""
    for text in (f"\x00\x1b[31m\u202e{LONG}", str(run.path)):
        for page in ("data", "split", "train", "results", "runs", "classify", "lessons"):
            app = open_page(page, **dict.fromkeys(("run", "lesson", "view", "part", "cell"), text))
            check(app)
            told = [error.value for error in app.error]
            assert any("There is no run" in words for words in told) == (
                page in ("train", "results", "classify")
            )
            assert all(len(words) < 600 for words in told)
    app = open_page("data", data=LONG)
    check(app)
    assert "There is no data set named" in app.warning[0].value and len(app.warning[0].value) < 600
