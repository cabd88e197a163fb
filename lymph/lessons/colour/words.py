"""The words of the lesson on colour."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number, span
from lymph.text import whole_percent as percent

LESSON = Lesson(
    slug="colour",
    title="Three numbers",
    question="Three numbers: the mean colour of a picture. What can be told from them?",
    story=(
        "Haematoxylin and eosin never come out of the bath twice the same. Draw one row of"
        " thumbnails for every patient and you see it at once.\n\nWe throw all cells away, keep"
        " the mean red, green and blue of each picture, and ask the simplest of classifiers"
        " whose slide it is."
    ),
    choices=(
        "Next to nothing, it is only a colour",
        "The class, since diseases stain differently",
        "The patient, and with a leaky split so the class",
    ),
    task=(
        "Nearest neighbours on mean colours, then a small network trained without and with the"
        " stain jitter that lymph's training uses."
    ),
    because=(
        "Each slide has a stain of its own. Where the mean colour identifies the patient and"
        " that patient is in training, the class comes with the name; on new patients it does"
        " not. Grey takes the hue away and leaves the brightness, normalising evens out both,"
        " and the jitter of lymph's own training, each stain up to 20 % stronger or weaker,"
        " blurs the colour without removing it."
    ),
    takeaway=(
        "Whatever identifies the patient can become a shortcut, and colour is the first to"
        " check. Vary the stain in training, do not rely on that alone, and judge on patients"
        " whose colours were never seen."
    ),
    source="Tellez et al. 2019: quantifying the effects of stain augmentation",
    source_address="https://arxiv.org/abs/1902.06543",
    terms=("stain", "haematoxylin and eosin", "augmentation", "shortcut", "leak", "interval"),
    seconds=30,
)


def find(figures: Figures) -> Finding:
    """Tell what the colour gives away."""
    known, chance = figures["recognised"], figures["chance"]
    picture, patient = figures["by_picture"], figures["by_patient"]
    plain, jittered = figures["plain"], figures["jittered"]
    numbers = [
        Number(
            "Patient told by colour alone",
            percent(known["as it is"]),
            f"of {figures['pictures']} pictures, {figures['patients']} patients; always naming the"
            f" largest: {percent(chance)}",
        ),
        Number("Class by colour, folds by picture", percent(picture["accuracy"]), span(picture)),
        Number("Class by colour, folds by patient", percent(patient["accuracy"]), span(patient)),
    ]
    low, high = patient["interval"]
    baseline = f"always calling the largest class, {percent(figures['baseline'])}"
    if low > figures["baseline"]:
        new = f"On new patients colour tells the class better than {baseline}."
    elif high < figures["baseline"]:
        new = f"On new patients colour tells the class worse than {baseline}."
    else:
        new = f"On new patients colour tells the class no better than {baseline}, as far as"
        new += f" {patient['patients']} patients can show."
    views = ", ".join(
        f"{percent(share)} {words}"
        for words, share in (
            ("in grey", known["grey"]),
            ("normalised", known["normalised"]),
            ("after training's own jitter", known["jittered"]),
        )
    )
    sentence = (
        f"{new} Colour identifies the patient of {percent(known['as it is'])} of the pictures as"
        f" they are, {views}. Jittered so,"
        f" {percent(plain['changed'])} of the test pictures get another answer from a network"
        f" trained without jitter, {percent(jittered['changed'])} from one trained with it."
        f" {figures['difference']}"
    )
    told = known["as it is"] > 2 * chance
    happened = 1 if low > figures["baseline"] else 2 if told else 0
    return Finding(numbers, sentence, happened)
