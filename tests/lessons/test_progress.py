"""What a lesson tells is read again as points, so that its chart grows while it runs."""

import pytest

from lymph.charts.lesson_growing import growing_chart
from lymph.jobs.status import Status
from lymph.lessons.catalogue import LESSONS, lesson_of
from lymph.lessons.data import LessonData
from lymph.lessons.findings import find
from lymph.lessons.lesson import Lesson
from lymph.lessons.live import WAITING_SECONDS, is_slow
from lymph.lessons.prepared import prepared_figures
from lymph.lessons.progress import Point, points_of, told, told_share
from lymph.text import parted


def test_what_is_told_is_read_again() -> None:
    """A name with a colon, digits and a percent sign in it, as the lessons have them."""
    lines = [
        told("split 2, seed 11", 3, 5, 0.98, 0.457),
        told("CLL × 100: heavy", 1, 8, 12.0, 1.0),
        told_share("on fresh patients", "deal", 40, 40, "mean accuracy so far", 0.333),
        "Reading the pictures.",
        "as it is: the patient is told for 71 % of pictures",
        "",
    ]
    assert points_of(lines) == [
        Point("split 2, seed 11", "epoch", 3, 5, "validation accuracy", 46),
        Point("CLL × 100: heavy", "epoch", 1, 8, "validation accuracy", 100),
        Point("on fresh patients", "deal", 40, 40, "mean accuracy so far", 33),
    ]


@pytest.mark.parametrize(
    ("slug", "options"),
    [
        ("broadcast", {"epochs": 2}),
        ("selection", {"models": 2, "deals": 3}),
        ("confidence", {"redraws": 2, "sizes": (2, 3)}),
    ],
)
def test_a_run_gives_points_as_it_goes(
    slug: str, options: dict[str, object], fingerprints: LessonData
) -> None:
    lines: list[str] = []
    lesson_of(slug).module().run(fingerprints, tell=lambda _, text: lines.append(text), **options)
    points = points_of(lines)
    assert points and points[-1].step == points[-1].steps
    chart = growing_chart(points)
    assert {trace.name for trace in chart.figure.data} == {point.name for point in points}
    assert points[-1].name in chart.words and f"{points[-1].value:.0f} %" in chart.words


def test_many_courses_name_the_one_that_runs() -> None:
    """Fifteen trainings in a legend would leave no room for the chart."""
    points = [Point(f"seed {n}", "epoch", 1, 5, "validation accuracy", 40) for n in range(15)]
    chart = growing_chart(points)
    assert [trace.name for trace in chart.figure.data if trace.showlegend] == ["seed 14"]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_prepared_figures_are_of_this_version(lesson: Lesson) -> None:
    finding = find(lesson.slug, prepared_figures(lesson.slug))
    assert len(finding.numbers) >= 2 and finding.sentence


@pytest.mark.parametrize(
    ("status", "passed", "slow"),
    [
        (Status("queued", queued=1.0), 2 * WAITING_SECONDS, True),
        (Status("queued", queued=1.0), WAITING_SECONDS / 2, False),
        (Status("running", queued=1.0, share=0.5), 12.0, False),
        (Status("running", queued=1.0, share=0.1), 12.0, True),
        (Status("running", queued=1.0, share=0.9), 61.0, True),
        (Status("finished", queued=1.0, share=1.0), 600.0, False),
    ],
)
def test_a_slow_machine_is_told_from_a_busy_second(
    status: Status, passed: float, slow: bool
) -> None:
    assert is_slow(status, seconds=20, now=status.queued + passed) == slow


@pytest.mark.parametrize("most", [40, 200, 10_000])
def test_a_long_text_is_cut_between_sentences(most: int) -> None:
    """All words stay, in order; “et al.” ends no sentence."""
    for lesson in LESSONS:
        parts = parted(lesson.because, most)
        assert " ".join(parts).split() == lesson.because.split()
        assert all(part[-1] in ".?!" for part in parts)
        assert not any(part.endswith("al.") for part in parts[:-1])
        assert most < 10_000 or len(parts) == 1


def test_parts_are_about_equally_long() -> None:
    parts = parted("One two three. " * 40, 400)
    assert [len(part) for part in parts] == [299, 299]
    assert parted("No end", 3) == ["No end"]
