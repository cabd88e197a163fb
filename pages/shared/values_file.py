"""The file of ResNet-50's values, where torchvision's are not to be used."""

from pathlib import Path

import streamlit as st

from lymph.classroom.settings import class_settings

LABEL = "File with ResNet-50's weights; empty: fetch torchvision's (98 MB)"


def choose_values_file(key: str, label: str = LABEL) -> str:
    """Choose the file, empty for torchvision's; in a class it is one that the lecturer named."""
    settings = class_settings()
    if settings is None:
        return st.text_input(label, key=key, persist_state="session").strip()
    named = st.selectbox(
        label,
        settings.weights,
        index=None,
        format_func=lambda file: Path(file).name,
        key=f"{key}_named",
        persist_state="session",
    )
    return named or ""
