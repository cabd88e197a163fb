"""The words of the lesson on intervals."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number
from lymph.text import whole_percent as percent

# Misses of 100 tests that are promised at most, that still count as about so many, that are a
# little more, and that are far more.
PROMISED, ABOUT, LITTLE, FAR = 5, 7, 10, 20

LESSON = Lesson(
    slug="coverage",
    title="Counting pictures",
    question="A 95 % interval from the textbook: how often does it miss the true accuracy?",
    story=(
        "A model is tested on two patients of each class, about a dozen pictures each. The textbook"
        " has an interval for a share such as accuracy: the exact binomial one of Clopper and"
        " Pearson, for as many independent trials as there are pictures. It promises to miss the"
        " true accuracy in at most 5 of 100 tests.\n\nWe draw two thousand such tests from a"
        " model's answers about all patients here, so that the true accuracy is known, and count."
    ),
    choices=(
        "In about 5 of 100 tests, as promised",
        "In 8 to 20 of 100 tests",
        "In more than 20 of 100 tests",
    ),
    task="One linear model on 18 colour numbers, then 2,000 tests drawn from its answers.",
    because=(
        "Pictures of one patient resemble each other: the model is right on most of them or wrong"
        " on most of them. A dozen such pictures tell hardly more than one, so the textbook counts"
        " far too many trials. lymph's interval looks at how much the patients differ and counts"
        " only as many trials as that is worth. It is wide, because few patients say little."
    ),
    takeaway=(
        "Count patients, not pictures. An interval that is narrow on six patients is not precise,"
        " it is wrong."
    ),
    source="Saha, Miller & Wang 2015: intervals for a proportion of clustered binary data",
    source_address="https://doi.org/10.1515/ijb-2015-0024",
    terms=("accuracy", "interval", "patient", "test set", "out of fold"),
    seconds=8,
)


def find(figures: Figures) -> Finding:
    """Compare what both intervals promise with what they hold."""
    picture, patient = figures["picture"], figures["patient"]
    test = (
        f"{figures['tests']:,} tests, each of {figures['patients']} patients with about"
        f" {figures['pictures']:.0f} pictures"
    )
    numbers = [
        Number("Missed, pictures counted", percent(picture["missed"]), test),
        Number(
            "Missed, patients counted",
            percent(patient["missed"]),
            "the same tests; 5 % is what either promises",
        ),
        Number(
            "Mean width in points",
            f"{100 * picture['width']:.0f} and {100 * patient['width']:.0f}",
            "pictures and patients counted; true accuracy"
            f" {percent(figures['truth'])} of {figures['from_patients']} patients",
        ),
    ]
    missed, over_patients = (round(100 * figures[by]["missed"]) for by in ("picture", "patient"))
    happened = 0 if missed <= ABOUT else 1 if missed <= FAR else 2
    if happened:
        sentence = (
            f"The textbook's interval misses in {missed} of 100 tests,"
            f" about {missed / 5:.0f} times as often as it promises."
        )
    else:
        sentence = (
            f"Here the textbook's interval misses in only {missed} of 100 tests: this"
            " model is about equally good on every patient."
        )
    held = f" The interval over patients misses in {over_patients} of 100"
    if over_patients <= PROMISED:
        sentence += f"{held}, as it promises."
    elif over_patients <= LITTLE:
        sentence += f"{held}, a little more often than it promises: the patients are few."
    else:
        sentence += (
            f"{held}, too often as well: a test that happens to meet none of the few patients on"
            " whom the model fails cannot know of them. Only more patients help."
        )
    return Finding(numbers, sentence, happened)
