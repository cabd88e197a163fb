"""Draws the demonstration set in a process of its own: ``python -m lymph.data.drawing [PATH ...]``.

The pictures of the paths that are named are drawn before all others.
"""

import sys

from lymph.data.sources import make_demonstration

if __name__ == "__main__":
    make_demonstration(first=sys.argv[1:])
