"""The words of the lesson on the optimiser of another model."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number

LESSON = Lesson(
    slug="stale-optimiser",
    title="A loss that never moves",
    question="A weighted loss gives 35.38 %, and the loss never moves. What is broken?",
    story=(
        "Task 6 of the notebook adds class weights to the loss. The test accuracy falls to"
        " 35.38 % and the validation loss reads 0.093497 after every epoch, beside a training"
        " loss of 0.072148. The author wrote: *I assume I may have done something wrong when"
        " calculating the weights.*\n\nWhere would you look first?"
    ),
    choices=(
        "The class weights are wrong",
        "The learning rate is far too small",
        "The optimiser moves another model",
    ),
    task="The same weighted training twice: with an earlier model's optimiser, and its own.",
    because=(
        "An optimiser holds a list of parameters, not a model. A new model was built and the"
        " old list was kept: gradients were computed for the new one, and the old one was"
        " stepped. So the new network stayed random, called nearly everything MCL and was right"
        " on the 23 MCL pictures of 65: 35.38 %. The sum of the batches' losses was divided by"
        " the pictures, which hid that both losses are those of guessing, ln 3 = 1.099: in"
        " training 0.072148 × 275 pictures / 18 batches = 1.102, in validation 0.093497 × 34 /"
        " 3 = 1.060."
    ),
    takeaway=(
        "Make a new optimiser whenever you make a new model or start a new phase. A loss that"
        " stays at ln K (K classes) means that nothing is being learned: look at whether the"
        " parameters move before you doubt anything else."
    ),
    source="PyTorch: torch.optim, constructing an optimiser",
    source_address="https://docs.pytorch.org/docs/stable/optim.html",
    terms=("optimiser", "loss", "parameters", "epoch", "batch", "class weights"),
    seconds=15,
)


def find(figures: Figures) -> Finding:
    """Tell what moved, and which loss repeats."""
    stale, own = figures["broken"], figures["fixed"]
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
