"""What may be wrong with the pictures, and which of them to leave out."""

from collections import Counter

import pandas as pd
import streamlit as st

from lymph.classroom.pictures import may_change_pictures
from lymph.data.exclusions import exclude, excluded, include
from lymph.data.quality import KINDS, Finding, unseen_overlaps
from lymph.data.sources import DataSet
from lymph.facts import class_colours
from lymph.text import counted
from pages.shared import loading
from pages.shared.frame import plain, told
from pages.shared.pictures import viewer
from pages.shared.pictures.galleries import Item, gallery
from pages.shared.pictures.rows import Rows
from pages.shared.visit.changing import change_on_click, change_pictures, say_whose
from pages.shared.visitor import who


def show_quality(data_set: DataSet, table: pd.DataFrame) -> None:
    """Draw the findings kind by kind, and the pictures that were excluded."""
    say_whose(data_set)
    found = loading.findings(data_set, table)
    counts = {kind: sum(finding.kind == kind for finding in found) for kind in KINDS}
    there = [kind for kind, count in counts.items() if count]
    if there:
        kind = st.segmented_control(
            "What was found",
            there,
            default=there[0],
            format_func=lambda name: f"{KINDS[name].title} ({counts[name]:d})",
            required=True,
            key="quality_kind",
        )
        show_kind(data_set, table, kind, [finding for finding in found if finding.kind == kind])
    else:
        st.success(f"Nothing was found in {counted(len(table), 'picture')}.")
    clean = [KINDS[kind].title.lower() for kind in KINDS if kind not in there]
    if clean:
        st.caption(f"Looked for and not found: {', '.join(clean)}.")
    sound = loading.measures(data_set, table[table["problem"] == ""])
    st.caption(unseen_overlaps(sound))
    show_excluded(data_set)


def show_counts(data_set: DataSet, table: pd.DataFrame) -> None:
    """Draw how many pictures there are of each kind of fault, and nothing to click."""
    found = Counter(finding.kind for finding in loading.findings(data_set, table))
    if not found:
        st.success(f"Nothing was found in {counted(len(table), 'picture')}.")
    rows = [(title, str(found[name] or "none")) for name, (title, *_) in KINDS.items()]
    listed = pd.DataFrame(rows, columns=["Looked for", "Found"])
    st.table(listed.map(plain), border="horizontal", hide_index=True)
    if found:
        st.caption("The Data page shows these pictures under “Quality”, and excludes them there.")


def show_kind(data_set: DataSet, table: pd.DataFrame, kind: str, found: list[Finding]) -> None:
    st.markdown(f"**Why it matters.** {KINDS[kind].why}")
    if kind == "damaged":
        listed = pd.DataFrame([(f.picture, f.note) for f in found], columns=["Picture", "Fault"])
        st.dataframe(listed, hide_index=True)
        return
    pictures = {finding.picture: finding for finding in found}
    label = f"Exclude {'this picture' if len(pictures) == 1 else f'these {len(pictures)} pictures'}"
    if kind in ("same", "near"):
        label = f"Exclude the later of each pair ({counted(len(pictures), 'picture')})"
    reasons = {name: f"{KINDS[kind].title}: {f.note}." for name, f in pictures.items()}
    st.button(label, key="exclude_all", on_click=exclude_found, args=(data_set, reasons))
    labels = dict(zip(table["picture"], table["label"], strict=True))
    items = [item for finding in found for item in items_of(finding, labels)]
    rows = Rows(table[table["picture"].isin([item.picture for item in items])])
    gallery(
        data_set.path,
        items,
        class_colours(sorted(set(labels.values()))),
        key=f"quality_{kind}",
        on_open=lambda item: viewer.open_picture(data_set, rows, item),
    )


def exclude_found(data_set: DataSet, reasons: dict[str, str]) -> None:
    change_on_click(data_set, exclude, data_set.path, reasons)


def items_of(finding: Finding, labels: dict[str, str]) -> list[Item]:
    """Return the picture of a finding; a twin stands after its first."""
    own = Item(finding.picture, labels[finding.picture], finding.note)
    if not finding.other:
        return [own]
    return [Item(finding.other, labels[finding.other], f"twin of {finding.picture}"), own]


def show_excluded(data_set: DataSet) -> None:
    left = excluded(data_set.path, data_set.copy)
    if not left:
        return
    by = "you" if may_change_pictures(who(), data_set) else "the lecturer"
    st.header(f"Excluded by {by} ({len(left)})", anchor=False)
    listed = pd.DataFrame(left.items(), columns=["Picture", "Reason"])
    st.dataframe(listed, hide_index=True)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        one = st.selectbox(
            "Include one again",
            list(left),
            index=None,
            placeholder="choose a picture",
            key="include_one",
        )
        if st.button("Include it", key="include", disabled=one is None) and one is not None:
            include_again(data_set, [one])
        if st.button("Include all again", key="include_all"):
            include_again(data_set, list(left))
    st.caption(plain("Files are never changed: this list is kept in the workspace."))


def include_again(data_set: DataSet, names: list[str]) -> None:
    """Include pictures again, or say why they cannot be."""
    with told():
        change_pictures(data_set, include, data_set.path, names)
        st.rerun()
