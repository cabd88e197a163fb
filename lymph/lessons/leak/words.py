"""The words of the lesson on the split."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number, points, span
from lymph.text import counted
from lymph.text import whole_percent as percent

LESSON = Lesson(
    slug="leak",
    title="From 51 % to 99 %",
    question="Same model, two ways to split: which accuracy do you believe?",
    story=(
        "For the very same lymphoma pictures people report anything from 51 % to 99 %. The high"
        " figures come from test pictures that were assigned at random, one by one; the low"
        " ones from patients of whom no picture was in training.\n\nWe train one small network"
        " twice, from the same start and equally long. Only the split differs."
    ),
    choices=(
        "Split by picture, the model looks no better",
        "By picture looks a little better, up to 10 points",
        "By picture looks much better, over 10 points",
    ),
    task="One small colour network, trained once under each split, 18 epochs each.",
    because=(
        "Each slide has its own stain, light and camera. Under a split by picture nearly every"
        " test picture has others of the same patient in training, so the network can recognise"
        " the patient and answer with that patient's class. On a patient it has never met, that"
        " knowledge is worth nothing."
    ),
    takeaway=(
        "Split by patient, because the next picture will come from a patient nobody has seen."
        " When you read an accuracy, ask first what was kept apart."
    ),
    source="Bussola et al. 2020: up to 41 % inflation when a subject is on both sides",
    source_address="https://arxiv.org/abs/1909.06539",
    terms=("accuracy", "split", "leak", "training set", "test set", "interval"),
    seconds=25,
)


def find(figures: Figures) -> Finding:
    """Compare the two splits."""
    picture, patient = figures["picture"]["test"], figures["patient"]["test"]
    gap = points(picture["accuracy"], patient["accuracy"])
    happened = 2 if gap > 10 else 1 if gap > 0 else 0
    sentence = f"Split by picture, the same model looks {counted(gap, 'point')} better."
    if gap <= 0:
        lower = f"{counted(-gap, 'point')} worse" if gap else "just as good"
        sentence = f"Split by picture, the same model looks {lower} in this run."
    if _touch(picture, patient):
        sentence += " The two intervals overlap, so this run alone does not prove a difference."
    else:
        sentence += " The two intervals do not even touch."
    by_picture, by_patient = (figures[by]["leaked_share"] for by in ("picture", "patient"))
    numbers = [
        Number("Test accuracy, split by picture", percent(picture["accuracy"]), span(picture)),
        Number("Test accuracy, split by patient", percent(patient["accuracy"]), span(patient)),
        Number(
            "Test pictures of training patients",
            percent(by_picture),
            f"split by picture; {percent(by_patient)} when split by patient",
        ),
    ]
    return Finding(numbers, sentence, happened)


def _touch(first: Figures, second: Figures) -> bool:
    """Tell whether the intervals of two scores overlap; one that cannot be given tells nothing."""
    if not (_whole(first) and _whole(second)):
        return True
    (low, high), (other_low, other_high) = first["interval"], second["interval"]
    return low <= other_high and other_low <= high


def _whole(score: Figures) -> bool:
    """Tell whether a score has an interval with any width."""
    return score["interval"][0] < score["interval"][1]
