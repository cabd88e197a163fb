"""What a lesson tells while it runs: one line a step, read again as points of a chart. No torch."""

import re
from collections.abc import Iterable
from typing import NamedTuple

LINE = re.compile(
    r"(?P<name>.+): (?P<unit>\w+) (?P<step>\d+) of (?P<steps>\d+),"
    r".*?(?P<measure>[^,\d]+) (?P<value>\d+) %"
)


class Point(NamedTuple):
    """One step of one course: ``value`` is the ``measure`` in percent after ``step`` of ``steps``.

    ``unit`` names the step, as an epoch.
    """

    name: str
    unit: str
    step: int
    steps: int
    measure: str
    value: float


def told(name: str, epoch: int, epochs: int, loss: float, accuracy: float) -> str:
    """Write what an epoch brought in one line; ``accuracy`` is a share from 0 to 1."""
    return (
        f"{name}: epoch {epoch} of {epochs}, training loss {loss:.3f},"
        f" validation accuracy {100 * accuracy:.0f} %"
    )


def told_share(name: str, unit: str, step: int, steps: int, measure: str, share: float) -> str:
    """Write what a step brought in one line; ``share`` goes from 0 to 1."""
    return f"{name}: {unit} {step} of {steps}, {measure} {100 * share:.0f} %"


def points_of(lines: Iterable[str]) -> list[Point]:
    """Return the points that lines tell; other lines are passed over."""
    found = (LINE.fullmatch(line.strip()) for line in lines)
    return [
        Point(
            match["name"],
            match["unit"],
            int(match["step"]),
            int(match["steps"]),
            match["measure"].strip(),
            float(match["value"]),
        )
        for match in found
        if match
    ]
