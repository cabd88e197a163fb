"""What a linear probe looks through: an encoder that is here, one's own, or one to be fetched."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from lymph.classroom.owners import for_lecturer
from lymph.models.encoder_files import fetch, folder_of, is_here, missing_words
from lymph.models.encoder_table import DEFAULT, ENCODER_TABLE, EncoderRecord
from lymph.training.estimate import encoding_seconds
from pages.shared.encoders import OWN_FILE, choose_from_here, choose_own, show_terms
from pages.shared.frame import plain, told
from pages.shared.loading import duration
from pages.shared.place import computer
from pages.shared.visitor import who


def choose_encoder(choose_values: Callable[[], str]) -> dict[str, Any]:
    """Draw the choice of encoder; return what a run's configuration is told of it.

    Parameters
    ----------
    choose_values : callable
        Draws the choice of ResNet-50's values and returns it.
    """
    chosen = choose_from_here(
        "encoder",
        "What turns each picture into features. It never learns; only the linear head does.",
    )
    _show_missing()
    if chosen == DEFAULT:
        _show_speed(chosen)
        return {"weights": choose_values()}
    if chosen == OWN_FILE:
        own = choose_own("encoder")
        _show_speed(own)
        return {"encoder": own}
    show_terms(chosen)
    _show_speed(chosen)
    return {"encoder": chosen}


def _show_speed(encoder: str) -> None:
    """Say how long pictures take in an encoder, once that was measured on this machine."""
    if (seconds := encoding_seconds(encoder)) is not None:
        st.caption(f"100 pictures take {duration(seconds)} on {computer()}, once.")


def _show_missing() -> None:
    """List the encoders that are not here, with their terms, and offer those for everybody."""
    others = [record for name, record in ENCODER_TABLE.items() if name != DEFAULT]
    missing = [record for record in others if not is_here(record.name)]
    if not missing:
        return
    with st.expander("More encoders", key="more_encoders"):
        for record in missing:
            st.markdown(
                f"**[{plain(record.title)}]({record.page})** learned from"
                f" {plain(record.learned_from)}. {plain(record.terms)}."
            )
            _offer(record)


def _offer(record: EncoderRecord) -> None:
    if not (record.fetchable and who().may_all):
        with st.popover("How to get it", key=f"how_{record.name}"):
            st.write(plain(missing_words(record)))
            st.code(str(folder_of(record.name)), language=None)
        return
    if st.button(f"Download {record.megabytes:,d} MB", key=f"fetch_{record.name}"):
        bar = st.progress(0.0, f"Downloading {plain(record.title)}")
        with told():
            for_lecturer(who(), fetch, record, lambda done, total: bar.progress(done / total))
            st.rerun()
