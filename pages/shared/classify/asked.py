"""Pictures asked about that are no upload of the Classify page; they are kept for the session."""

import hashlib
import io

import streamlit as st
from PIL import Image

EXAMPLES_KEY = "examples_wanted"
PASTED_KEY = "pasted_pictures"
MAX_PASTED, MAX_PASTED_BYTES = 20, 100 * 1024**2
SHOWN = (480, 360)


@st.cache_data(show_spinner="Drawing the examples")
def examples() -> list[tuple[str, bytes]]:
    """Return a drawn picture of each class: name and PNG."""
    from lymph.synthetic.examples import synthetic_examples

    return [(name, content) for _, name, content in synthetic_examples()]


@st.cache_data(show_spinner=False)
def small_examples() -> list[tuple[str, bytes]]:
    """Return a drawn picture of each class for show: class and JPEG."""
    from lymph.synthetic.examples import synthetic_examples

    return [(label, _small(content)) for label, _, content in synthetic_examples()]


def _small(content: bytes) -> bytes:
    picture = Image.open(io.BytesIO(content))
    picture.thumbnail(SHOWN, Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88)
    return file.getvalue()


def want_examples() -> None:
    """Let Classify answer the drawn examples."""
    st.session_state[EXAMPLES_KEY] = True


def wants_examples() -> bool:
    """Tell whether the drawn examples are asked about."""
    return bool(st.session_state.get(EXAMPLES_KEY))


def pasted() -> dict[str, tuple[str, bytes]]:
    """Return the pictures that were pasted or dropped on another page: name and content."""
    return st.session_state.setdefault(PASTED_KEY, {})


def keep_pasted(content: bytes, name: str = "pasted picture") -> None:
    """Keep a picture for Classify; of too many the oldest goes."""
    kept = pasted()
    kept[hashlib.sha256(content).hexdigest()] = (name, content)
    while len(kept) > MAX_PASTED or sum(len(content) for _, content in kept.values()) > (
        MAX_PASTED_BYTES
    ):
        kept.pop(next(iter(kept)))


def forget_session() -> None:
    """Take all of them away."""
    st.session_state.pop(EXAMPLES_KEY, None)
    st.session_state.pop(PASTED_KEY, None)
