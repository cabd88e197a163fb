"""The words of the lesson on a list called patients."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number, points, span
from lymph.text import counted
from lymph.text import whole_percent as percent

# A share of test pictures, almost all of them.
NEARLY_ALL = 0.9

LESSON = Lesson(
    slug="patient-names",
    title="A list called patients",
    question="The code splits a list called patients. Who is in the test set?",
    story=(
        "The code is short and reads well: a list of patients, and folds that keep each of them in"
        " one piece. The paper says: split by patient.\n\n```python\npatients = [f.stem for f in"
        " files]\nfolds = GroupKFold(5).split(files, groups=patients)\n```\n\nWe do the same with"
        " the file names here, and let lymph's split auditor look at the folds."
    ),
    choices=(
        "Only patients who do not train: it says so",
        "Mostly new patients; a few also train",
        "Hardly anybody new: nearly every test picture has its patient in training",
    ),
    task="Folds over the list and over patients, both audited, and a linear model scored on each.",
    because=(
        "A file name such as sj-99-6124-R4_016.tif tells patient, block and picture, and only the"
        " suffix was cut off. So each entry of the list is a single picture, whatever the list is"
        " called. The best-known tutorial on lymphoma slides calls single pictures patients, too:"
        " in its published folds all 374 of 374 test pictures have their patient in training."
        " Nothing fails when this happens; the figures only look too good."
    ),
    takeaway=(
        "Never trust a name, count: as many patients as pictures means that they are pictures."
        " Audit the lists themselves; `python -m lymph audit` needs no pictures for it."
    ),
    source="Janowczyk & Madabhushi 2016: deep learning for digital pathology image analysis",
    source_address="https://doi.org/10.4103/2153-3539.186902",
    terms=("patient", "split", "leak", "fold", "training set", "test set", "accuracy"),
    seconds=6,
)


def find(figures: Figures) -> Finding:
    """Say who is on both sides, and what that is worth in accuracy."""
    names, patient = figures["names"], figures["patient"]
    entry, who = figures["example"]
    numbers = [
        Number(
            "“Patients” in the list",
            f"{figures['listed']:,}",
            f"in truth {figures['patients']} patients; {entry} is a picture of {who}",
        ),
        Number(
            "Test pictures whose patient trains",
            percent(names["leaked"]),
            f"with the list; {percent(patient['leaked'])} with folds over patients",
        ),
        Number(
            "Accuracy with the list",
            percent(names["test"]["accuracy"]),
            f"{span(names['test'])}; over patients {percent(patient['test']['accuracy'])},"
            f" {span(patient['test'])}",
        ),
    ]
    leaked = names["leaked"]
    happened = 0 if leaked == 0 else 2 if leaked >= NEARLY_ALL else 1
    sentence = (
        f"The auditor finds a patient on both sides for {names['leaked_pictures']:,} of"
        f" {figures['pictures']:,} test pictures with the list, over {len(names['by_fold'])} folds,"
        f" and for {patient['leaked_pictures']:,} with folds over patients."
    )
    gap = points(names["test"]["accuracy"], patient["test"]["accuracy"])
    if gap > 0:
        sentence += f" The list is worth {counted(gap, 'point')} of accuracy to this model."
    else:
        sentence += (
            " This quick model gains nothing from it here; a model that recognises patients would,"
            " and the figure cannot be believed either way."
        )
    return Finding(numbers, sentence, happened)
