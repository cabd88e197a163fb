"""The sidebar that every page shows: which pictures, and how far one has come."""

import contextlib
from pathlib import Path

import streamlit as st

from lymph import database, runs, workspace
from lymph.data import sources
from lymph.data.ahead import HEIGHT
from lymph.data.source import decisions_doubt
from lymph.errors import LymphError
from lymph.text import brief
from pages.shared import drops, state, thumbs, visitor
from pages.shared.frame import SYNTHETIC_NOTICE, plain
from pages.shared.glossary import show_whole_glossary
from pages.shared.loading import progress_bar
from pages.shared.navigation import STEPS, TITLES
from pages.shared.training import forget_runs, has_finished_run, look_again
from pages.shared.visitor import data_sets, who

MISSING_KEY = "data_missing"
CHANGED_KEY = "data_changed"


# Pages that do not need all pictures of the data set: they do not wait until it is drawn.
NO_PICTURES = ("", "classify", "results", "runs", "lessons")
# Pictures that a page shows while it waits for all of them.
FIRST_SHOWN = 24


def ensure_data(path: str) -> None:
    """Have the demonstration set drawn where there are no data that this visitor could see.

    It comes with two finished runs. A page that shows its pictures waits for them.
    """
    clear_once(workspace.home())
    fresh = not data_sets()
    if fresh:
        runs.take_in_ready_runs(sources.demo_folder())
    missing = fresh or being_drawn()
    if missing and path in NO_PICTURES:
        begin_once(workspace.home())
        visitor.look_again()  # the set is listed from now on
    elif missing:
        wait_until_drawn()


def being_drawn() -> bool:
    """Tell whether the demonstration set is listed, but not there yet."""
    return sources.demo_listed() and not sources.demo_ready()


def wait_until_drawn() -> None:
    """Show how far the demonstration set is drawn, then draw the page that waits for it."""
    first = runs.shown_first()
    st.header("Drawing the demonstration set", anchor=False)
    bar = st.container()
    show_first_pictures(first[:: len(first) // FIRST_SHOWN][:FIRST_SHOWN])
    with bar, progress_bar("Pictures drawn") as progress:
        sources.make_demonstration(progress, first)
    st.rerun()


def show_first_pictures(pictures: list[str]) -> None:
    """Show some pictures of the demonstration set, each as soon as it is drawn."""
    addresses = thumbs.addresses_to_come(sources.demo_folder(), pictures, HEIGHT)
    images = (f'<img src="{address}" alt="">' for address in addresses)
    st.html(f'<div class="lymph-coming">{"".join(images)}</div>')


@st.cache_resource(show_spinner=False)
def begin_once(home: Path) -> None:
    """Let the set be drawn, once by each server: of an earlier one the drawing may have died."""
    sources.begin_demonstration(runs.shown_first())


@st.cache_resource(show_spinner=False)
def clear_once(home: Path) -> None:
    """Clear at the server's first page what a killed one has left unfinished."""
    with contextlib.suppress(OSError, LymphError):  # a workspace that may only be read
        sources.clear_unfinished()
        drops.clear_left_uploads_later()


def choose_data_set() -> None:
    """Draw the data set chooser; the choice is kept across pages and in the address."""
    look_again()
    names = [data_set.name for data_set in data_sets()]
    asked = st.query_params.get(state.DATA_KEY)
    wanted = st.session_state.pop(state.WANTED_KEY, None)
    if wanted in names:
        st.session_state[state.DATA_KEY] = wanted
        note_change()
    elif renamed := name_now(asked, names) or name_now(st.session_state.get(state.DATA_KEY), names):
        st.session_state[state.DATA_KEY] = renamed
    elif asked and asked not in names:
        st.session_state[MISSING_KEY] = asked
    elif not asked and (own := set_of_run()):
        st.session_state[state.DATA_KEY] = own
    if st.session_state.get(state.DATA_KEY, names[0]) not in names:
        del st.session_state[state.DATA_KEY]
    st.sidebar.selectbox(
        "Data set",
        names,
        key=state.DATA_KEY,
        bind="query-params",
        persist_state="session",
        on_change=note_change,
    )
    if st.session_state.pop(CHANGED_KEY, False):
        forget_runs()
    show_missing()
    show_damage()
    data_set = state.current_data_set()
    if data_set and data_set.synthetic:
        st.sidebar.caption(SYNTHETIC_NOTICE)


def name_now(name: str | None, names: list[str]) -> str | None:
    """Return what a data set is called that had a name before; None where none had it."""
    if not name or name in names:
        return None
    renamed = sources.named_before(name, data_sets())
    return renamed.name if renamed else None


def set_of_run() -> str | None:
    """Return the data set of a run that a visitor's first address names without its data set."""
    chosen = st.query_params.get("run")
    if not chosen or state.DATA_KEY in st.session_state:
        return None
    try:
        root = Path(runs.open_known(chosen).config.data)
    except LymphError:  # the page says what is the matter with it
        return None
    return next((data_set.name for data_set in data_sets() if data_set.path == root), None)


def note_change() -> None:
    """Remember that another data set was chosen here, not by a link that may name a run too."""
    st.session_state[CHANGED_KEY] = True
    st.session_state.pop(MISSING_KEY, None)


def show_missing() -> None:
    """Say so where the address names a data set that is not here, until another is chosen."""
    missing, shown = st.session_state.get(MISSING_KEY), state.current_data_set()
    if missing and shown:
        st.warning(
            f"There is no data set named {plain(brief(missing))} here; this is {plain(shown.name)}."
            " Choose another in the sidebar, or add pictures on the Data page."
        )


def show_damage() -> None:
    """Say what was damaged of what is kept in the workspace, to whoever can put it right."""
    data_set = state.current_data_set()
    doubts = [
        database.doubt() if who().may_all else "",
        decisions_doubt(data_set.path, data_set.copy) if data_set else "",
    ]
    for sentence in filter(None, doubts):
        st.sidebar.warning(plain(sentence))


def show_steps() -> None:
    """List the steps from data to an answer, those done with a tick."""
    data_set = state.current_data_set()
    done = {"data", *state.steps_done()}
    if data_set and has_finished_run(data_set):
        done |= {"split", "train"}
    lines = "".join(
        f"<div>✓ {TITLES[step][0]}</div>"
        if step in done
        else f'<div class="open">○ {TITLES[step][0]}</div>'
        for step in STEPS
    )
    st.sidebar.html(f'<div class="lymph-steps"><b>Steps</b>{lines}</div>')
    with st.sidebar:
        show_whole_glossary()
