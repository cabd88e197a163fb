"""The words of the lesson on training mode."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number, inside

LESSON = Lesson(
    slug="mode",
    title="train(), called once",
    question="train() is called once, before the loop. What happens from epoch 2 on?",
    story=(
        "In Tasks 5 and 6 of the notebook `model.train()` stands above the loop over the"
        " epochs. Inside, after each epoch, the model is validated, and for that `model.eval()`"
        " is called, as it should be.\n\nThere is no error and no warning, and the loss goes on"
        " falling."
    ),
    choices=(
        "Nothing: training sets the mode by itself",
        "It learns with dropout off and statistics frozen",
        "It stops learning at all",
    ),
    task="The same training twice: train() once, and train() in every epoch; 15 epochs each.",
    because=(
        "Nothing switches back. From the second epoch on, dropout is off and batch"
        " normalisation works with the means and variances of the first epoch, while the"
        " layers before it go on changing: it normalises for a network that is no longer there."
        " How much that costs differs from run to run, since the later layers can learn to live"
        " with it."
    ),
    takeaway=(
        "The function that trains says train(), the function that validates says eval(), each"
        " at its own beginning. Then no caller can forget."
    ),
    source="Ioffe & Szegedy 2015: batch normalisation, and why training and use differ",
    source_address="https://arxiv.org/abs/1502.03167",
    terms=("batch normalisation", "dropout", "training mode", "epoch", "validation set"),
    seconds=18,
)


def find(figures: Figures) -> Finding:
    """Tell what stood still, and what that did to the answers of this run."""
    broken, fixed = figures["broken"], figures["fixed"]
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
            f"all added up; with train() each epoch: {100 * sum(fixed['moved'][1:]):.0f} %",
        ),
        Number(
            "Validation loss at the end",
            f"{broken['val_loss'][-1]:.2f}",
            f"with train() in every epoch: {fixed['val_loss'][-1]:.2f}; training loss"
            f" {broken['train_loss'][-1]:.2f} and {fixed['train_loss'][-1]:.2f}",
        ),
    ]
    stood = "stood still" if sum(later) == 0 else "moved on"
    sentence = (
        f"With train() called once, the batch-norm statistics {stood} from epoch 2 on. On the"
        f" {figures['pictures']} validation pictures after the last epoch,"
        f" {inside(figures['difference'])}"
    )
    return Finding(numbers, sentence, 1 if sum(later) == 0 else 0)
