"""The words of the lesson on confidence."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number, span
from lymph.text import counted
from lymph.text import whole_percent as percent

# A gap of confidence and accuracy, as a share, that is not worth a word.
SMALL = 0.05

LESSON = Lesson(
    slug="confidence",
    title="How sure is sure?",
    question="A model says how sure it is. On new patients, how often is it right?",
    story=(
        "With each answer a model gives a probability, and it is read as: I am 80 % sure. Whether"
        " that can be believed is called calibration; the usual measure is the expected"
        " calibration error (ECE), 0 for a model that can be believed.\n\nA quick model judges"
        " patients it has never seen. We compare how sure it is with how often it is right, and ask"
        " what a test of a few patients can tell of it."
    ),
    choices=(
        "As often as it says, within 5 points",
        "Less often than it says",
        "More often than it says",
    ),
    task="One linear model on 18 colour numbers, judged out of fold, and 1,400 drawn tests.",
    because=(
        "A model learns how sure it may be from patients it knows. Where new ones have another"
        " stain and another light, nothing tells the model, and it stays as sure as before. But the"
        " calibration error has a flaw of its own: it adds up gaps, whatever their sign. On few"
        " patients chance alone opens gaps, so a model that is calibrated perfectly, by"
        " construction, is convicted all the same. Its error falls towards 0 only as patients are"
        " added; more pictures of the same ones hardly help."
    ),
    takeaway=(
        "A confidence is no promise on new patients: check it on patients the model has not seen."
        " And before a calibration error convicts a model, ask what a perfectly calibrated one"
        " would get on as many patients."
    ),
    source="Guo et al. 2017: on calibration of modern neural networks",
    source_address="https://arxiv.org/abs/1706.04599",
    terms=("calibration", "accuracy", "interval", "patient", "out of fold", "fold"),
    seconds=8,
)


def find(figures: Figures) -> Finding:
    """Compare confidence and accuracy, and the model's error with that of a calibrated one."""
    test, few, perfect = figures["test"], figures["curve"][0], figures["perfect"]
    gap = figures["confidence"] - test["accuracy"]
    sure = figures["sure"]
    of_sure = (
        f"at least 90 % sure of {sure['pictures']} pictures, right on {percent(sure['right'])}"
        if sure["pictures"]
        else "of no picture at least 90 % sure"
    )
    numbers = [
        Number("Says it is sure, on average", percent(figures["confidence"]), of_sure),
        Number("Is right, on unseen patients", percent(test["accuracy"]), span(test)),
        Number(
            f"Error of a perfect model, {few['patients']} patients",
            _points(few["mean"]),
            f"ECE of a perfectly calibrated model, {_range(few)} in 95 of 100 tests",
        ),
    ]
    happened = 0 if abs(gap) <= SMALL else 1 if gap > 0 else 2
    convicted = (
        f"On {few['patients']} patients a limit of {_points(figures['limit'])} would convict a"
        f" perfectly calibrated model in {100 * few['convicted']:.0f} of 100 tests."
    )
    said = (
        f"Over all {test['patients']} patients this model's error is {_points(figures['own'])}; a"
        f" perfectly calibrated one gets {_range(perfect)} on them."
    )
    if figures["own"] > perfect["high"]:
        verdict = "So this model is really not calibrated: chance does not explain its error."
    else:
        verdict = "So these patients are too few to convict this model: chance explains its error."
    return Finding(numbers, f"{convicted} {said} {verdict}", happened)


def _points(share: float) -> str:
    return counted(round(100 * share), "point")


def _range(spread: Figures) -> str:
    return f"{100 * spread['low']:.0f} to {_points(spread['high'])}"
