"""The words of the negative control."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number
from lymph.text import whole_percent as percent

LESSON = Lesson(
    slug="control",
    title="The negative control",
    question="Each patient gets a random class. How often can a model still be right?",
    story=(
        "A laboratory runs a negative control: the same procedure on a sample in which there is"
        " nothing to find. A classifier can have one too.\n\nWe throw the true classes away and"
        " give each patient a class at random, all pictures of a patient the same. Then a quick"
        " model learns these classes, once with pictures split at random, once with patients kept"
        " apart."
    ),
    choices=(
        "As often as by chance, under either split",
        "More often than by chance, but only when pictures are split at random",
        "More often than by chance, under either split",
    ),
    task="A linear model on 18 colour numbers, eight random draws of classes, both splits.",
    because=(
        "The classes say nothing about the pictures, so a model that beats chance must have"
        " recognised the patients: by the stain, the light or the camera. Only a split that has a"
        " patient on both sides lets it do so. With patients kept apart nothing can be known, and"
        " the figure lies around chance, the further off the fewer patients there are. It may well"
        " lie below: of a class that has more patients in the test fold, fewer are left to train"
        " on, so the model leans towards the other classes."
    ),
    takeaway=(
        "Run your own pipeline once with classes drawn at random for each patient. If it still"
        " beats chance, it recognises patients, and none of its other figures can be believed."
    ),
    source="Ojala & Garriga 2010: permutation tests for studying classifier performance",
    source_address="https://www.jmlr.org/papers/v11/ojala10a.html",
    terms=("accuracy", "split", "leak", "fold", "out of fold", "patient", "shortcut"),
    seconds=15,
)


def find(figures: Figures) -> Finding:
    """Compare both splits with the largest class."""
    picture, patient, draws = figures["picture"], figures["patient"], figures["seeds"]
    counted = f"{figures['pictures']} pictures of {figures['patients']} patients, {draws} draws"
    numbers = [
        Number("Random classes, random split", percent(picture["mean"]), _range(picture, counted)),
        Number("Random classes, patients apart", percent(patient["mean"]), _range(patient)),
        Number("Always the largest class", percent(figures["baseline"]), "mean over the draws"),
    ]
    leaking = figures["leaking"]
    if 2 * leaking <= draws:
        happened = 0
        sentence = (
            f"The random split beats the largest class and patients kept apart in only {leaking} of"
            f" {draws} draws: from colours alone this model does not recognise these patients. A"
            " network that sees more may."
        )
    else:
        happened = 2 if figures["lead"] and figures["lead"][0] > 0 else 1
        often = "every draw" if leaking == draws else f"{leaking} of {draws} draws"
        sentence = (
            f"In {often} the random split finds classes that do not exist. It can have found only"
            " one thing, the patients."
        )
        if happened == 2:
            sentence += (
                " Patients kept apart beat the largest class here as well: by luck of the"
                " draws, or because pictures of one person go under two names."
            )
    return Finding(numbers, sentence, happened)


def _range(part: Figures, counted: str = "") -> str:
    low, high = min(part["accuracies"]), max(part["accuracies"])
    found = f"from {100 * low:.0f} to {percent(high)} over the draws"
    return f"{counted}, {found}" if counted else found
