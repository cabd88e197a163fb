"""The choice that leads from a matrix to its pictures; it stands in the address."""

from typing import NamedTuple

import streamlit as st

from pages.shared.navigation import put_in_address

CELL_KEY = "cell"
OF_KEY = "of"
RIGHT, WRONG = "right", "wrong"


class Choice(NamedTuple):
    """What is shown: one cell, or all right or all wrong answers, of one of the runs on the page.

    ``parts`` is (true, predicted), or one of ("right",) and ("wrong",); ``run`` is empty for the
    first run.
    """

    parts: tuple[str, ...]
    run: str = ""

    @property
    def cell(self) -> tuple[str, str] | None:
        """Return true and predicted class where a cell is chosen."""
        return (self.parts[0], self.parts[1]) if len(self.parts) == 2 else None


def current() -> Choice | None:
    """Return the choice: from the address, else the one made last in this session."""
    parts = tuple(st.query_params.get_all(CELL_KEY))
    if parts:
        choice = Choice(parts, st.query_params.get(OF_KEY, ""))
    else:
        choice = st.session_state.get(CELL_KEY)
    if choice is None or (choice.cell is None and choice.parts not in ((RIGHT,), (WRONG,))):
        return None
    keep(choice)
    return choice


def keep(choice: Choice | None) -> None:
    """Keep a choice in the address and in the session; None takes it off."""
    st.session_state[CELL_KEY] = choice
    put_in_address(CELL_KEY, list(choice.parts) if choice else [])
    put_in_address(OF_KEY, [choice.run] if choice and choice.run else [])


def toggle(choice: Choice) -> None:
    """Choose, or take the choice off when it is made a second time."""
    keep(None if choice == current() else choice)
