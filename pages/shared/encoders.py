"""Which encoder makes the features: what Train's linear probe and the leak meter choose from."""

import streamlit as st

from lymph.classroom.settings import class_settings
from lymph.models.encoder_files import is_here
from lymph.models.encoder_table import DEFAULT, ENCODER_TABLE
from pages.shared.frame import plain
from pages.shared.place import computer

OWN_FILE = "own file"
SUFFIX = ".safetensors"


def encoders_here() -> list[str]:
    """Return what can be chosen: ResNet-50, the encoders on this computer, and one's own file."""
    known = [name for name in ENCODER_TABLE if name == DEFAULT or is_here(name)]
    return [*known, OWN_FILE] if class_settings() is None or encoder_files() else known


def encoder_files() -> list[str]:
    """Return the encoders that the lecturer named when the class began."""
    settings = class_settings()
    return [file for file in settings.weights if file.endswith(SUFFIX)] if settings else []


def choose_from_here(key: str, told: str) -> str:
    """Draw the choice of what is here, and return it; ``told`` is its help."""
    return st.selectbox(
        "Encoder",
        encoders_here(),
        format_func=_title,
        key=key,
        persist_state="session",
        help=told,
    )


def choose_own(key: str) -> str:
    """Draw the choice of one's own encoder; return its folder or file, in a class a named one."""
    if named := encoder_files():
        label = "File of the encoder"
        return st.selectbox(label, named, key=f"{key}_named", persist_state="session") or ""
    path = st.text_input(
        f"Its folder on {computer()}, or its {SUFFIX} file with config.json beside it",
        key=f"{key}_file",
        persist_state="session",
    )
    return path.strip() or "not named yet"


def chosen_before(key: str) -> str:
    """Return what was chosen under a key, without drawing it: a name, or one's own path."""
    chosen = st.session_state.get(key, DEFAULT)
    if chosen != OWN_FILE:
        return chosen
    of_class = st.session_state.get(f"{key}_named", "")
    return of_class or st.session_state.get(f"{key}_file", "").strip() or DEFAULT


def show_terms(name: str) -> None:
    """Say what an encoder of the table learned from, and under which terms it may be used."""
    record = ENCODER_TABLE[name]
    st.caption(plain(f"Learned from {record.learned_from}. {record.terms}."))


def _title(name: str) -> str:
    return "An encoder of your own" if name == OWN_FILE else ENCODER_TABLE[name].title
