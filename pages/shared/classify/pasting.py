"""A place to paste a picture into: what the clipboard holds comes to the app as bytes."""

import base64
import binascii
from collections.abc import Callable

import streamlit as st

from pages.shared.beside import text_beside

_mount = st.components.v2.component(
    "lymph_paste",
    html=text_beside(__file__, "pasting.html"),
    css=text_beside(__file__, "pasting.css"),
    js=text_beside(__file__, "pasting.js"),
)


def paste_area(keep: Callable[[bytes], None], key: str) -> None:
    """Draw the place; ``keep`` is given the bytes of each picture that is pasted."""
    result = _mount(key=key, on_picture_change=lambda: None)
    content = decode_address(getattr(result, "picture", None))
    if content is not None:
        keep(content)


def decode_address(address: str | None) -> bytes | None:
    """Return the bytes of a ``data:`` address; None when it is none."""
    if not address or not address.startswith("data:") or ";base64," not in address:
        return None
    try:
        return base64.b64decode(address.split(";base64,", 1)[1], validate=True)
    except (binascii.Error, ValueError):
        return None
