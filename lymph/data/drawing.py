"""Draws the demonstration set in a process of its own: ``python -m lymph.data.drawing``."""

from lymph.data.sources import make_demonstration

if __name__ == "__main__":
    make_demonstration()
