"""A lesson as a Jupyter notebook that runs from top to bottom where lymph is installed."""

import json
from collections.abc import Mapping
from typing import Any

from lymph.data.source import PictureSource
from lymph.data.sources import demo_folder
from lymph.lessons.lesson import Lesson

TWO_CHARTS = ("mode", "class-weights", "luck", "colour", "depth")
TWO_CHARTS += ("patient-names", "coverage", "selection", "confidence")


def _cell(kind: str, text: str, number: int) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": f"cell-{number}",
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _question(lesson: Lesson) -> str:
    choices = "\n".join(f"- {letter}. {c}" for letter, c in zip("ABC", lesson.choices, strict=True))
    return (
        f"# Lesson {lesson.number}: {lesson.title}\n\n**{lesson.question}**\n\n{lesson.story}\n\n"
        f"Guess before you go on:\n\n{choices}"
    )


def _data(source: PictureSource) -> str:
    lines = ["# lymph has to be installed, or this notebook opened in lymph's own folder.\n"]
    lines += ["from lymph.lessons.data import load_lesson_data\n"]
    if source.path == demo_folder():
        lines += ["from lymph.data.sources import make_demonstration\n\n"]
        lines += ["DATA = make_demonstration().path  # or a folder with one sub-folder per class\n"]
    else:
        lines += [f"\nDATA = {source.root!r}  # a folder with one sub-folder per class\n"]
    plain = PictureSource(source.root)
    own = {n: v for n, v in vars(source).items() if v != getattr(plain, n) and n != "excluded"}
    if own:
        lines[1:1] = ["from lymph.data.source import PictureSource\n"]
        told = ", ".join(f"{name}={value!r}" for name, value in own.items())
        lines += [f"DATA = PictureSource(DATA, {told})\n"]
    lines += ["data = load_lesson_data(DATA)\n"]
    lines += ['data.table.groupby("label").agg({"picture": "size", "patient": "nunique"})']
    return "".join(lines)


def _run(lesson: Lesson, settings: Mapping[str, Any]) -> str:
    options = "".join(f", {key}={value!r}" for key, value in settings.items())
    return (
        f"from lymph.lessons.{lesson.folder} import experiment\n\n\n"
        "def tell(share, text):\n    print(f'{share:4.0%}  {text}')\n\n\n"
        f"figures = experiment.run(data{options}, tell=tell)"
    )


def _finding(lesson: Lesson) -> str:
    return (
        "from lymph.lessons.findings import find\n\n"
        f"finding = find({lesson.slug!r}, figures)\n"
        "for number in finding.numbers:\n"
        "    print(f'{number.label}: {number.value} ({number.note})')\n"
        "print(finding.sentence)\n"
        "print('It was', 'ABC'[finding.happened])"
    )


def _charts(lesson: Lesson) -> str:
    return (
        "from lymph.charts.lessons import lesson_charts\n"
        "from lymph.facts import class_colours\n\n"
        f"charts = lesson_charts({lesson.slug!r}, figures, class_colours(data.classes), stop=-1)\n"
        "charts[0].figure.update_layout(title=charts[0].title, margin_t=110)"
    )


def _why(lesson: Lesson) -> str:
    return (
        f"## Why\n\n{lesson.because}\n\n### Broken\n\n```python\n{lesson.broken}\n```\n\n"
        f"### Fixed\n\n```python\n{lesson.fixed}\n```\n\n## To take away\n\n{lesson.takeaway}\n\n"
        f"Source: [{lesson.source}]({lesson.source_address})"
    )


def make_notebook(
    lesson: Lesson,
    source: PictureSource,
    settings: Mapping[str, Any] | None = None,
) -> str:
    """Return a lesson as the text of an ``.ipynb`` file (nbformat 4.5).

    Parameters
    ----------
    lesson : Lesson
    source : PictureSource
        What the notebook reads; the demonstration set is made where it is missing.
    settings : mapping, optional
        Options of the lesson's ``run``, such as a smaller number of epochs.
    """
    parts = [
        ("markdown", _question(lesson)),
        ("code", _data(source)),
        ("markdown", f"## Run it\n\n{lesson.task} About {lesson.seconds} s on two idle cores."),
        ("code", _run(lesson, settings or {})),
        ("code", _finding(lesson)),
        ("code", _charts(lesson)),
    ]
    if lesson.slug in TWO_CHARTS:
        second = "charts[1].figure.update_layout(title=charts[1].title, margin_t=110)"
        parts.append(("code", second))
    parts.append(("markdown", _why(lesson)))
    document = {
        "cells": [_cell(kind, text, number) for number, (kind, text) in enumerate(parts)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
