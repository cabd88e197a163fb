"""The words of the lesson on class weights."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number, span
from lymph.text import whole_percent as percent

LESSON = Lesson(
    slug="class-weights",
    title="Class weights, turned up",
    question="Turn the weight of one class up and up. What does the model do?",
    story=(
        "Classes are rarely of equal size, so rare ones are given more weight in the loss. In"
        " the notebook's set they are nearly equal (113, 139 and 122 pictures), so sensible"
        " weights lie between 0.9 and 1.1.\n\nWe turn the weight of the class with the fewest"
        " training pictures up to a hundredfold."
    ),
    choices=(
        "It gets better and better at that class, at no cost",
        "It calls more and more pictures that class, the others suffer",
        "Nothing changes, the scale of the weights cancels",
    ),
    task="Six trainings from the same start, one for each stop of the slider.",
    because=(
        "A weight moves the border between the classes; it brings no new knowledge. Where more"
        " pictures of the pushed class are found, it is because more pictures are called so."
        " Weights that even out class sizes change little where the classes are nearly equal."
    ),
    takeaway=(
        "Weights trade one kind of mistake for another; they bring no new knowledge. Count them"
        " on training data only, and use class numbers as targets so that their scale cancels."
    ),
    source="PyTorch: CrossEntropyLoss, how the weighted mean is divided",
    source_address=(
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html"
    ),
    terms=("class weights", "loss", "recall", "one-hot", "gradient", "accuracy"),
    seconds=25,
)


def find(figures: Figures) -> Finding:
    """Tell what the largest weight did to its class and to the others."""
    none, last = figures["settings"][0], figures["settings"][-1]
    place = figures["classes"].index(figures["pushed"])
    targets = figures["targets"]
    shrunk = targets["gradient_index"] / targets["gradient_one_hot"]
    pushed = figures["pushed"]
    numbers = [
        Number(
            f"Called {pushed}, no weights",
            percent(none["called"][place]),
            f"right overall: {percent(none['test']['accuracy'])}, {span(none['test'])}",
        ),
        Number(
            f"Called {pushed}, × 100",
            percent(last["called"][place]),
            f"right overall: {percent(last['test']['accuracy'])}, {span(last['test'])}",
        ),
        Number(
            "One-hot targets shrink the gradient",
            f"{shrunk:.1f} ×",
            "weights that add up to 1, one batch, split by patient",
        ),
    ]
    pairs = zip(figures["classes"], none["recall"], last["recall"], strict=True)
    recalls = [f"{percent(after)} of {c} (was {percent(before)})" for c, before, after in pairs]
    sentence = f"At × 100 the model finds {_listed(recalls)} in the test pictures."
    more = last["called"][place] - none["called"][place]
    lost = _others(none["recall"], place) - _others(last["recall"], place)
    if more <= 0:
        sentence += f" It calls no more pictures {pushed} than without weights."
    elif lost > 0:
        sentence += f" It calls more pictures {pushed}, and the other classes pay for that."
    else:
        sentence += f" It calls more pictures {pushed}; this time the others did not pay for that."
    return Finding(numbers, sentence, 2 if more <= 0 else 1 if lost > 0 else 0)


def _others(recall: list[float], place: int) -> float:
    """Return the mean recall of the classes that are not at a place."""
    others = [share for other, share in enumerate(recall) if other != place]
    return sum(others) / len(others)


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
