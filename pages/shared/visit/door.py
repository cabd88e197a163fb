"""The way into a class: a name, for the lecturer a key, and the code that brings the others."""

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from lymph.classroom.settings import class_settings
from lymph.classroom.who import LONGEST_NAME, Visitor, join
from lymph.errors import LymphError
from pages.shared.frame import escape, plain, show_error
from pages.shared.visitor import who

WELCOME = "Welcome to the class"
STYLES = Path(__file__).with_name("door.css")


def let_in() -> bool:
    """Tell whether this visitor is in; whom nobody knows by name is asked for it first."""
    visitor = who()
    if visitor.free or visitor.name:
        return True
    st.title(WELCOME, anchor=False)
    st.write(
        "Your name appears on everything you start, so that others can see whose it is. A first"
        " name is enough; this browser remembers it."
    )
    ask_name(visitor, "Join")
    return False


def ask_name(visitor: Visitor, label: str) -> None:
    """Draw the form of the name and the lecturer's key."""
    with st.form("name_form", border=False, width=480):
        name = st.text_input("Your name", visitor.name, max_chars=LONGEST_NAME, key="visitor_name")
        key = st.text_input(
            "Lecturer's key",
            type="password",
            key="visitor_key",
            placeholder="students leave this empty",
        )
        if st.form_submit_button(label, type="primary", key="join"):
            try:
                join(visitor, name, key)
            except LymphError as error:
                show_error(error)
            else:
                st.rerun()


def show_visitor(page: str) -> None:
    """Say in the sidebar who one is here, and offer the page at hand to the other devices."""
    visitor = who()
    if visitor.free:
        return
    with st.sidebar:
        role = "lecturer" if visitor.lecturer else "student"
        with st.popover(f"{plain(visitor.name)} · {role}", key="visitor"):
            ask_name(visitor, "Save")
        if visitor.lecturer and st.button("Invite the class", key="invite"):
            invite()
        if st.button("This page on another device", key="page_link"):
            show_link(page)


@st.dialog("Join the class", width="large")
def invite() -> None:
    """Show the address and its QR code, large enough for a projector."""
    settings = class_settings()
    if settings is not None:
        show_address(settings.address)


def show_address(address: str) -> None:
    """Draw an address of the class as text and as a QR code."""
    # Loaded late: only a class needs it.
    from lymph.classroom.qr import LONGEST, as_picture

    st.html(STYLES)
    st.html(f'<div class="lymph-address">{escape(address)}</div>')
    if len(address) > LONGEST:
        st.caption("This address is too long for a QR code.")
        return
    _, middle, _ = st.columns([2, 3, 2])
    middle.image(as_picture(address), width="stretch", alt="QR code of the address")


@st.dialog("This page on another device", width="large")
def show_link(page: str) -> None:
    """Show the address of the page as it stands, under which every device of the class opens it."""
    settings = class_settings()
    if settings is not None:
        query = {name: st.query_params.get_all(name) for name in st.query_params}
        ending = f"?{urlencode(query, doseq=True)}" if query else ""
        show_address(f"{settings.address}/{page}{ending}")
