"""The lines that each lesson shows run, and what is said to go wrong in them goes wrong."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import GroupKFold, cross_val_score
from torch import nn
from torch.nn.functional import cross_entropy

from lymph.lessons import catalogue
from lymph.lessons.catalogue import LESSONS, lesson_of
from lymph.lessons.lesson import SHOWN
from lymph.lessons.made_up import CNN, batches

ROOM = Path(catalogue.__file__).parent
Names = dict[str, Any]
Told = tuple[str, str]


def moved(model: nn.Module) -> bool:
    """Tell whether any parameter is not what every new model begins with."""
    fresh = CNN().parameters()
    return any(not torch.equal(p, q) for p, q in zip(model.parameters(), fresh, strict=True))


def check_leak(broken: Names, fixed: Names, told: Told) -> None:
    """Nearly every test picture has its patient in training; then none has."""
    assert broken["test"]["patient"].isin(broken["train"]["patient"]).mean() > 0.9
    assert not fixed["test"]["patient"].isin(fixed["train"]["patient"]).any()
    assert len(fixed["test"]) + len(fixed["train"]) == len(fixed["table"])


def check_stale_optimiser(broken: Names, fixed: Names, told: Told) -> None:
    """A stale optimiser moves nothing."""
    assert not moved(broken["model"])
    assert moved(fixed["model"])


def check_broadcast(broken: Names, fixed: Names, told: Told) -> None:
    """The broken accuracy is the notebook's, 152.94 %."""
    assert float(broken["accuracy"]) == pytest.approx(1.529412, abs=5e-7)
    assert float(fixed["accuracy"]) == pytest.approx(10 / 34)


def check_mode(broken: Names, fixed: Names, told: Told) -> None:
    """The statistics of batch normalisation move in the first epoch only; then in each."""
    counted = [int(names["model"].backbone[1].num_batches_tracked) for names in (broken, fixed)]
    assert counted == [len(batches()), fixed["epochs"] * len(batches())]


def check_class_weights(broken: Names, fixed: Names, told: Told) -> None:
    """One-hot targets make the loss three times too small, and only there the scale counts."""
    assert float(fixed["loss"] / broken["loss"]) == pytest.approx(3, rel=0.03)
    for names, targets, times in ((broken, "targets", 10), (fixed, "y", 1)):
        more = cross_entropy(names["logits"], names[targets], weight=10 * names["weights"])
        assert float(more / names["loss"]) == pytest.approx(times, rel=1e-5)


def check_freeze(broken: Names, fixed: Names, told: Told) -> None:
    """No weight of either backbone moves, and yet the features of the broken one do."""
    fresh, pictures = CNN().eval(), batches()[0][0]
    for names, same in ((broken, False), (fixed, True)):
        weights = names["model"].backbone[0].weight, fresh.backbone[0].weight
        assert torch.equal(*weights)
        features = names["model"].backbone.eval()(pictures), fresh.backbone(pictures)
        assert torch.equal(*features) == same


def check_luck(broken: Names, fixed: Names, told: Told) -> None:
    """Of two equally good models one wins; the interval of their difference holds 0."""
    assert (round(broken["a"], 2), round(broken["b"], 2)) == (0.45, 0.51)
    assert broken["best"] == broken["b"]
    low, high = fixed["paired_difference"](fixed["a"], fixed["b"])
    assert low < 0 < high


def check_colour(broken: Names, fixed: Names, told: Told) -> None:
    """Colour tells the two patients apart; after jitter it does not."""
    first, second = broken["seen"]
    assert first.max() < second.min()
    first, second = fixed["seen"]
    assert first.max() > second.min()


def check_depth(broken: Names, fixed: Names, told: Told) -> None:
    """Hardly any gradient reaches the first of fifteen layers; with He's weights it does."""
    for names, low, high in ((broken, 0, 1e-3), (fixed, 0.1, 100)):
        x = torch.randn(2, 16, 16, 16, generator=torch.Generator().manual_seed(0))
        for layer in names["layers"]:
            x = torch.relu(layer(x))
        x.square().mean().backward()
        first, *_, last = (layer.weight.grad.norm() for layer in names["layers"])
        assert low <= float(first / last) < high


def check_control(broken: Names, fixed: Names, told: Told) -> None:
    """A random split finds classes that do not exist; with patients apart they are not found."""
    assert broken["scores"].mean() > 0.9
    assert fixed["scores"].mean() > 0.9
    assert (pd.Series(fixed["y_random"]).groupby(fixed["patient"]).nunique() == 1).all()
    X, y_random, patient = fixed["X"], fixed["y_random"], fixed["patient"]
    apart = cross_val_score(fixed["model"], X, y_random, groups=patient, cv=GroupKFold(4))
    assert apart.mean() < 0.6


def check_patient_names(broken: Names, fixed: Names, told: Told) -> None:
    """Every test picture has its patient in training; then none has."""
    for names, expected in ((broken, 1.0), (fixed, 0.0)):
        patient = np.array([file.stem.split("-R")[0] for file in names["files"]])
        leaked = [np.isin(patient[test], patient[train]) for train, test in names["folds"]]
        assert np.concatenate(leaked).mean() == expected


def check_coverage(broken: Names, fixed: Names, told: Told) -> None:
    """A true accuracy of 70 % lies outside of the one interval and inside of the other."""
    assert broken["high"] < 0.7 < fixed["high"]
    assert fixed["low"] < broken["low"]


def check_selection(broken: Names, fixed: Names, told: Told) -> None:
    """Models that are right on half of all patients: only the first claim is far above."""
    claimed, measured = map(float, told)
    assert claimed == max(broken["accuracy"](m, broken["test"]) for m in broken["models"])
    assert claimed > 0.8 and measured < 0.6


def check_confidence(broken: Names, fixed: Names, told: Told) -> None:
    """A calibrated model is convicted; compared with calibrated ones it is not."""
    assert told == ("badly calibrated\n", "")
    lines, drawn = compile(lesson_of("confidence").fixed, "fixed.py", "exec"), []
    for _ in range(100):
        exec(lines, fixed)
        drawn.append(fixed["perfect"])
    assert np.mean(np.array(drawn) > 0.05) > 0.9
    assert fixed["ece"] < np.quantile(drawn, 0.975)


CHECKS: dict[str, Callable[[Names, Names, Told], None]] = {
    "leak": check_leak,
    "stale-optimiser": check_stale_optimiser,
    "broadcast": check_broadcast,
    "mode": check_mode,
    "class-weights": check_class_weights,
    "freeze": check_freeze,
    "luck": check_luck,
    "colour": check_colour,
    "depth": check_depth,
    "control": check_control,
    "patient-names": check_patient_names,
    "coverage": check_coverage,
    "selection": check_selection,
    "confidence": check_confidence,
}


@pytest.mark.parametrize("slug", [lesson.slug for lesson in LESSONS])
def test_the_lines_do_what_the_lesson_says(slug: str, capsys: pytest.CaptureFixture) -> None:
    """Lines that are shown to a class and do not run, or do not go wrong, teach nothing."""
    ran, told = [], []
    for name in ("broken", "fixed"):
        torch.manual_seed(0)
        np.random.seed(0)
        ran.append(runpy.run_path(str(ROOM / lesson_of(slug).folder / f"{name}.py")))
        told.append(capsys.readouterr().out)
    CHECKS[slug](*ran, tuple(told))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_what_is_shown_is_the_end_of_the_file_that_ran(lesson: Any) -> None:
    """A file without the line that parts it would show nothing, or its made-up data."""
    for name, lines in (("broken", lesson.broken), ("fixed", lesson.fixed)):
        text = (ROOM / lesson.folder / f"{name}.py").read_text(encoding="utf-8")
        assert text.count(SHOWN) == 1 and text.endswith(f"{SHOWN}{lines}\n") and lines
    assert lesson.broken != lesson.fixed
