"""The Data page on a projector, a slide for each of its views."""

from functools import partial

import pandas as pd
import streamlit as st

from lymph.data.scan import classes_of
from lymph.data.sources import DataSet
from lymph.facts import class_colours
from pages.shared import loading
from pages.shared.data import found_view, overview, quality_view, stain_view, strips
from pages.shared.stage.deck import Slide

# So many patients have room on a slide, and of each so many pictures.
PATIENTS, PICTURES = 6, 12


def slides(data_set: DataSet) -> list[Slide]:
    """Return the page's slides."""
    table = loading.picture_table(data_set, decode=False)
    sound = table[table["problem"] == ""]
    numbers = partial(show_numbers, data_set, table, sound)
    rows = partial(show_strips, data_set, sound)
    stains = partial(stain_view.show_stain_map, data_set, sound)
    shown = [
        Slide("What is in the pictures, and who are they from?", numbers),
        Slide("Does every patient's slide have its own colour?", rows),
        Slide("Can a picture's colour tell the patient?", stains),
    ]
    if loading.found(data_set).source.caveat:
        del shown[1]
    quality = partial(quality_view.show_counts, data_set, table)
    return [
        *shown,
        Slide("What may be wrong with the pictures?", quality),
        Slide("What was found, and is it right?", partial(found_view.show_in_brief, data_set)),
    ]


def show_numbers(data_set: DataSet, table: pd.DataFrame, sound: pd.DataFrame) -> None:
    """Draw the counts, large, and as bars."""
    overview.show_counts(loading.summary_of_pictures(data_set, table))
    overview.show_bars(sound, class_colours(classes_of(sound)), {})


def show_strips(data_set: DataSet, sound: pd.DataFrame) -> None:
    """Draw one row of thumbnails for a few patients of each class."""
    people = sound[["label", "patient"]].drop_duplicates().sort_values(["label", "patient"])
    each = max(1, PATIENTS // people["label"].nunique())
    rows = sound.merge(people.groupby("label").head(each).head(PATIENTS), on=["label", "patient"])
    rows = rows.groupby(["label", "patient"]).head(PICTURES).reset_index(drop=True)
    strips.show_rows(data_set, rows, class_colours(classes_of(sound)))
    left = len(people) - rows["patient"].nunique()
    if left > 0:
        st.caption(f"{left} more patients are on the Data page.")
