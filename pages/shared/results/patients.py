"""The test patients, the worst first: one row each, whose pictures open and which can be chosen."""

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from lymph.charts import percent
from lymph.data.ahead import LINE_HEIGHT
from lymph.data.depth import white_of
from lymph.data.measure import measured_before, measures_file
from lymph.data.sources import DataSet
from lymph.data.stamps import stamp_of
from lymph.errors import LymphError
from lymph.evaluation import Selection
from lymph.facts import class_colours
from lymph.runs import Run
from pages.shared import loading
from pages.shared.beside import text_beside
from pages.shared.frame import escape, show_error
from pages.shared.judging import Judged, Key, patients_of
from pages.shared.navigation import on_stage
from pages.shared.pictures.galleries import badge, short_name
from pages.shared.results.choosing import toggle
from pages.shared.results.opened import open_judged

PATIENTS_A_PAGE, PATIENTS_A_SLIDE = 10, 4
PICTURES_A_ROW = 60
PAGE_KEY = "patients_page"

_mount = st.components.v2.component(
    "lymph.patient",
    html='<div id="row"></div>',
    css=text_beside(__file__, "patients.css"),
    js=text_beside(__file__, "patients.js"),
)

HEAD_STYLES = Path(__file__).with_name("heads.css")
HEAD = """
<div class="lymph-heads"><div aria-hidden="true"><span>Patient</span><span>Pictures</span>
<span>Classified correctly</span><span>Mean probability of the true class</span>
<span>Stain: mean optical density</span></div></div>
"""


def list_patients(
    data_set: DataSet, judged: Judged, chosen: Selection | None, pictures: Collection[str]
) -> None:
    """Draw the patients of the set, in pages; ``pictures`` are those that are chosen anywhere."""
    people = patients_of(judged)
    shown = page_of(people, chosen)
    stains = stains_of(judged)
    root = Path(judged.run.config.data)
    known_by = (loading.folder_stamp(root), white_of(root))
    st.html(HEAD_STYLES)
    st.html(HEAD)
    opened = None
    with st.container(gap=None, key="patient_rows"):
        for place, person in enumerate(shown.itertuples()):
            who, label = str(person.patient), str(person.label)
            stain = "" if stains is None else stains.get(who, "not measured")
            try:
                line = _line(judged.key, who, label, stain, known_by, judged, person)
                picked = show_patient(who, line, chosen, pictures, place)
            except LymphError as error:
                show_error(error)
                return
            opened = opened or picked
    # A slide has no room for them.
    if stains is None and not on_stage():
        offer_measuring(data_set)
    if opened is not None:
        open_judged(judged.run, *opened, judged.pictures)


def page_of(people: pd.DataFrame, chosen: Selection | None) -> pd.DataFrame:
    """Return the patients of the page that is chosen, at first the one with the chosen patient."""
    count = PATIENTS_A_SLIDE if on_stage() else PATIENTS_A_PAGE
    pages = -(-len(people) // count)
    if pages == 1:
        return people
    first = 1
    if chosen is not None and chosen.kind == "patient":
        places = people.index[people["patient"] == chosen.values[0]]
        first = int(places[0]) // count + 1 if len(places) else 1
    page = min(st.pagination(pages, default=first, key=PAGE_KEY), pages)
    return people.iloc[(page - 1) * count : page * count]


class Line(NamedTuple):
    """A patient's row: its pictures, and how it is drawn."""

    own: pd.DataFrame
    names: list[str]
    html: str


@st.cache_resource(show_spinner=False, max_entries=400)
def _line(
    key: Key, patient: str, label: str, stain: str, known_by: tuple, _judged: Judged, _person: Any
) -> Line:
    """Put a row together, once for all who look at a run; its small pictures are there then."""
    rows = _judged.pictures
    own = rows[(rows["patient"] == patient) & (rows["label"] == label)]
    own = own.sort_values("picture").head(PICTURES_A_ROW)
    return Line(own, list(own["picture"]), row_html(_judged.run, _person, own, stain))


def show_patient(
    patient: str, line: Line, chosen: Selection | None, pictures: Collection[str], place: int
) -> tuple[pd.DataFrame, int] | None:
    """Draw one row; return its pictures and the place of the one that was clicked, if any."""
    own_choice, own = Selection("patient", (patient,)), line.own
    held = [i for i, name in enumerate(line.names) if name in pictures]
    data = {
        "html": line.html,
        "pressed": chosen is not None and chosen[:2] == own_choice[:2],
        "chosen": held if pictures else None,
    }
    result = _mount(
        data=data,
        key=f"patient_{place}",
        on_clicked_change=partial(toggle, own_choice),
        on_opened_change=lambda: None,
    )
    at = result.opened
    return (own, int(at)) if at is not None and 0 <= int(at) < len(own) else None


def row_html(run: Run, person: Any, own: pd.DataFrame, stain: str) -> str:
    """Return one patient's row, as HTML."""
    colours = class_colours(run.classes)
    right = person.label == person.predicted
    said = "✓ correct" if right else f"✗ called {escape(person.predicted)}"
    addresses = loading.thumbnails(Path(run.config.data), list(own["picture"]), LINE_HEIGHT)
    thumbs = "".join(
        small_picture(row, address, i)
        for i, (row, address) in enumerate(
            zip(own.to_dict("records"), addresses, strict=True),
        )
    )
    count, hits = int(person.pictures), int(person.right)
    more = f"<small>and {count - len(own):d} more</small>" if count > len(own) else ""
    return (
        '<div class="row"><button type="button" class="who" aria-pressed="false">'
        f"{badge(person.label, colours[person.label])}<b>{escape(person.patient)}</b>"
        f'<small>{said}</small></button><div class="strip">{thumbs}{more}</div>'
        f'<div class="cell"><span class="bar"><span style="width:{100 * person.share:.1f}%">'
        f"</span></span>{hits:d} of {count:d}</div>"
        '<div class="cell probability"><span class="told">'
        "mean probability of the true class </span>"
        f"{percent(person.probability)}</div>"
        f'<div class="cell stain">{stain}</div></div>'
    )


def small_picture(row: Mapping[Any, Any], address: str, place: int) -> str:
    """Return one small picture with its mark, as HTML."""
    right = row["label"] == row["predicted"]
    said = percent(row[f"p_{row['predicted']}"])
    title = f"{short_name(row['picture'])}: called {row['predicted']} ({said})"
    return (
        f'<button type="button" class="thumb {"right" if right else "wrong"}"'
        f' data-place="{place:d}" title="{escape(title)}"><img src="{address}"'
        f' alt="{escape(title)}"><i aria-hidden="true">{"✓" if right else "✗"}</i></button>'
    )


# ---- stains ------------------------------------------------------------------------------------


def stains_of(judged: Judged) -> dict[str, str] | None:
    """Return each patient's mean stain as HTML; None where the pictures were not measured yet."""
    root = judged.run.config.data
    return _stains(root, stamp_of(measures_file(root)), judged.key, judged.pictures) or None


@st.cache_resource(show_spinner=False, max_entries=64)
def _stains(root: str, stamp: tuple[int, int], key: Key, _rows: pd.DataFrame) -> dict[str, str]:
    known = measured_before(root, list(_rows["picture"]))
    if known.empty:
        return {}
    means = known.merge(_rows[["picture", "patient"]], on="picture").groupby("patient")
    table = means[["haematoxylin", "eosin"]].mean()
    return {
        str(patient): '<span class="told">mean optical density: </span>'
        f"<span>haematoxylin {row.haematoxylin:.2f}</span>, <span>eosin {row.eosin:.2f}</span>"
        for patient, row in zip(table.index, table.itertuples(), strict=True)
    }


def offer_measuring(data_set: DataSet) -> None:
    """Offer to measure the stains of a whole data set, once for all visitors."""
    if st.button(
        "Measure the stains",
        key="measure_stains",
        help="How much haematoxylin and eosin each patient's slides took up, on average.",
    ):
        table = loading.picture_table(data_set)
        loading.measures(data_set, table[table["problem"] == ""])
        st.rerun(scope="fragment")
