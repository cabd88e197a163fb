"""What a lesson's figures say, in two or three numbers and a sentence. No torch here."""

from collections.abc import Callable
from statistics import stdev

from lymph.errors import LymphError
from lymph.lessons.confidence.words import find as confidence
from lymph.lessons.control.words import find as control
from lymph.lessons.coverage.words import find as coverage
from lymph.lessons.lesson import Figures, Finding, Number, span
from lymph.lessons.patient_names.words import find as patient_names
from lymph.lessons.selection.words import find as selection
from lymph.text import whole_percent as percent


def _whole(score: Figures) -> bool:
    """Tell whether a score has an interval with any width."""
    return score["interval"][0] < score["interval"][1]


def _points(more: float, less: float) -> int:
    return round(100 * more) - round(100 * less)


def _touch(first: Figures, second: Figures) -> bool:
    """Tell whether the intervals of two scores overlap; one that cannot be given tells nothing."""
    if not (_whole(first) and _whole(second)):
        return True
    (low, high), (other_low, other_high) = first["interval"], second["interval"]
    return low <= other_high and other_low <= high


def leak(figures: Figures) -> Finding:
    """Compare the two splits."""
    picture, patient = figures["picture"]["test"], figures["patient"]["test"]
    gap = _points(picture["accuracy"], patient["accuracy"])
    happened = 2 if gap > 10 else 1 if gap > 0 else 0
    sentence = f"Split by picture, the same model looks {gap} points better."
    if gap <= 0:
        lower = f"{-gap} points worse" if gap else "just as good"
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


def stale_optimiser(figures: Figures) -> Finding:
    """Tell what moved, and which loss repeats."""
    stale, own = figures["broken"], figures["mended"]
    share = "of all parameters' length, after the last epoch"
    numbers = [
        Number("Moved, old optimiser", f"{100 * stale['distance'][-1]:.1f} %", share),
        Number("Moved, its own optimiser", f"{100 * own['distance'][-1]:.1f} %", share),
        Number(
            "Notebook's loss, worked out",
            f"{figures['notebook_train_loss']:.3f}",
            f"in training, {figures['notebook_val_loss']:.3f} in validation; pure guessing among"
            " three classes gives ln 3 = 1.099",
        ),
    ]
    told = [f"{loss:.6f}" for loss in stale["val_loss"]]
    reads = f"stays between {min(told)} and {max(told)}"
    if len(set(told)) == 1:
        reads = f"reads {told[0]} after each of {len(told)} epochs"
    first, last = (f"{own['train_loss'][place]:.2f}" for place in (0, -1))
    goes = f"stays at {last}"
    if first != last:
        goes = f"{'falls' if float(last) < float(first) else 'rises'} from {first} to {last}"
    sentence = (
        f"With the old optimiser the validation loss {reads} (guessing:"
        f" {figures['ln_classes']:.2f}). With its own, and the same class weights, the training"
        f" loss {goes}. Divided by the pictures, as in the notebook, the old one's training loss of"
        f" {stale['train_loss'][-1]:.2f} would read {figures['divided_loss']:.6f}."
    )
    return Finding(numbers, sentence, 2)


def broadcast(figures: Figures) -> Finding:
    """Compare the two ways of counting."""
    kept, best = figures["kept_broken"], figures["kept_mended"]
    top, true = figures["broken"][kept - 1], figures["mended"][kept - 1]
    pictures = figures["pictures"]
    counted = f"{pictures} validation pictures of {figures['patients']} patients"
    numbers = [
        Number("Largest “accuracy” here", f"{100 * top:.2f} %", f"epoch {kept}, {counted}"),
        Number("Right in that epoch", percent(true), f"of the same {counted}"),
        Number("The notebook's", f"{100 * figures['notebook']:.2f} %", "(2 × 18 + 16) / 34"),
    ]
    again = f"{100 * figures['shuffled_broken'][kept - 1]:.2f} %"
    sentence = (
        f"Shuffle the labels among the pictures, and epoch {kept} again reads {again}, though then"
        f" {percent(figures['shuffled_mended'][kept - 1])} are right: the figure does not depend on"
        " the truth."
    )
    if top <= 1:
        sentence = f"No epoch of this run exceeds 100 %, but the figure is as empty. {sentence}"
    hits, most = round(pictures * true), round(pictures * figures["mended"][best - 1])
    if hits == most:
        chosen = f"By chance it keeps an epoch as good as any, {hits} of {pictures} right."
    else:
        chosen = (
            f"It rewards calling the first class, and keeps epoch {kept}, with {hits} of {pictures}"
            f" right, where counting correctly keeps epoch {best}, with {most}."
        )
    return Finding(numbers, f"{sentence} {chosen}", 1)


def _inside(sentence: str) -> str:
    """Return a sentence as it stands after the beginning of another."""
    return sentence[0].lower() + sentence[1:]


def mode(figures: Figures) -> Finding:
    """Tell what stood still, and what that did to the answers of this run."""
    broken, mended = figures["broken"], figures["mended"]
    later = broken["moved"][1:]
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
            "Validation loss at the end",
            f"{broken['val_loss'][-1]:.2f}",
            f"with train() in every epoch: {mended['val_loss'][-1]:.2f}; training loss"
            f" {broken['train_loss'][-1]:.2f} and {mended['train_loss'][-1]:.2f}",
        ),
    ]
    stood = "stood still" if sum(later) == 0 else "moved on"
    sentence = (
        f"With train() called once, the batch-norm statistics {stood} from epoch 2 on. On the"
        f" {figures['pictures']} validation pictures after the last epoch,"
        f" {_inside(figures['difference'])}"
    )
    return Finding(numbers, sentence, 1 if sum(later) == 0 else 0)


def class_weights(figures: Figures) -> Finding:
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
        sentence += f" What {pushed} gains, the other classes pay for."
    else:
        sentence += " This time the other classes did not pay for it."
    return Finding(numbers, sentence, 2 if more <= 0 else 1 if lost > 0 else 0)


def _others(recall: list[float], place: int) -> float:
    """Return the mean recall of the classes that are not at a place."""
    others = [share for other, share in enumerate(recall) if other != place]
    return sum(others) / len(others)


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def freeze(figures: Figures) -> Finding:
    """Tell whose features moved."""
    drifting, frozen = figures["drifting"]["drift"][-1], figures["frozen"]["drift"][-1]
    first, second = figures["whole_then_head"], figures["head_then_whole"]
    half = len(second["phases"]) // 2
    early, late = first["drift"][-1], second["drift"][-1]
    at_once = percent(first["drift"][1]), percent(second["drift"][half + 1])
    numbers = [
        Number(
            "Drift without any gradient",
            percent(drifting),
            "of the features' length; “frozen”, statistics running",
        ),
        Number("Drift, really frozen", percent(frozen), "statistics kept as well"),
        Number(
            "Drift, whole model first",
            percent(early),
            f"at the end; head first, and as many epochs of fine-tuning: {percent(late)}",
        ),
    ]
    gap = _points(early, late)
    moved = (
        f"After equally many epochs of fine-tuning the features have drifted by {percent(early)}"
        f" with the whole model first and by {percent(late)} with the head first (by {at_once[0]}"
        f" and {at_once[1]} after one epoch)."
    )
    if gap > 0:
        order = "Here head first kept more of them, as Kumar et al. found"
    elif gap < 0:
        order = "Here head first kept less of them, the opposite of what Kumar et al. found"
    else:
        order = "Here the order made no difference to that; Kumar et al. found one"
    sentence = (
        f"{moved} {order} in large networks. On the test patients, {_inside(figures['difference'])}"
    )
    return Finding(numbers, sentence, 1 if drifting > frozen else 0)


# Of so few trainings standard deviations differ by chance: this many times as large is larger.
CLEARLY = 1.5


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
    by_seed, by_split = (stdev(accuracies) for accuracies in (seeds, splits))
    apart = (
        f"standard deviation {100 * by_split:.0f} points between splits,"
        f" {100 * by_seed:.0f} between seeds"
    )
    if by_split > CLEARLY * by_seed:
        which = f"Who is tested matters more here than the seed ({apart})."
    elif by_seed > CLEARLY * by_split:
        which = f"The seed matters more here than who is tested ({apart})."
    else:
        which = f"The seed and who is tested matter about as much here ({apart})."
    sentence = (
        f"One and the same model varies by {spread} points, with nothing changed but the"
        f" seed and the test patients. {which} Three of six patients right is 50 %, with a 95 %"
        f" interval from {100 * low:.0f} to {percent(high)}."
    )
    return Finding(numbers, sentence, 0 if spread <= 2 else 1 if spread <= 10 else 2)


def colour(figures: Figures) -> Finding:
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


# A network starts to learn where its training loss is first this far below that of guessing.
LEARNS = 0.95


def depth(figures: Figures) -> Finding:
    """Tell when each of the four networks starts to learn, and what its first layer hears."""
    kinds = ("three", "plain", "he", "residual")
    guessing = figures["ln_classes"]
    arrives = {kind: _brief(figures[kind]["gradients"][0][0]) for kind in kinds}
    ends = {kind: f"{figures[kind]['train_loss'][-1]:.2f}" for kind in kinds}
    starts = {kind: _start(figures[kind]["train_loss"], LEARNS * guessing) for kind in kinds}
    epochs = len(figures["plain"]["train_loss"])
    late = f"not in {epochs} epochs"
    told = {kind: f"epoch {start}" if start else late for kind, start in starts.items()}
    numbers = [
        Number(
            "Gradient at layer 1, fifteen plain",
            arrives["plain"],
            f"in the first epoch; with He's weights {arrives['he']}, residual"
            f" {arrives['residual']}, three layers {arrives['three']}",
        ),
        Number(
            "Fifteen plain layers start to learn",
            told["plain"],
            f"training loss 5 % below guessing ({guessing:.2f}); three layers: {told['three']}",
        ),
        Number(
            "With He's weights",
            told["he"],
            f"residual: {told['residual']}; last training loss {ends['plain']} plain, {ends['he']}"
            f" with He's weights, {ends['residual']} residual",
        ),
    ]
    later = {kind: f"start in epoch {s}" if s else "never start" for kind, s in starts.items()}
    first = f"do not start to learn in {epochs} epochs"
    if starts["plain"]:
        first = f"start to learn in epoch {starts['plain']}"
    sentence = (
        f"With PyTorch's weights fifteen plain layers {first}; with He's weights they"
        f" {later['he']}, and with residual connections they {later['residual']}. Three plain"
        f" layers {later['three']}. Whether what is learned holds for new patients is another"
        f" question. {figures['difference']}"
    )
    plain, he, residual = (starts[kind] or epochs + 1 for kind in kinds[1:])
    return Finding(numbers, sentence, 2 if he < plain else 1 if residual < plain else 0)


def _start(losses: list[float], bound: float) -> int:
    """Return the first epoch, counted from 1, whose loss is below a bound; 0 where none is."""
    return next((epoch for epoch, loss in enumerate(losses, start=1) if loss < bound), 0)


def _brief(value: float) -> str:
    """Write a small or middling number briefly: 0.13, 4.2, 2 × 10⁻⁷."""
    if value >= 0.001 or value == 0:
        return f"{value:.2g}"
    digits, power = f"{value:.0e}".split("e")
    return f"{digits} × 10{str(int(power)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


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
    """Return what the figures of a lesson say; no line breaks between a number and its percent.

    Raises
    ------
    LymphError
        When figures are missing, as in those that another version of the lesson left behind.
    """
    try:
        finding = FINDINGS[slug](figures)
    except (KeyError, IndexError, TypeError) as error:
        words = "The figures kept of this lesson are incomplete: run it again."
        raise LymphError(words) from error
    numbers = [number._replace(note=_unbroken(number.note)) for number in finding.numbers]
    return finding._replace(numbers=numbers, sentence=_unbroken(finding.sentence))


def _unbroken(text: str) -> str:
    return text.replace(" %", "\u00a0%")
