"""A clock in a process of its own: how memory and threads are used is settled when one begins.

``python -m bench.clock`` answers each line of standard input, the name of a function and its
arguments as JSON, with a line that holds its result.
"""

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path

from bench import arithmetic, measure


@functools.cache
def material(root: str, name: str, pictures: int) -> measure.Material:
    """Return this process's material, read once."""
    return measure.Material(Path(root), name, pictures)


@functools.cache
def notebook_clock(root: str, name: str, pictures: int, sets: str) -> Callable[[], float]:
    """Return this process's clock of the notebook's epoch."""
    return material(root, name, pictures).notebook_epoch(tuple(sets.split()))


def notebook_epoch(root: str, name: str, pictures: int, sets: str) -> float:
    """Return the seconds of an epoch in the notebook's way, which also measures some sets."""
    return notebook_clock(root, name, pictures, sets)()


def our_phase(root: str, name: str, pictures: int, phase: str, epochs: int) -> float:
    """Return the seconds of a phase of a run."""
    return material(root, name, pictures).phase(phase, epochs)()


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        asked = (notebook_epoch, our_phase, arithmetic.matrix_speed, arithmetic.convolution_seconds)
        ways = {way.__name__: way for way in asked}
        print(json.dumps(ways[name](*arguments)), flush=True)


if __name__ == "__main__":
    main()
