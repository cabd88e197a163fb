"""What a split leads to: the numbers, the verdict that stays in sight, and look-alikes."""

import json
from pathlib import Path

import pandas as pd
import streamlit as st

from lymph import splits
from lymph.charts import names_fit, set_balance
from lymph.data.sources import DataSet
from lymph.splits import Split
from pages.shared import loading
from pages.shared.frame import plain
from pages.shared.loading import SplitFacts
from pages.shared.navigation import go_to
from pages.shared.pictures.galleries import legend
from pages.shared.server import ahead

# The verdict and the way on lie at the lower edge of the window, whatever is scrolled.
STYLES = Path(__file__).with_name("verdict.css")


def show_numbers(split: Split, facts: SplitFacts, caveat: str) -> None:
    """Show in large numbers who is never seen, and how much of the test leaks."""
    leak = facts.leak
    with st.grid(3, min_column_width=96, key="split_numbers"):
        if split.folds is not None:
            st.metric("Folds", len(split.folds))
        else:
            test = facts.summary["sets"]["test"]["patients"]
            unseen = test - len(leak.leaked_patients) if split.by == "picture" else test
            st.metric("Patients never seen", "unknown" if caveat else unseen)
        st.metric("Test pictures", leak.test_pictures)
        st.metric(
            "From patients in the training set", "unknown" if caveat else leak.leaked_test_pictures
        )


def show_verdict(facts: SplitFacts, caveat: str) -> None:
    """Say whether the test leaks, and offer the way on; both stay in sight."""
    st.html(STYLES)
    with st.container(key="split_verdict"):
        said, way = st.columns([4, 1], vertical_alignment="center")
        with said, st.container(key="leak_sentence"):
            say(facts, caveat)
        with way:
            if st.button("Go to training", type="primary", key="go_train", width="stretch"):
                go_to("train")


def say(facts: SplitFacts, caveat: str) -> None:
    """Say whether the test leaks."""
    leak = facts.leak
    for sentence in facts.untrainable:
        st.error(plain(sentence))
    if leak.leaked_test_pictures:
        st.error(f"## {plain(leak.sentence)}")
    elif caveat:
        st.warning(plain(caveat))
    elif leak.test_pictures and not facts.untrainable:
        st.success(f"## {plain(leak.sentence)}")


def show_advice(facts: SplitFacts) -> None:
    """Say why a leak matters, and what else is to be known of the split."""
    if facts.leak.leaked_test_pictures:
        st.write(
            "The model can recognise these patients by the colour of their slide instead of"
            " their disease, so its test score will be too optimistic."
        )
    for sentence in facts.advice:
        st.warning(plain(sentence))


def show_twins(data_set: DataSet, table: pd.DataFrame, split: Split) -> None:
    """Tell of pictures that look alike and stand on two sides, whoever the patients are."""
    if not loading.twins_are_known(data_set, table):
        if not st.button("Find near-duplicate pictures", key="look_for_twins"):
            st.caption("Every picture is read once, which takes minutes for tens of thousands.")
            return
        loading.findings(data_set, table)
    if ahead.preparing(data_set.path) and not loading.measured(data_set, table):
        await_measures(data_set)
        return
    pairs = loading.known_twins(data_set, table)
    across = splits.twins_across(table, split, pairs)
    if not across:
        return
    st.warning(
        f"**{len(across)} pairs of pictures look the same and are in two sets.** They leak even"
        " where the patients are right; the Quality view of the Data page excludes them."
    )
    with st.expander("Which ones", key="twins"):
        st.dataframe(pd.DataFrame(across, columns=["One", "The other"]), hide_index=True)


@st.fragment(run_every=2.0)
def await_measures(data_set: DataSet) -> None:
    """Say that the pictures are being compared, until they are."""
    if not ahead.preparing(data_set.path):
        st.rerun()
    st.caption("Looking for near-duplicate pictures")


def show_balance(table: pd.DataFrame, facts: SplitFacts, colours: dict[str, str]) -> None:
    """Draw how each class is shared out among the sets."""
    unit = st.segmented_control(
        "Counted in",
        ["pictures", "patients"],
        default="pictures",
        required=True,
        key="balance_unit",
        label_visibility="collapsed",
    )
    sets = facts.summary["sets"] if unit == "pictures" else facts.patients
    whole = table if unit == "pictures" else table.drop_duplicates(["patient", "label"])
    total = whole["label"].value_counts().to_dict()
    if not names_fit(colours):
        st.html(legend(colours))
    figure = loading.drawn(set_balance, {"sets": sets}, colours, total, unit)
    st.plotly_chart(figure, key="set_balance", config={"displayModeBar": False})


def show_downloads(split: Split, facts: SplitFacts) -> None:
    """Offer the split as a file and as a table."""
    with st.container(horizontal=True):
        st.download_button(
            "Download split.json",
            json.dumps(split.to_json(), indent=2),
            "split.json",
            "application/json",
            key="download_split",
        )
        st.download_button(
            "Download as a table (CSV)",
            facts.csv,
            "split.csv",
            "text/csv",
            key="download_table",
        )
