"""How to split: the ways there are, and the numbers of the one that is chosen."""

import streamlit as st

from lymph import splits
from lymph.data.sources import DataSet
from pages.shared import loading, state
from pages.shared.state import SplitBy, SplitSettings

WAYS: dict[SplitBy, str] = {
    "patient": "By patient",
    "notebook": "As in the notebook",
    "hand": "By hand",
    "folds": "Cross-validation",
    "one-out": "Leave one patient out",
    "given": "The data's own split",
    "picture": "By picture, at random",
    "saved": "A saved split",
}
WAYS_TOLD = {
    "patient": "Each patient belongs to one set only; classes are balanced across sets.",
    "notebook": "The split of the course's notebook: 6 test patients and 3 for validation.",
    "hand": "The split by patient, with the patients that you have moved.",
    "folds": "Every patient is tested once, by a model that has not seen it.",
    "one-out": "As many folds as patients: each is tested alone.",
    "given": "The split that these pictures came with, in folders or a table.",
    "picture": "Pictures are assigned at random, so that patients end up on both sides.",
    "saved": "One that was kept here under a name.",
}


def choose_split(data_set: DataSet) -> SplitSettings:
    """Draw the choice of a split and keep it for the Train page."""
    kept = state.split_settings(data_set)
    name = data_set.name
    saved = list(splits.list_splits(data_set.path, data_set.copy))
    there = {"saved": bool(saved), "given": bool(loading.found(data_set).set_counts())}
    ways = [way for way in WAYS if there.get(way, True)]
    # Kept in the state alone: a move on the board changes it from outside.
    if st.session_state.get(f"split_by_{name}") not in ways:
        st.session_state[f"split_by_{name}"] = kept.by if kept.by in ways else ways[0]
    by = st.radio(
        "How to split",
        ways,
        format_func=WAYS.__getitem__,
        key=f"split_by_{name}",
        horizontal=True,
        label_visibility="collapsed",
    )
    settings = kept._replace(by=by)
    with st.container(horizontal=True, vertical_alignment="center", key="split_numbers_chosen"):
        if by == "saved":
            place = saved.index(kept.name) if kept.name in saved else 0
            chosen = st.selectbox(
                "Saved split", saved, place, key="saved_name", label_visibility="collapsed"
            )
            settings = settings._replace(name=chosen)
        elif by not in ("notebook", "one-out", "given"):
            settings = choose_numbers(name, settings)
        st.caption(WAYS_TOLD[by])
    if by == "hand" and (settings[1:4] != kept[1:4]):
        settings = settings._replace(moves=())
    state.keep_split_settings(data_set, settings)
    return settings


def choose_numbers(name: str, settings: SplitSettings) -> SplitSettings:
    """Draw the seed, and the number of folds or the sizes of the sets."""
    title = (
        f"Seed {settings.seed:d}, {settings.k:d} folds"
        if settings.by == "folds"
        else _sizes_words(settings)
    )
    with st.popover(title, key="split_sizes"):
        seed = st.number_input(
            "Seed",
            0,
            9999,
            settings.seed,
            key=f"split_seed_{name}",
            help="Another seed, another draw.",
        )
        settings = settings._replace(seed=int(seed))
        if settings.by == "folds":
            k = st.number_input("Folds", 2, 20, settings.k, key=f"split_k_{name}")
            return settings._replace(k=int(k))
        val = st.slider(
            "Validation, %", 5, 40, round(100 * settings.val), 5, key=f"split_val_{name}"
        )
        test = st.slider("Test, %", 5, 40, round(100 * settings.test), 5, key=f"split_test_{name}")
        st.caption(f"Train: {100 - val - test} %")
    return settings._replace(val=val / 100, test=test / 100)


def _sizes_words(settings: SplitSettings) -> str:
    val, test = round(100 * settings.val), round(100 * settings.test)
    return f"Seed {settings.seed:d}, sizes {100 - val - test} / {val} / {test} %"
