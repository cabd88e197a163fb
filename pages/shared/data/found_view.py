"""What was found in a folder, line by line, each to be corrected where it is wrong."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from lymph import splits
from lymph.classroom.pictures import may_change_pictures
from lymph.data import decisions
from lymph.data.corrections import (
    BY_LEVEL,
    NAME,
    NO_SETS,
    TABLE,
    UNKNOWN,
    Way,
    quick_corrections,
    told_by,
    way_of,
    ways_of,
)
from lymph.data.depth import depth_sentence
from lymph.data.layout import CLASS, PATIENT, SET, Level, levels_of
from lymph.data.look import Found
from lymph.data.names import COMMON_PATTERNS
from lymph.data.patients import Proposal
from lymph.data.source import PictureSource, keep_source, source_of
from lymph.data.sources import DataSet
from lymph.data.tables import read_table
from lymph.data.walk import walk
from lymph.errors import LymphError
from lymph.facts import PATIENT_PATTERN, class_colours
from lymph.text import counted
from pages.shared import loading
from pages.shared.drops import content_of
from pages.shared.frame import escape, plain, show_error, told
from pages.shared.pictures.galleries import badge
from pages.shared.visit.changing import change_pictures, say_whose
from pages.shared.visitor import who

EXAMPLES = 6
NAMED = 4

LAYOUTS_TOLD = {
    "class-folders": "one folder per class",
    "patient-folders": "one folder per patient, with the classes inside",
    "set-folders": "one folder per set, with the classes inside",
    "table": "a table names the class of each picture",
    "names": "the file names tell the class",
}
STYLES = Path(__file__).with_name("found.css")


def show_found(data_set: DataSet) -> None:
    """Draw what was found, and below it the ways to correct it; corrections are seen at once."""
    st.html(STYLES)
    kept = source_of(data_set.path, data_set.copy)
    answer = st.container()
    with st.expander(
        "Something is wrong: correct it", key="correct", expanded=not is_told(data_set)
    ):
        draft = correct(data_set, kept)
    with answer:
        try:
            found = loading.found(data_set) if draft == kept else draft.look()
        except LymphError as error:
            show_error(error)
            return
        if draft != kept:
            offer_to_keep(data_set, draft)
        show_summary(data_set, found)


def show_in_brief(data_set: DataSet) -> None:
    """Draw what was found on a slide, where nothing is corrected: two doubts and four names."""
    st.html(STYLES)
    found = loading.found(data_set)
    for doubt in found.doubts[:2]:
        st.warning(plain(doubt))
    show_classes_and_patients(data_set, found)
    st.table(examples_of(found).head(4).map(plain), border="horizontal", hide_index=True)
    counts = found.set_counts()
    if counts:
        st.markdown(f"**A ready split** · {set_words(counts)}")
    st.caption("All of it is on the Data page under “What was found”, and can be corrected there.")


def is_told(data_set: DataSet) -> bool:
    """Tell whether classes and patients are known already."""
    try:
        return any(loading.found(data_set).patients)
    except LymphError:
        return False


def offer_to_keep(data_set: DataSet, draft: PictureSource) -> None:
    with st.container(border=True, key="keep_corrections"):
        st.write("This is what would be read with your corrections.")
        if st.button("Use these corrections", type="primary", key="use_corrections"):
            keep(data_set, draft)


def keep(data_set: DataSet, source: PictureSource) -> None:
    """Keep what tells classes and patients, or say why it cannot be kept."""
    with told():
        change_pictures(data_set, keep_source, source)
        forget_widgets()
        st.rerun()


def forget_widgets() -> None:
    for key in list(st.session_state):
        if str(key).startswith("correct_"):
            del st.session_state[key]


# ---- the summary -------------------------------------------------------------------------------


def show_summary(data_set: DataSet, found: Found[PictureSource]) -> None:
    for doubt in found.doubts:
        st.warning(plain(doubt))
    offer_quick_corrections(data_set, found)
    show_classes_and_patients(data_set, found)
    st.dataframe(examples_of(found), hide_index=True, key="found_examples")
    show_sets(found)
    if sentence := depth_sentence(data_set.path):
        st.info(plain(sentence))
    show_not_read(found)


def show_classes_and_patients(data_set: DataSet, found: Found[PictureSource]) -> None:
    """Say what tells classes and patients, with a picture of each class."""
    st.markdown(f"**Classes** · {LAYOUTS_TOLD[found.layout]}")
    show_classes(data_set, found)
    st.markdown(f"**Patients** · {patients_words(found)}")


def offer_quick_corrections(data_set: DataSet, found: Found[PictureSource]) -> None:
    """Offer the answers to most doubts, one click each."""
    with st.container(horizontal=True, key="quick_corrections"):
        for label, answer in quick_corrections(found, data_set.copy).items():
            offer(data_set, label, answer)


def offer(data_set: DataSet, label: str, source: PictureSource) -> None:
    if st.button(label, key=f"correct_now_{label[:8]}"):
        keep(data_set, source)


def show_classes(data_set: DataSet, found: Found[PictureSource]) -> None:
    """Draw a picture of each class with its number of pictures."""
    counts = Counter(label for label in found.labels if label)
    colours = class_colours(sorted(counts))
    firsts = dict(zip(reversed(found.labels), reversed(found.pictures), strict=True))
    figures = []
    for label in sorted(counts):
        try:
            (address,) = loading.thumbnails(data_set.path, [firsts[label]], height=192)
            image = f'<img src="{escape(address)}" alt="A picture of {escape(label)}">'
        except LymphError:
            image = "The first one cannot be read."
        figures.append(
            f'<figure style="--edge:{colours[label]}">{image}<br>{badge(label, colours[label])}'
            f" {counted(counts[label], 'picture')}</figure>"
        )
    st.html(f'<div class="lymph-found">{"".join(figures)}</div>')


def patients_words(found: Found[PictureSource]) -> str:
    """Say how many patients there are and what tells them."""
    if found.source.patients == UNKNOWN:
        return "unknown, each picture counts by itself"
    number = len(set(found.patients) - {""})
    ways = {"name": "the file names", "folder": "the folders", "table": "a table"}
    words = f"{counted(number, 'patient')}, from {ways[found.source.patients]}"
    return words + (", counted within each class" if found.source.within_class else "")


def examples_of(found: Found[PictureSource]) -> pd.DataFrame:
    """Return what is made of some names: those without a patient first, then from all over."""
    without = [i for i, patient in enumerate(found.patients) if not patient][: EXAMPLES // 2]
    step = max(1, len(found.pictures) // (EXAMPLES - len(without)))
    places = list(dict.fromkeys([*without, *range(0, len(found.pictures), step)]))[:EXAMPLES]
    rows = {
        "Picture": [found.pictures[i] for i in places],
        "Class": [found.labels[i] or "no class" for i in places],
        "Patient": [found.patients[i] or "no patient" for i in places],
    }
    if any(found.sets):
        rows["Set"] = [found.sets[i] for i in places]
    return pd.DataFrame(rows)


def show_sets(found: Found[PictureSource]) -> None:
    """Say what ready split the data bring, and measure at once what it leaks."""
    counts = found.set_counts()
    if not counts:
        return
    st.markdown(f"**A ready split** · {set_words(counts)}")
    table = pd.DataFrame(
        {"picture": found.pictures, "label": found.labels, "patient": found.patients}
    )
    table = table[(table["patient"] != "") & (table["label"] != "")].reset_index(drop=True)
    try:
        leak = splits.leak_report(table, splits.given_split(table, found.given_sets()))
    except LymphError as error:
        st.info(plain(str(error)))
        return
    if found.source.caveat:
        st.warning("Nobody can say what it leaks, since the patients are unknown.")
    elif leak.leaked_test_pictures:
        st.error(plain(leak.sentence))
    else:
        st.success(plain(leak.sentence))
    st.caption("The Split page offers it as “The data's own split”.")


def set_words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{plain(name)} {count}" for name, count in counts.items())


def show_not_read(found: Found[PictureSource]) -> None:
    if not found.not_read:
        st.caption("Every file in the folder is read.")
        return
    st.markdown(f"**Not read** · {counted(sum(e.count for e in found.not_read), 'file')}")
    table = pd.DataFrame(found.not_read)
    table.columns = ["What", "Files", "Why"]
    st.dataframe(table, hide_index=True, key="found_not_read")


# ---- corrections -------------------------------------------------------------------------------


def correct(data_set: DataSet, kept: PictureSource) -> PictureSource:
    """Draw the choosers and return the source as they say; untouched they say what is kept."""
    try:
        found = loading.found(data_set)
        now, pictures, proposal = found.source, found.pictures, found.proposal
    except LymphError:
        now, pictures, proposal = kept, walk(data_set.path).pictures, None
    levels = levels_of(pictures, now.base)
    if data_set.copy or not may_change_pictures(who(), data_set):
        say_whose(data_set)
        st.caption("The files are never changed.")
    else:
        st.caption(
            "Corrections apply to everyone who opens these pictures here. The files are never"
            " changed."
        )
    with st.grid(3, min_column_width=220, key="correct_ways"):
        label_way = choose("The classes come from", class_ways(levels), now, CLASS)
        patient_way = choose("The patients come from", patient_ways(levels), now, PATIENT)
        set_way = choose("A ready split comes from", set_ways(levels), now, SET)
    changes: dict[str, Any] = {}
    if (label_way, patient_way, set_way) != ways_of(now):
        changes |= told_by(levels, label_way, patient_way, set_way)
    if NAME in (label_way[0], patient_way[0]):
        changes |= choose_pattern(now, proposal)
    changes |= choose_tables(data_set, now, label_way, patient_way)
    within = st.toggle(
        "Number within the class: the same number in two classes means two people",
        now.within_class,
        key="correct_within",
    )
    if within != now.within_class:
        changes["within_class"] = within
    changes |= choose_skipped(now, levels)
    return replace(now, **changes, excluded=kept.excluded) if changes else kept


def choose(title: str, ways: dict[Way, str], now: PictureSource, role: str) -> Way:
    options, kept = list(ways), way_of(now, role)
    return st.selectbox(
        title,
        options,
        index=options.index(kept) if kept in options else 0,
        format_func=ways.__getitem__,
        key=f"correct_{role}",
    )


def level_words(level: Level) -> str:
    shown = ", ".join(plain(name) for name in level.names[:NAMED])
    more = f" and {len(level.names) - NAMED} more" if len(level.names) > NAMED else ""
    return f"folders: {shown}{more}"


def _by_level(levels: list[Level]) -> dict[Way, str]:
    return {(BY_LEVEL, level.depth): level_words(level) for level in levels}


def class_ways(levels: list[Level]) -> dict[Way, str]:
    return {**_by_level(levels), (TABLE, 0): "a table", (NAME, 0): "the file name"}


def patient_ways(levels: list[Level]) -> dict[Way, str]:
    return {
        (NAME, 0): "the file name",
        **_by_level(levels),
        (TABLE, 0): "a table",
        (UNKNOWN, 0): "nothing: patients unknown, each picture by itself",
    }


def set_ways(levels: list[Level]) -> dict[Way, str]:
    return {(NO_SETS, 0): "no folder", **_by_level(levels)}


def choose_pattern(now: PictureSource, proposal: Proposal | None) -> dict[str, Any]:
    key, kept = "correct_pattern", now.pattern or PATIENT_PATTERN
    st.selectbox(
        "Common ways to name files",
        list(COMMON_PATTERNS),
        index=None,
        placeholder="choose one, or write a pattern",
        key="correct_common",
        on_change=lambda: take_common(key),
    )
    if proposal is not None:
        name, patient = proposal.examples[0]
        st.caption(plain(f"Fits these names best: {proposal.title}. {name} belongs to {patient}."))
    pattern = st.text_input(
        "Pattern: a regular expression with a group called patient (or year and number), and one"
        " called label where the name tells the class",
        kept,
        key=key,
        live="300ms",
    )
    return {"pattern": pattern} if pattern != kept else {}


def take_common(key: str) -> None:
    chosen = st.session_state.get("correct_common")
    if chosen:
        st.session_state[key] = COMMON_PATTERNS[chosen]


def choose_tables(
    data_set: DataSet, now: PictureSource, label: Way, patient: Way
) -> dict[str, Any]:
    """Draw the ways in for a table of classes and one of patients, and keep what is given."""
    changes: dict[str, Any] = {}
    for way, field, column in (
        (label, "labels_file", "label"),
        (patient, "patients_file", "patient"),
    ):
        if way[0] != TABLE:
            continue
        upload = st.file_uploader(
            f"A table with the columns picture and {column} (CSV; a column set is a ready split)",
            type=["csv", "tsv", "txt"],
            key=f"correct_{field}",
        )
        if upload is not None:
            try:
                content = content_of(upload)
                read_table(content, upload.name)
                changes[field] = str(decisions.keep_table(data_set.path, content, upload.name))
            except LymphError as error:
                show_error(error)
        elif getattr(now, field):
            st.caption(f"In use: {plain(Path(getattr(now, field)).name)}")
    return changes


def choose_skipped(now: PictureSource, levels: list[Level]) -> dict[str, Any]:
    """Draw the chooser of folders that are no class."""
    if now.labels != "folder" or CLASS not in now.folders[:1] or not levels:
        return {}
    base = f"{now.base}/" if now.base else ""
    folders = sorted({*(base + name for name in levels[0].names), *now.skipped})
    if len(folders) > 200:
        return {}
    skipped = st.multiselect(
        "Folders that are no class", folders, list(now.skipped), key="correct_skipped"
    )
    if tuple(sorted(skipped)) == tuple(sorted(now.skipped)):
        return {}
    return {"skipped": tuple(sorted(skipped)), "folders": now.folders}
