"""Pictures in a grid: bordered in the colour of their class, and opened by a click."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import streamlit as st

from lymph.charts import breakable, ink_on
from lymph.errors import LymphError
from pages.shared import loading
from pages.shared.frame import escape, plain, show_error

PER_PAGE = 24


class Item(NamedTuple):
    """One picture of a gallery: its path below the root, its class and a line about it."""

    picture: str
    label: str
    note: str = ""


def badge(text: str, colour: str) -> str:
    """Return a small label in a colour, as HTML."""
    style = f"--edge:{colour};--ink:{ink_on(colour)}"
    return f'<span class="lymph-badge" style="{style}">{breakable(text)}</span>'


def legend(colours: Mapping[str, str]) -> str:
    """Return the classes in their colours, as HTML, for a chart too narrow to name them."""
    badges = "".join(badge(name, colour) for name, colour in colours.items())
    return f'<div class="lymph-legend">{badges}</div>'


def short_name(picture: str) -> str:
    """Return a picture's file name without folder and suffix."""
    return PurePosixPath(picture).stem


def _figure(item: Item, address: str, colour: str, words: str) -> str:
    return (
        f'<figure class="lymph-picture" style="--edge:{colour}">'
        f'<img src="{address}" alt="{escape(item.label)}, {escape(item.picture)}">'
        f'{badge(item.label, colour)}</figure><div class="lymph-caption">{escape(words)}</div>'
    )


def gallery(
    root: Path,
    items: Sequence[Item],
    colours: Mapping[str, str],
    key: str,
    per_page: int = PER_PAGE,
    describe: Callable[[Item], str] = lambda item: item.note,
    on_open: Callable[[Item], None] | None = None,
) -> None:
    """Draw a paged grid of pictures; the button under each opens it.

    Parameters
    ----------
    root : Path
        Data root.
    items : sequence of Item
    colours : mapping
        Class to colour.
    key : str
        Of the widgets.
    per_page : int
    describe : callable
        Returns the line under a picture; asked for the pictures of the page at hand only.
    on_open : callable, optional
        What the button does; by default the picture is shown at full size.
    """
    pages = max(1, -(-len(items) // per_page))
    page = 1
    if pages > 1:
        page = min(st.pagination(pages, key=f"{key}_page"), pages)
    shown = items[(page - 1) * per_page : page * per_page]
    try:
        with st.container():  # a bar that comes and goes must not move the grid
            addresses = loading.thumbnails(root, [item.picture for item in shown])
    except LymphError as error:
        show_error(error)
        return
    grid = st.grid("auto", min_column_width=150, gap="small", key=f"{key}_grid")
    for place, (item, address) in enumerate(zip(shown, addresses, strict=True)):
        # As few parts as can be: each is a message to every visitor at every click.
        with grid.container(gap=None):
            st.html(_figure(item, address, colours[item.label], describe(item)))
            name = plain(short_name(item.picture))
            if st.button(name, key=f"{key}_open_{place}", type="tertiary"):
                (on_open or partial(open_picture, root))(item)


@st.dialog("Picture", width="large")
def open_picture(root: Path, item: Item) -> None:
    """Show one picture at full size."""
    try:
        pixels = loading.full_picture(str(root), item.picture)
    except LymphError as error:
        show_error(error)
        return
    st.image(pixels, width="stretch", alt=f"{item.label}, {item.picture}")
    st.text(f"{item.picture}\n{item.note}\n{pixels.shape[1]} x {pixels.shape[0]} pixels")
