"""The words of the lesson on freezing."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number, inside, points
from lymph.text import whole_percent as percent

LESSON = Lesson(
    slug="freeze",
    title="Freeze what, when?",
    question="A frozen backbone gets no gradient. Can its features still move?",
    story=(
        "Task 7 of the notebook fine-tunes a pretrained network and means to freeze it for half"
        " of the epochs: there is an argument `freeze_epochs`, and nothing reads it.\n\nWe"
        " pretrain a small network on drawn textures, our stand-in for ImageNet, give it a new"
        " head, and watch how far its features drift from what it knew."
    ),
    choices=(
        "No: no gradient, no change",
        "Yes: batch normalisation goes on counting",
        "Yes: the head pulls them along",
    ),
    task="Pretraining on 1,200 textures, then four trainings of 8 epochs.",
    because=(
        "`requires_grad = False` stops the gradients. The running means and variances of batch"
        " normalisation are no parameters: in training mode every batch updates them, so the"
        " same picture gets other features. As for the order: a new head is random, and what it"
        " asks of the features at first is random too. Kumar et al. measured that this distorts"
        " good features of large networks. In a small one it can go either way, and how long"
        " each phase lasts and how fast it learns matter as well."
    ),
    takeaway=(
        "Frozen means no gradient and evaluation mode: check both. Which order of the phases"
        " keeps the pretrained features is to be measured on your own network and pictures."
    ),
    source="Kumar et al. 2022: fine-tuning can distort pretrained features",
    source_address="https://arxiv.org/abs/2202.10054",
    terms=("backbone", "head", "fine-tuning", "freezing", "batch normalisation", "features"),
    seconds=35,
)


def find(figures: Figures) -> Finding:
    """Tell whose features moved."""
    drifting, frozen = figures["drifting"]["drift"][-1], figures["frozen"]["drift"][-1]
    first, second = figures["finetune_then_linear_probe"], figures["linear_probe_then_finetune"]
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
            "Drift, fine-tuning first",
            percent(early),
            f"at the end; linear probe first, as many epochs of fine-tuning: {percent(late)}",
        ),
    ]
    gap = points(early, late)
    moved = (
        f"After equally many epochs of fine-tuning the features have drifted by {percent(early)}"
        f" with fine-tuning first and by {percent(late)} with a linear probe first (by {at_once[0]}"
        f" and {at_once[1]} after one epoch)."
    )
    if gap > 0:
        order = "Here the linear probe first kept more of them, as Kumar et al. found"
    elif gap < 0:
        order = (
            "Here the linear probe first kept less of them, the opposite of what Kumar et al. found"
        )
    else:
        order = "Here the order made no difference to that; Kumar et al. found one"
    sentence = (
        f"{moved} {order} in large networks. On the test patients, {inside(figures['difference'])}"
    )
    return Finding(numbers, sentence, 1 if drifting > frozen else 0)
