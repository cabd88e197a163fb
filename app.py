"""The lymph app: ``streamlit run app.py``. Navigation and the sidebar that every page shares.

Streamlit imports the module once for the server that ``app`` describes, and runs it as a script,
under the name ``__main__``, for each visitor.
"""

import streamlit as st
from starlette.middleware import Middleware
from streamlit.navigation.page import StreamlitPage

from lymph import database, processor
from pages.shared import drops, thumbs, visitor
from pages.shared.server import ahead, entry, files, gate, shell
from pages.shared.train import route as live


def show() -> None:
    """Show the page that the address asks for, in a class to those who gave a name.

    A vote needs none: a phone that has scanned the code sees the question at once.
    """
    # Loaded late: their caches find the server only once it runs.
    from pages.shared import navigation
    from pages.shared.frame import style, told
    from pages.shared.visit import door

    page = navigation.choose_page()
    style()
    with entry.PAGES.passed(), told(), database.reading():
        visitor.look_again()
        if page.url_path == navigation.VOTE:
            page.run()
            return
        drops.watch_visit()
        if door.let_in():
            show_page(page)


def show_page(page: StreamlitPage) -> None:
    """Show a page with its sidebar or on stage, and say so where the disk is full or closed."""
    from lymph.errors import DiskError
    from pages.shared import navigation, sidebar
    from pages.shared.frame import show_error
    from pages.shared.stage import view
    from pages.shared.visit import door

    try:
        sidebar.ensure_data(page.url_path)
        sidebar.choose_data_set()
        view.listen_for_keys()
        if navigation.on_stage():
            view.show_header(page.title)
        page.run()
    except DiskError as error:
        show_error(error)
    sidebar.show_steps()
    with st.sidebar:
        view.offer_stage()
    door.show_visitor(page.url_path)
    ahead.page_was_shown()


if __name__ == "__main__":
    show()
else:
    processor.share_memory()
    processor.wait_without_spinning()
    processor.take_short_turns()
    ahead.spare_first_visit()
    middleware = [
        Middleware(gate.Gate),
        Middleware(files.Files),
        Middleware(thumbs.Thumbs),
        Middleware(visitor.Cookie),
        Middleware(drops.Keep),
        Middleware(shell.Shell),
    ]
    routes = live.routes()
    app = st.App(__file__, middleware=middleware, lifespan=ahead.lifespan, routes=routes)
