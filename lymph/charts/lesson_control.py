"""The chart of the negative control."""

from collections.abc import Mapping

from lymph.charts.leak_bars import BARS, leak_bars
from lymph.charts.lesson_chart import Figures, LessonChart
from lymph.text import whole_percent


def control_charts(figures: Figures, classes: Mapping[str, str], stop: int) -> list[LessonChart]:
    """Draw both splits on classes drawn at random, a dot for each draw."""
    title = "Accuracy on classes drawn at random; a dot for each draw, the whisker a 95 % interval"
    told = ", ".join(f"{name} {whole_percent(figures[by]['mean'])}" for by, name in BARS.items())
    return [LessonChart(title, leak_bars(figures), f"{title}: {told}")]
