"""A page on a projector: no sidebar, one line of header, large type, keys and a clicker.

``view`` draws it; ``stage.css`` is for every page, ``slide.css`` for those that are slides, and
``keys.js`` presses the page's own buttons.
"""
