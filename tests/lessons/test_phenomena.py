"""Each lesson still shows what it teaches: one test a phenomenon, on short runs."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from lymph.charts.lessons import lesson_charts
from lymph.errors import SplitError
from lymph.facts import class_colours
from lymph.lessons import arithmetic
from lymph.lessons.catalogue import LESSONS
from lymph.lessons.data import LessonData
from lymph.lessons.findings import find
from lymph.lessons.notebook import TWO_CHARTS
from lymph.lessons.practice import material

Figures = dict[str, Any]


def test_a_split_by_picture_flatters_where_only_the_patient_can_be_known(
    all_figures: Figures,
) -> None:
    figures = all_figures["leak"]
    assert figures["picture"]["leaked_share"] > 0.9
    assert figures["patient"]["leaked_share"] == 0.0
    assert figures["picture"]["test"]["accuracy"] > figures["patient"]["test"]["accuracy"] + 0.2


def test_a_stale_optimiser_moves_nothing(all_figures: Figures) -> None:
    figures = all_figures["stale-optimiser"]
    assert figures["broken"]["distance"] == [0.0] * 4
    # The notebook's validation loss repeated to the last digit; so does this one.
    assert len({round(loss, 6) for loss in figures["broken"]["val_loss"]}) == 1
    moved = figures["fixed"]["distance"]
    assert moved[0] == 0.0 and min(moved[1:]) > 0.0
    assert abs(figures["broken"]["train_loss"][-1] - math.log(3)) < 0.1
    assert "optimiser holds no parameter of this model" in figures["refusal"]
    # Divided by the pictures instead of the batches, the loss is far below what it stands for.
    assert figures["divided_loss"] < figures["broken"]["train_loss"][-1] / 10


def test_the_broadcast_accuracy_exceeds_one_and_ignores_the_truth(all_figures: Figures) -> None:
    figures = all_figures["broadcast"]
    assert max(figures["broken"]) > 1.0
    assert max(figures["fixed"]) <= 1.0
    for broken, called in zip(figures["broken"], figures["called"], strict=True):
        assert broken == pytest.approx(arithmetic.broadcast_accuracy_of_counts(called))
    assert figures["shuffled_broken"] == pytest.approx(figures["broken"])
    assert figures["notebook"] == pytest.approx(1.529412, abs=5e-7)


def test_a_forgotten_mode_freezes_the_statistics(all_figures: Figures) -> None:
    broken, fixed = all_figures["mode"]["broken"], all_figures["mode"]["fixed"]
    assert broken["training"] == [True, False, False]
    assert broken["moved"][0] > 0.0 and broken["moved"][1:] == [0.0, 0.0]
    assert fixed["training"] == [True, True, True]
    assert min(fixed["moved"]) > 0.0


def test_a_large_weight_draws_answers_to_its_class(all_figures: Figures) -> None:
    figures = all_figures["class-weights"]
    place = figures["classes"].index(figures["pushed"])
    none, absurd = figures["settings"][0], figures["settings"][-1]
    assert none["weights"] == [1.0, 1.0, 1.0]
    assert absurd["called"][place] == 1.0
    assert absurd["recall"][place] == 1.0
    assert sum(absurd["recall"]) == pytest.approx(1.0)


def test_one_hot_targets_shrink_loss_and_gradient_threefold(all_figures: Figures) -> None:
    targets = all_figures["class-weights"]["targets"]
    assert targets["loss_index"] / targets["loss_one_hot"] == pytest.approx(3.0, rel=1e-4)
    assert targets["gradient_index"] / targets["gradient_one_hot"] == pytest.approx(3.0, rel=1e-3)


def test_a_backbone_frozen_by_half_drifts_without_a_gradient(all_figures: Figures) -> None:
    figures = all_figures["freeze"]
    assert figures["frozen"]["drift"] == [0.0] * 5
    assert figures["drifting"]["drift"][-1] > 0.01
    first, second = figures["finetune_then_linear_probe"], figures["linear_probe_then_finetune"]
    assert first["phases"] == ["finetune", "finetune", "linear_probe", "linear_probe"]
    assert first["drift"][1] > 0.0 and first["drift"][2] == first["drift"][3] == first["drift"][4]
    assert second["drift"][:3] == [0.0] * 3 and second["drift"][3] > 0.0


def test_the_same_model_differs_by_seed_and_split(all_figures: Figures) -> None:
    figures = all_figures["luck"]
    assert [attempt["seed"] for attempt in figures["seeds"]] == [0, 1, 2, 3]
    assert [attempt["split"] for attempt in figures["splits"]] == [0, 1, 2, 3]
    attempts = [*figures["seeds"], *figures["splits"]]
    assert len({attempt["test"]["accuracy"] for attempt in attempts}) > 1
    assert figures["needed_for_notebook"] > 1000
    low, high = figures["notebook_interval"]
    assert low < 0.35 and high > 0.65


def test_the_mean_colour_tells_the_patient_and_so_a_leaky_class(all_figures: Figures) -> None:
    figures = all_figures["colour"]
    known = figures["recognised"]
    assert known["as it is"] > 0.95
    assert known["grey"] < known["as it is"] and known["normalised"] < 0.3
    assert known["jittered"] < known["as it is"]
    assert figures["by_picture"]["accuracy"] > 0.95
    assert figures["by_patient"]["accuracy"] < 0.7


def test_gradients_vanish_with_default_weights_and_neither_with_he_nor_residual(
    all_figures: Figures,
) -> None:
    """Regression: plain layers were said to lose their gradients whatever they begin from."""
    kinds = ("three", "plain", "he", "residual")
    three, plain, he, residual = (all_figures["depth"][kind]["gradients"][0] for kind in kinds)
    assert len(plain) == len(he) == len(residual) == 15 and len(three) == 3
    assert plain[0] < plain[-1] / 1000
    assert residual[0] > residual[-1] / 10 and he[0] > he[-1] / 10
    assert min(three[0], he[0], residual[0]) > 1000 * plain[0]


def test_too_few_patients_are_told_in_a_sentence(fingerprints: LessonData) -> None:
    table = fingerprints.table
    last = table["patient"].drop_duplicates().tail(3)
    few = table[~table["patient"].isin(last)].reset_index(drop=True)
    labels = few["label"].map(fingerprints.classes.index).to_numpy()
    data = replace(fingerprints, table=few, labels=labels)
    with pytest.raises(SplitError, match="MCL has too few patients for a lesson"):
        material(data)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_figures_are_plain_told_and_drawn(
    lesson: Any, all_figures: Figures, fingerprints: LessonData
) -> None:
    figures = json.loads(json.dumps(all_figures[lesson.slug]))
    finding = find(lesson.slug, figures)
    assert 0 <= finding.happened < len(lesson.choices)
    assert len(finding.numbers) == 3 and finding.sentence
    charts = lesson_charts(lesson.slug, figures, class_colours(fingerprints.classes), stop=-1)
    assert len(charts) == (2 if lesson.slug in TWO_CHARTS else 1)
    assert all(chart.title and chart.words and chart.figure.data for chart in charts)


def test_the_patients_here_are_named_at_their_line(all_figures: Figures) -> None:
    """Regression: the words stood at 10 to the power of the patients and stretched the axis."""
    figures = json.loads(json.dumps(all_figures["luck"]))
    layout = lesson_charts("luck", figures, {}, stop=-1)[1].figure.layout
    (line,), (words,) = layout.shapes, layout.annotations
    assert 10**words.y == pytest.approx(line.y0)


def test_the_guesses_that_theory_decides_come_true(all_figures: Figures) -> None:
    happened = {slug: find(slug, figures).happened for slug, figures in all_figures.items()}
    assert happened["leak"] == 2
    assert happened["stale-optimiser"] == 2
    assert happened["colour"] == 2
    assert all(happened[slug] == 1 for slug in ("broadcast", "mode", "freeze"))
    assert happened["class-weights"] != 2
