"""Vote: what a phone opens while a class guesses. No sidebar, no name to give."""

from pages.shared.lessons.vote import show_phone
from pages.shared.navigation import ensure_app

ensure_app()
show_phone()
