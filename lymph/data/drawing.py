"""Draws the demonstration set in a process of its own: ``python -m lymph.data.drawing [PATH ...]``.

The pictures of the paths that are named are drawn before all others.
"""

import sys

from lymph.jobs.priority import HELPERS_NICE, give_way

if __name__ == "__main__":
    # Before anything that takes time is loaded: the first page goes before its pictures.
    give_way(HELPERS_NICE)

    from lymph.data.sources import make_demonstration

    make_demonstration(first=sys.argv[1:])
