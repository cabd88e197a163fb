"""A clock in a process of its own: how memory and threads are used is settled when one begins.

``python -m bench.clock`` answers each line of standard input, the name of a function below and its
arguments as JSON, with a line that holds its result.
"""

import functools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import measure


@contextmanager
def process(environment: dict[str, str]) -> Iterator[Callable[..., float]]:
    """Start a process with an environment and yield the way to ask it."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.clock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[1],
    )

    def ask(name: str, *arguments: object) -> float:
        child.stdin.write(json.dumps([name, *arguments]) + "\n")
        child.stdin.flush()
        answer = child.stdout.readline()
        if not answer:
            raise RuntimeError("The process that measures has ended; what it said stands above.")
        return json.loads(answer)

    try:
        yield ask
    finally:
        child.stdin.close()
        child.wait()


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


def matrix_speed() -> float:
    """Return the machine's speed at bfloat16 matrix products, in operations a second."""
    return measure.matrix_speed()


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        ways = {way.__name__: way for way in (notebook_epoch, our_phase, matrix_speed)}
        print(json.dumps(ways[name](*arguments)), flush=True)


if __name__ == "__main__":
    main()
