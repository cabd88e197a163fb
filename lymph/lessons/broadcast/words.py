"""The words of the lesson on broadcasting."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number
from lymph.text import whole_percent as percent

LESSON = Lesson(
    slug="broadcast",
    title="152.94 %",
    question="How can an accuracy be larger than 100 %?",
    story=(
        "Task 7 of the notebook fine-tunes ResNet-50 and prints a validation accuracy of"
        " 1.529412. The author wrote: *I am not sure how to interpret the accuracy being"
        " greater than 1.* The program took that epoch for its best model.\n\nThe labels are"
        " one-hot rows such as 0 1 0; the predictions are class numbers such as 1."
    ),
    choices=(
        "The model is right more than once for each picture",
        "Every picture is compared with a whole row of the labels",
        "The number of pictures was counted wrongly",
    ),
    task="One training; the validation accuracy of each epoch is counted both ways.",
    because=(
        "NumPy and PyTorch stretch the column of predictions over the three columns of the"
        " labels. Calling CLL (number 0) matches the two zeros of any row, calling FL (number"
        " 1) matches its single 1, calling MCL matches nothing. The truth plays no part: with"
        " 18 pictures called CLL and 16 called FL the figure is (2 × 18 + 16) / 34 = 1.529412."
        " In truth 10 of 34 were right, 29.4 %."
    ),
    takeaway=(
        "Before two arrays are compared, say their shapes aloud. An impossible number is a"
        " gift: stop there, because the same line also decides which epoch is kept."
    ),
    source="NumPy: broadcasting",
    source_address="https://numpy.org/doc/stable/user/basics.broadcasting.html",
    terms=("one-hot", "broadcasting", "logits", "accuracy", "validation set", "checkpoint"),
    seconds=12,
)


def find(figures: Figures) -> Finding:
    """Compare the two ways of counting."""
    kept, best = figures["kept_broken"], figures["kept_fixed"]
    top, true = figures["broken"][kept - 1], figures["fixed"][kept - 1]
    pictures = figures["pictures"]
    counted = f"{pictures} validation pictures of {figures['patients']} patients"
    numbers = [
        Number("Largest “accuracy” here", f"{100 * top:.2f} %", f"epoch {kept}, {counted}"),
        Number("Right in that epoch", percent(true), f"of the same {counted}"),
        Number("The notebook's", f"{100 * figures['notebook']:.2f} %", "(2 × 18 + 16) / 34"),
    ]
    again = f"{100 * figures['shuffled_broken'][kept - 1]:.2f} %"
    sentence = (
        f"Shuffle the labels among the pictures, and epoch {kept} again reads {again}, with"
        f" {percent(figures['shuffled_fixed'][kept - 1])} right: the figure does not depend on the"
        " truth."
    )
    if top <= 1:
        sentence = f"No epoch of this run exceeds 100 %, but the figure is as empty. {sentence}"
    hits, most = round(pictures * true), round(pictures * figures["fixed"][best - 1])
    if hits == most:
        chosen = f"By chance it keeps an epoch as good as any, {hits} of {pictures} right."
    else:
        chosen = (
            f"It rewards calling the first class, and keeps epoch {kept}, with {hits} of {pictures}"
            f" right, where counting correctly keeps epoch {best}, with {most}."
        )
    return Finding(numbers, f"{sentence} {chosen}", 1)
