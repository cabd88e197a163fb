"""The words of the lesson on depth."""

from lymph.lessons.lesson import Figures, Finding, Lesson, Number

# A network starts to learn where its training loss is first this far below that of guessing.
LEARNS = 0.95

LESSON = Lesson(
    slug="depth",
    title="Fifteen layers",
    question="Fifteen layers in a row: what makes them start to learn earlier?",
    story=(
        "The notebook's bonus task stacks fifteen convolutions, then does it again with"
        " residual connections, which add the input of a layer to its output.\n\nWe train three"
        " plain layers, fifteen, fifteen from other initial weights, and fifteen residual ones,"
        " and measure how much gradient reaches each layer."
    ),
    choices=(
        "Nothing but fewer layers: only three start earlier",
        "Shortcuts: only residual connections help",
        "Better initial weights: they help plain layers too",
    ),
    task="Four networks, 16 epochs each: three layers, fifteen, He's weights, residual.",
    because=(
        "On its way back the gradient passes every layer. With PyTorch's default initial"
        " weights each layer shrinks it about 2.4-fold, and fifteen leave a millionth; that"
        " such a network may start after all, late, is thanks to Adam, which divides its steps"
        " by the gradient's size. Larger initial weights (He et al. 2015) keep that size, and a"
        " residual connection leads around each layer. So shortcuts are one remedy for"
        " vanishing gradients, not the only one, nor were they invented for it: the plain"
        " networks of He et al. (2016) had healthy gradients, thanks to batch normalisation,"
        " and yet 34 layers trained worse than 18."
    ),
    takeaway=(
        "When a loss will not move, look at the gradient of each layer before you blame the"
        " depth. Initial weights, normalisation and residual connections each keep it alive;"
        " try them one at a time, or you will not know which one helped."
    ),
    source="He et al. 2016: deep residual learning; section 4.1 on vanishing gradients",
    source_address="https://arxiv.org/abs/1512.03385",
    terms=("gradient", "convolution", "residual connection", "loss", "epoch"),
    seconds=20,
)


def find(figures: Figures) -> Finding:
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
