"""The words of the lesson on choosing among models."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number, points
from lymph.text import counted
from lymph.text import whole_percent as percent

# Points, as shares: a drop that is no more than noise, and one that misleads.
SMALL, LARGE = 0.03, 0.10

LESSON = Lesson(
    slug="selection",
    title="The best of fifteen",
    question="Fifteen models, one test set, the best one wins. How good is it on new patients?",
    story=(
        "Somebody tries fifteen settings, tests each on the test patients, and reports the best."
        " No patient is on both sides, no label is wrong, each single figure is honest.\n\nWe do"
        " the same: fifteen quick models, each of which looks at six colour numbers of its own. The"
        " winner then meets fresh patients, on whom nothing was trained or chosen."
    ),
    choices=(
        "As good as on the test, within 3 points",
        "3 to 10 points worse",
        "More than 10 points worse",
    ),
    task="Fifteen linear models, on 40 random splits of the patients into train, test and fresh.",
    because=(
        "On a few patients every accuracy is partly luck, good or bad. Whoever takes the best of"
        " fifteen takes the luckiest as well, and luck does not come along to new patients. The"
        " more is tried and the fewer patients test, the larger the gift. Epochs, seeds,"
        " thresholds and features that are chosen on the test do the same."
    ),
    takeaway=(
        "Choose on validation patients and look at the test patients once. Ask of every reported"
        " accuracy how many models were tried on that test."
    ),
    source="Cawley & Talbot 2010: over-fitting in model selection",
    source_address="https://www.jmlr.org/papers/v11/cawley10a.html",
    terms=("accuracy", "test set", "validation set", "training set", "patient", "seed"),
    seconds=10,
)


def find(figures: Figures) -> Finding:
    """Compare the winner's accuracy on the test that chose it with that on fresh patients."""
    test, fresh = (
        f"{figures[name]['pictures']} pictures of {figures[name]['patients']} patients"
        for name in ("test", "fresh")
    )
    deals = figures["deals"]
    drop = figures["best"] - figures["again"]
    numbers = [
        Number(
            f"Best of {figures['models']}, on the test",
            percent(figures["best"]),
            f"mean of {deals} splits, {test} each",
        ),
        Number("The same model, fresh patients", percent(figures["again"]), f"{fresh} each"),
        Number(
            "All models, fresh patients",
            percent(figures["all"]),
            "what a choice by chance would reach",
        ),
    ]
    lost = points(figures["best"], figures["again"])
    happened = 0 if drop <= SMALL else 1 if drop <= LARGE else 2
    lower = (
        f"In {figures['lower']} of {deals} splits it is worse on fresh patients than on the test"
    )
    if happened == 0:
        cost = f"only {counted(lost, 'point')}" if lost > 0 else "nothing that could be measured"
        sentence = (
            f"Choosing on the test cost {cost} here. {lower}. Models that"
            " are all alike, or a test that tells them apart reliably, leave little to luck."
        )
    else:
        sentence = (
            f"The winner loses {counted(lost, 'point')} as soon as it meets patients who did not"
            f" choose it. {lower}."
        )
        gain = points(figures["again"], figures["all"])
        if gain <= 0:
            sentence += " There it is no better than the average of all: only luck was chosen."
        elif gain <= 100 * SMALL:
            sentence += (
                f" There it is only {counted(gain, 'point')} better than the average of all: little"
                " but luck was chosen."
            )
        else:
            sentence += (
                f" It is still {counted(gain, 'point')} better than the average of all: part of the"
                " choice was skill, part luck, and the test cannot say which."
            )
    return Finding(numbers, sentence, happened)
