"""The way from page to page: every button after every value that can stand in the address."""

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from lymph.data import sources
from lymph.data.decisions import keep_table
from lymph.data.source import PictureSource, keep_source
from lymph.data.sources import DataSet
from lymph.lessons.catalogue import LESSONS
from lymph.runs import Run
from pages.shared.frame import plain
from tests.waiting import PATIENCE

from .conftest import APP, MakeRun
from .parameters import bound_in_source, drawn, handled_in_source

Query = dict[str, str | list[str]]

QUESTIONS = {
    "data": "What is in the pictures, and who are they from?",
    "split": "Which patients does the model never see?",
    "train": "How well does it learn?",
    "results": "How often is it right, and for whom?",
    "runs": "What has been tried, and what came of it?",
    "classify": "What does the model say about a new picture?",
}
LEADS_TO = {
    "go_split": "split",
    "go_train": "train",
    "see_results": "results",
    "go_classify": "classify",
    "compare_runs": "results",
}
# They start a process; the browser presses them.
STARTS_WORK = {"start_training"}
NONSENSE = ["", "-1", "~nobody/<b>x</b>", ["", "a", "a"], "ü" * 300, "50%\0"]


class Place(NamedTuple):
    """A page with what its address holds from the first, and the rows chosen in its table."""

    page: str
    query: Query
    rows: tuple[int, ...] = ()


@pytest.fixture
def first(make_tiny: Callable[..., Path]) -> DataSet:
    """Return the data set that a page shows when its address names none."""
    return sources.add_folder(make_tiny("the first one", pictures=1))


@pytest.fixture
def own(first: DataSet, tiny: DataSet) -> DataSet:
    """Return a data set that is not the first, with slides and kinds of pictures that differ."""
    for file in tiny.path.rglob("*.png"):
        if "_003" in file.name or "4_00" in file.name:  # three patients of each class are enough
            file.unlink()
    picture = tiny.path / "CLL" / "sj-99-11_002.png"
    Image.open(picture).convert("L").save(picture.with_name("sj-99-11-R2_001.png"))
    assert [one.name for one in sources.list_data_sets()] == [first.name, tiny.name]
    return tiny


@pytest.fixture
def two_runs(own: DataSet, make_run: MakeRun) -> tuple[Run, Run]:
    return make_run(), make_run(seed=1)


@pytest.mark.parametrize("page", ["train", "results", "runs", "classify"])
def test_a_link_that_names_a_run_alone_leads_to_the_pictures_it_learned_from(
    page: str, own: DataSet, make_run: MakeRun, open_page: Callable[..., AppTest]
) -> None:
    """Regression: a run of real pictures stood below "every picture is computer drawn"."""
    app = open_page(page, run=make_run().id)
    assert app.sidebar.selectbox[0].value == own.name
    assert not app.exception


def give_a_table(data_set: DataSet) -> None:
    """Let a table name three patients of each class in place of the file names."""
    names = sorted(p.relative_to(data_set.path) for p in data_set.path.rglob("*.png"))
    rows = [f"{name},{name.parts[0]} {place % 3}" for place, name in enumerate(names)]
    keep_patients(data_set.path, "\n".join(["picture,patient", *rows]))


def keep_patients(root: Path, table: str) -> None:
    """Correct a data set's patients by a table, as an upload on the Data page does."""
    file = keep_table(root, table.encode())
    keep_source(PictureSource(str(root), patients="table", patients_file=str(file)))


def follow(place: Place, **more: str | list[str]) -> AppTest:
    """Follow a link as the first request of a session."""
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    for key, value in {**place.query, **more}.items():
        app.query_params[key] = value
    if place.rows:
        app.session_state["runs_table"] = {"selection": {"rows": list(place.rows)}}
    app.switch_page(f"pages/{place.page}.py")
    return app.run()


def control(app: AppTest, key: str) -> Any:
    return next(one for one in [*app.main, *app.sidebar] if getattr(one, "key", None) == key)


def label_of(widget: Any) -> str | None:
    """Return the label that a control shows as chosen."""
    return widget.format_func(widget.value) if widget.value is not None else None


def choose(app: AppTest, key: str, label: str | None) -> None:
    """Choose by hand; as in a browser the address says so at once, but for what needs no saying."""
    widget = control(app, key)
    usual = widget.proto.default
    usual = list(usual) if isinstance(usual, Sequence) else [usual]
    app.query_params.pop(key, None)
    if label is not None and widget.options.index(label) not in usual:
        app.query_params[key] = label
    widget.set_value(label)
    app.run()


def come_back(app: AppTest, place: Place, key: str, label: str) -> None:
    """Return to a page in the same session; what was chosen there is chosen still."""
    if place.rows:
        app.session_state["runs_table"] = {"selection": {"rows": list(place.rows)}}
    app.query_params.update({k: v for k, v in place.query.items() if k in handled_in_source()})
    app.switch_page(f"pages/{place.page}.py").run()
    assert label_of(control(app, key)) == label, f"{key}={label} is forgotten on {place.page}"


def check(app: AppTest, told: str) -> None:
    broken = [error.message for error in app.exception]
    assert not broken, f"{told}: {broken}"


def primary(app: AppTest) -> list[str]:
    """Return the keys of the large buttons of a page that can be pressed."""
    buttons = [b for b in app.button if b.proto.type == "primary" and not b.disabled]
    return [b.key for b in buttons if b.key not in STARTS_WORK]


def press_each(app: AppTest, again: Callable[[], AppTest], told: str) -> Iterator[str]:
    """Press each large button of a page; ``again`` opens the page once more for the next one."""
    check(app, told)
    for place, key in enumerate(primary(app)):
        app = again() if place else app
        chosen = app.sidebar.selectbox(key="data").value
        app.button(key=key).click().run()
        check(app, f"{key} after {told}")
        if key in LEADS_TO:
            assert app.title[0].value == QUESTIONS[LEADS_TO[key]], f"{key} after {told}"
        assert app.sidebar.selectbox(key="data").value == chosen, f"{key} after {told}"
        yield key


def try_by_hand(app: AppTest, place: Place, key: str, labels: list[str]) -> Iterator[str]:
    """Choose labels one after the other in one session, and press all buttons after each.

    Two and the last are chosen so; the links take every one.
    """
    before = label_of(control(app, key))

    def again(label: str) -> AppTest:
        come_back(app, place, key, label)
        return app

    for label in dict.fromkeys([*labels[:2], labels[-1]]):
        choose(app, key, label)
        yield from press_each(app, partial(again, label), f"choosing {key}={label} on {place}")
        again(label)
    choose(app, key, before)


def sweep(place: Place) -> tuple[set[str], set[str]]:
    """Choose every label of every bound control, by link and by hand, and press all buttons.

    Returns the bound controls that were found and the buttons that were pressed.
    """
    found: dict[str, set[str]] = {}
    pressed: set[str] = set()
    waiting: list[dict[str, str]] = [{}]
    while waiting:
        link = partial(follow, place, **waiting.pop(0))
        app = link()
        controls = drawn(app)
        pressed |= set(press_each(app, link, f"the link {link.keywords} to {place}"))
        fresh = {key: [one for one in labels if one not in found.setdefault(key, set())]
                 for key, labels in controls.items()}  # fmt: skip
        by_hand = link() if any(fresh.values()) else None
        for key, labels in fresh.items():
            found[key] |= set(labels)
            waiting += [{**link.keywords, key: label} for label in labels]
            if labels:
                pressed |= set(try_by_hand(by_hand, place, key, labels))
    return set(found), pressed


def places(data_set: DataSet, runs: tuple[Run, Run]) -> list[Place]:
    """Return every page in the states that show all its controls and buttons."""
    data, run, other = {"data": data_set.name}, runs[0].id, runs[1].id
    compared = {**data, "run": run, "with": [other], "cell": ["CLL", "FL"]}
    return [
        Place("data", data),
        Place("split", data),
        Place("train", {**data, "run": run}),
        Place("train", {**data, "run": ""}),
        Place("results", compared),
        Place("runs", data, rows=(0, 1)),
        Place("classify", {**data, "run": run}),
        Place("lessons", {**data, "lesson": LESSONS[1].slug, "step": "3"}),
        Place("lessons", {**data, "lesson": LESSONS[1].slug, "slide": "2", "stage": "1"}),
    ]


def test_every_button_works_after_every_value_that_can_stand_in_the_address(
    own: DataSet, two_runs: tuple[Run, Run]
) -> None:
    found, pressed = set(), set()
    for place in places(own, two_runs):
        controls, buttons = sweep(place)
        found |= controls
        pressed |= buttons
    assert found == bound_in_source(), "a control in the address that the sweep never reached"
    assert pressed >= {*LEADS_TO, "next", "go_run"}


def test_every_button_works_where_a_table_names_the_patients(own: DataSet) -> None:
    give_a_table(own)
    pressed = set()
    for page in ("split", "results", "runs", "classify"):
        link = partial(follow, Place(page, {"data": own.name}))
        pressed |= set(press_each(link(), link, f"the link to {page}"))
    link = partial(follow, Place("data", {"data": own.name, "gallery_patient": "MCL 2"}))
    assert control(link(), "gallery_patient").value == "MCL 2"
    pressed |= set(press_each(link(), link, "the link to a patient"))
    assert pressed == {"go_split", "go_train"}


def listed(value: str | list[str]) -> list[str]:
    """Return the values of a parameter; one alone is handed out as a text."""
    return [value] if isinstance(value, str) else value


def fullest(place: Place) -> Query:
    """Return a link that sets every bound control of a page to its last label."""
    chosen: Query = {}
    while fresh := {k: v for k, v in drawn(follow(place, **chosen)).items() if k not in chosen}:
        chosen |= {key: labels[-1] for key, labels in fresh.items() if key not in place.query}
        chosen |= {key: place.query[key] for key in fresh if key in place.query}
    return {**place.query, **chosen}


def test_a_link_with_everything_in_it_opens_and_stays_as_it_is(
    own: DataSet, two_runs: tuple[Run, Run]
) -> None:
    for place in places(own, two_runs):
        link = fullest(place)
        app = follow(Place(place.page, link, place.rows))
        check(app, f"{place.page} {link}")
        stays = {key: listed(value) for key, value in app.query_params.items()}
        assert stays == {key: listed(value) for key, value in link.items()}, place.page
        app.run()
        check(app, f"{place.page} {link}, drawn again")


def test_the_bare_link_opens_start_on_the_set_that_it_names(own: DataSet) -> None:
    said = {"data": own.name, "gallery_class": "FL", "with": ["a", "b"], "view": "Overview"}
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    app.query_params.update(said)
    app.run()
    check(app, "the bare link")
    assert app.title[0].value == "lymph"
    assert control(app, "data").value == own.name


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda text: str(text)[:12])
def test_nonsense_in_the_address_breaks_no_page(
    own: DataSet, two_runs: tuple[Run, Run], nonsense: str | list[str]
) -> None:
    parameters = bound_in_source() | handled_in_source()
    for place in places(own, two_runs):
        everywhere = Place(place.page, dict.fromkeys(parameters, nonsense))
        check(follow(everywhere), f"{nonsense!r} in every parameter of {place.page}")
        but_data = {**everywhere.query, "data": own.name, "run": two_runs[0].id}
        link = partial(follow, Place(place.page, but_data))
        set(press_each(link(), link, f"{nonsense!r} in every parameter but two of {place.page}"))


ODD = ["a&b #1 ü (2)", "50%", "<b>x<b>", "*x* _y_ `z` $a$ :red[b]", "a+b=c?d&e;f", "&lt;i&gt;"]


@pytest.mark.parametrize("odd", ODD)
def test_odd_names_stand_in_the_address_and_on_the_page(
    first: DataSet, tiny_root: Path, odd: str
) -> None:
    (tiny_root / "CLL").rename(tiny_root / odd)
    data_set = sources.add_folder(tiny_root, f"{odd} / {odd}")
    names = sorted(p.relative_to(tiny_root).as_posix() for p in tiny_root.rglob("*.png"))
    rows = io.StringIO()
    lines = [{"picture": n, "patient": f"{odd}/{i % 9}"} for i, n in enumerate(names)]
    pd.DataFrame(lines).to_csv(rows, index=False)
    keep_patients(tiny_root, rows.getvalue())
    place = Place("data", {"data": data_set.name})
    offered = drawn(follow(place))
    assert data_set.name in offered["data"] and f"{odd}/0" in offered["gallery_patient"]
    assert plain(odd) in offered["gallery_class"], "Markdown in a class's name is not shown as such"
    link = partial(follow, place, gallery_class=plain(odd), gallery_patient=f"{odd}/0")
    app = link()
    assert control(app, "gallery_class").value == odd
    assert control(app, "gallery_patient").value == f"{odd}/0"
    assert set(press_each(app, link, odd)) == {"go_split"}
    for view in offered["view"]:
        check(follow(place, view=view), f"{view} of {odd}")
    for page in ("split", "train", "results", "runs", "classify", "lessons"):
        app = follow(Place(page, place.query))
        check(app, f"{page} of {odd}")
        assert control(app, "data").value == data_set.name


def test_another_data_set_brings_its_own_runs(
    first: DataSet, own: DataSet, two_runs: tuple[Run, Run]
) -> None:
    link = {"data": own.name, "run": two_runs[0].id}
    for page, button in (("results", "go_train"), ("classify", "go_train")):
        app = follow(Place(page, link))
        choose(app, "data", first.name)
        assert primary(app) == [button] and "run" not in app.query_params
        choose(app, "data", own.name)
        assert app.query_params["run"] in [run.id for run in two_runs]
