"""The lymph app: ``streamlit run app.py``. Navigation and the sidebar that every page shares.

Streamlit imports the module once for the server that ``app`` describes, and runs it as a script,
under the name ``__main__``, for each visitor.
"""

import streamlit as st
from starlette.middleware import Middleware

from lymph import processor
from pages.shared import ahead, drops, gate, shell


def show() -> None:
    """Show the page that the address asks for, and say so where the disk is full or closed."""
    # Loaded late: their caches find the server only once it runs.
    from lymph.errors import DiskError
    from pages.shared import navigation, sidebar
    from pages.shared.frame import show_error

    page = navigation.choose_page()
    drops.watch_visit()
    try:
        sidebar.ensure_data()
        sidebar.choose_data_set()
        page.run()
    except DiskError as error:
        show_error(error)
    sidebar.show_steps()


if __name__ == "__main__":
    show()
else:
    processor.share_memory()
    middleware = [Middleware(gate.Gate), Middleware(drops.Keep), Middleware(shell.Shell)]
    app = st.App(__file__, middleware=middleware, lifespan=ahead.lifespan)
