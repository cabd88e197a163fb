"""Where the pictures go: a visitor's browser is not always on the computer that runs lymph."""

import ipaddress
import socket
from collections.abc import Mapping

import streamlit as st

from pages.shared.visitor import who

THIS_COMPUTER, SERVER = "this computer", "the server"
# As pages.shared.drops does it.
AFTERWARDS = "two minutes after the page is closed"
KEPT = "A zip or a dropped folder is copied and kept until you remove the data set."
PASSED_ON = ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via")


def on_server_machine(address: str | None, headers: Mapping[str, str]) -> bool:
    """Tell whether a browser runs on the computer that serves it.

    Parameters
    ----------
    address : str or None
        Of the browser, as the server sees it; None from the server's own computer.
    headers : mapping
        Of its request. One that a proxy passed on, or that asked for a name of another computer,
        came from elsewhere, whatever the address says.
    """
    if any(headers.get(name) for name in PASSED_ON):
        return False
    host = headers.get("Host", "")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    name = name.strip("[]").lower()
    own_name = name in ("", "localhost", socket.gethostname().lower()) or _is_own(name)
    return own_name and (address is None or _is_own(address))


def _is_own(address: str) -> bool:
    """Tell whether an address belongs to this computer: only such a one can be listened at."""
    try:
        known = ipaddress.ip_address(address)
        if known.is_unspecified:
            return False
        family = socket.AF_INET6 if known.version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except (OSError, ValueError):
        return False
    return True


def computer() -> str:
    """Name the computer that runs lymph, as this visitor has to call it."""
    here = on_server_machine(st.context.ip_address, st.context.headers)
    return THIS_COMPUTER if here else SERVER


def where_asked_pictures_go() -> str:
    """Say what becomes of pictures that are dropped to be classified."""
    if computer() == THIS_COMPUTER:
        return f"The pictures stay on this computer; lymph deletes its copies {AFTERWARDS}."
    return (
        "The pictures are sent to the server that runs lymph and kept for your visit only; it"
        f" deletes them {AFTERWARDS}."
    )


def where_added_pictures_go() -> str:
    """Say what becomes of pictures that are added as a data set."""
    if computer() == THIS_COMPUTER and who().may_all:
        return f"Nothing leaves this computer. {KEPT}"
    if not who().may_all:
        return (
            "What you upload is stored on the server that runs lymph, where the lecturer can see"
            " it and other students cannot; upload nothing that you may not share. It is deleted"
            f" {AFTERWARDS}."
        )
    return (
        "What you upload is stored on the server that runs lymph, where every visitor can see it;"
        f" upload nothing that you may not share. {KEPT}"
    )
