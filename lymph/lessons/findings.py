"""What a lesson's figures say, in two or three numbers and a sentence. No torch here."""

from collections.abc import Callable

from lymph.lessons.confidence.words import find as confidence
from lymph.lessons.control.words import find as control
from lymph.lessons.coverage.words import find as coverage
from lymph.lessons.lesson import Figures, Finding, Number, percent, span
from lymph.lessons.patient_names.words import find as patient_names
from lymph.lessons.selection.words import find as selection


def _whole(score: Figures) -> bool:
    """Tell whether a score has an interval with any width."""
    return score["interval"][0] < score["interval"][1]


def _points(more: float, less: float) -> int:
    return round(100 * more) - round(100 * less)


def leak(figures: Figures) -> Finding:
    """Compare the two splits."""
    picture, patient = figures["picture"]["test"], figures["patient"]["test"]
    gap = _points(picture["accuracy"], patient["accuracy"])
    happened = 2 if gap > 10 else 1 if gap > 0 else 0
    sentence = f"By picture the same model looks {gap} points better."
    if gap <= 0:
        sentence = "This time the split by picture does not look better; the chart shows why care"
        sentence += " is due all the same: the intervals are wide."
    elif _whole(picture) and _whole(patient) and picture["interval"][0] > patient["interval"][1]:
        sentence += " The intervals do not even touch."
    leaked = figures["picture"]["leaked_share"]
    numbers = [
        Number("Test accuracy, split by picture", percent(picture["accuracy"]), span(picture)),
        Number("Test accuracy, split by patient", percent(patient["accuracy"]), span(patient)),
        Number(
            "Test pictures that leaked", percent(leaked), "by picture; 0 % when split by patient"
        ),
    ]
    return Finding(numbers, sentence, happened)


def stale_optimiser(figures: Figures) -> Finding:
    """Tell that nothing moved."""
    stale, mended = figures["broken"], figures["mended"]
    share = "of all parameters' length, after the last epoch"
    numbers = [
        Number("Moved, old optimiser", f"{100 * stale['distance'][-1]:.1f} %", share),
        Number("Moved, its own optimiser", f"{100 * mended['distance'][-1]:.1f} %", share),
        Number(
            "Notebook's loss, worked out",
            f"{figures['notebook_loss']:.3f}",
            "pure guessing among three classes gives ln 3 = 1.099",
        ),
    ]
    sentence = (
        f"With the old optimiser the training loss stays at {stale['train_loss'][-1]:.2f}"
        f" (guessing: {figures['ln_classes']:.2f}); with its own it falls to"
        f" {mended['train_loss'][-1]:.2f}, with the same class weights. Divided by pictures instead"
        f" of batches, as in the notebook, the old one would read {figures['divided_loss']:.6f}."
    )
    return Finding(numbers, sentence, 2)


def broadcast(figures: Figures) -> Finding:
    """Compare the two ways of counting."""
    top = max(figures["broken"])
    kept, best = figures["kept_broken"], figures["kept_mended"]
    counted = f"{figures['pictures']} validation pictures of {figures['patients']} patients"
    numbers = [
        Number("Largest “accuracy” here", f"{100 * top:.2f} %", f"epoch {kept}, {counted}"),
        Number(
            "Right in that epoch", percent(figures["mended"][kept - 1]), f"of the same {counted}"
        ),
        Number("The notebook's", f"{100 * figures['notebook']:.2f} %", "(2 × 18 + 16) / 34"),
    ]
    if figures["mended"][kept - 1] == figures["mended"][best - 1]:
        chosen = "Both ways of counting keep an equally good epoch here; that is luck."
    else:
        chosen = (
            f"It also chooses the model: the broken figure keeps epoch {kept}, where"
            f" {percent(figures['mended'][kept - 1])} is right, and throws epoch {best} away, where"
            f" {percent(figures['mended'][best - 1])} is."
        )
    return Finding(numbers, chosen, 1)


def mode(figures: Figures) -> Finding:
    """Tell what stood still."""
    broken, mended = figures["broken"], figures["mended"]
    later = broken["moved"][1:]
    counted = f"{figures['pictures']} validation pictures of {figures['patients']} patients"
    numbers = [
        Number(
            "Epochs in training mode",
            f"{sum(broken['training'])} of {len(broken['training'])}",
            "with train() called once",
        ),
        Number(
            "Statistics moved after epoch 1",
            f"{100 * sum(later):.0f} %",
            f"all added up; with train() each epoch: {100 * sum(mended['moved'][1:]):.0f} %",
        ),
        Number(
            "Training loss at the end",
            f"{broken['train_loss'][-1]:.2f}",
            f"with train() in every epoch: {mended['train_loss'][-1]:.2f}",
        ),
    ]
    sentence = (
        f"After the last epoch {percent(broken['val_accuracy'][-1])} are right with the mode"
        f" forgotten and {percent(mended['val_accuracy'][-1])} without, of {counted}, split by"
        " patient. So few patients settle nothing; the flat line does."
    )
    return Finding(numbers, sentence, 1)


def class_weights(figures: Figures) -> Finding:
    """Tell what the largest weight did."""
    none, last = figures["settings"][0], figures["settings"][-1]
    place = figures["classes"].index(figures["pushed"])
    targets = figures["targets"]
    shrunk = targets["gradient_index"] / targets["gradient_one_hot"]
    pushed = figures["pushed"]
    more = last["called"][place] > none["called"][place]
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
    pairs = zip(figures["classes"], last["recall"], strict=True)
    recalls = [f"{percent(recall)} of {name}" for name, recall in pairs]
    sentence = f"At × 100 the model finds {', '.join(recalls)} in the test pictures."
    return Finding(numbers, sentence, 1 if more else 2)


def freeze(figures: Figures) -> Finding:
    """Tell whose features moved."""
    drifting, frozen = figures["drifting"]["drift"][-1], figures["frozen"]["drift"][-1]
    first, second = figures["whole_then_head"], figures["head_then_whole"]
    half = len(second["phases"]) // 2
    early, late = first["drift"][1], second["drift"][half + 1]
    numbers = [
        Number(
            "Drift without any gradient",
            percent(drifting),
            "of the features' length; “frozen”, statistics running",
        ),
        Number("Drift, really frozen", percent(frozen), "statistics kept as well"),
        Number(
            "First epoch of the whole model",
            percent(early),
            f"drift, whole model first; after the head: {percent(late)}",
        ),
    ]
    order = f"Head first, the features move {percent(late)} in their first epoch of learning, whole"
    order += f" model first {percent(early)}."
    if late >= early:
        order += " So the order did not matter here; Kumar et al. saw it matter in large networks."
    sentence = (
        f"{order} On the test patients: whole then head {percent(first['test']['accuracy'])}, head"
        f" then whole {percent(second['test']['accuracy'])} ({span(second['test'])}). Such a gap"
        " proves nothing here; the drift does."
    )
    return Finding(numbers, sentence, 1 if drifting > frozen else 0)


def luck(figures: Figures) -> Finding:
    """Tell how far the accuracies spread."""
    seeds = [attempt["test"]["accuracy"] for attempt in figures["seeds"]]
    splits = [attempt["test"]["accuracy"] for attempt in figures["splits"]]
    spread = _points(max(*seeds, *splits), min(*seeds, *splits))
    first = figures["seeds"][0]["test"]
    low, high = figures["notebook_interval"]
    numbers = [
        Number(
            f"{len(seeds)} seeds, one split",
            f"{100 * min(seeds):.0f} to {percent(max(seeds))}",
            f"test accuracy, {first['pictures']} pictures of {first['patients']} patients",
        ),
        Number(
            f"{len(splits)} patient splits, one seed",
            f"{100 * min(splits):.0f} to {percent(max(splits))}",
            "test accuracy, other test patients each time",
        ),
        Number(
            "Patients to tell 51 % from 45 %",
            f"{figures['needed_for_notebook']:,}",
            f"for each model; here are {figures['patients']} in all",
        ),
    ]
    sentence = (
        f"One and the same model lies up to {spread} points apart, with nothing changed but the"
        " seed and the test patients. Three of six patients right is 50 %, with a 95 % interval"
        f" from {100 * low:.0f} to {percent(high)}."
    )
    return Finding(numbers, sentence, 0 if spread <= 2 else 1 if spread <= 10 else 2)


def colour(figures: Figures) -> Finding:
    """Tell what the colour gives away."""
    known = figures["recognised"]["as it is"]
    picture, patient = figures["by_picture"], figures["by_patient"]
    plain, jittered = figures["plain"], figures["jittered"]
    numbers = [
        Number(
            "Patient told by colour alone",
            percent(known),
            f"of {figures['pictures']} pictures, {figures['patients']} patients; always naming the"
            f" largest: {percent(figures['chance'])}",
        ),
        Number("Class by colour, folds by picture", percent(picture["accuracy"]), span(picture)),
        Number("Class by colour, folds by patient", percent(patient["accuracy"]), span(patient)),
    ]
    sentence = (
        f"Stained anew, {percent(plain['changed'])} of the test pictures get another answer from a"
        f" network trained without jitter, {percent(jittered['changed'])} with it (accuracy"
        f" {percent(plain['test']['accuracy'])} and {percent(jittered['test']['accuracy'])},"
        f" {span(jittered['test'])})."
    )
    told = known > 2 * figures["chance"]
    return Finding(numbers, sentence, 2 if told else 0)


def depth(figures: Figures) -> Finding:
    """Compare the gradients of the first layer."""
    plain, residual = figures["plain"], figures["residual"]
    ratio = residual["gradients"][0][0] / max(plain["gradients"][0][0], 1e-30)
    numbers = [
        Number(
            "Gradient at layer 1, residual to plain",
            f"{float(f'{ratio:.1e}'):,.0f} ×",
            "in the first epoch",
        ),
        Number(
            "Training loss, plain",
            f"{plain['train_loss'][-1]:.2f}",
            f"guessing gives {figures['ln_classes']:.2f}",
        ),
        Number(
            "Training loss, residual",
            f"{residual['train_loss'][-1]:.2f}",
            f"right on {percent(residual['train_accuracy'][-1])} of the training pictures",
        ),
    ]
    sentence = (
        "Whether a network learns and whether what it learned holds are two questions: on the test"
        f" patients the plain one is right on {percent(plain['test']['accuracy'])}, the residual"
        f" one on {percent(residual['test']['accuracy'])} ({span(residual['test'])})."
    )
    return Finding(numbers, sentence, 1 if ratio > 10 else 2)


FINDINGS: dict[str, Callable[[Figures], Finding]] = {
    "leak": leak,
    "stale-optimiser": stale_optimiser,
    "broadcast": broadcast,
    "mode": mode,
    "class-weights": class_weights,
    "freeze": freeze,
    "luck": luck,
    "colour": colour,
    "depth": depth,
    "control": control,
    "patient-names": patient_names,
    "coverage": coverage,
    "selection": selection,
    "confidence": confidence,
}


def find(slug: str, figures: Figures) -> Finding:
    """Return what the figures of a lesson say; no line breaks between a number and its percent."""
    finding = FINDINGS[slug](figures)
    numbers = [number._replace(note=_unbroken(number.note)) for number in finding.numbers]
    return finding._replace(numbers=numbers, sentence=_unbroken(finding.sentence))


def _unbroken(text: str) -> str:
    return text.replace(" %", "\u00a0%")
