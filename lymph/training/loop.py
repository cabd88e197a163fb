"""The loop: one epoch of training, one evaluation. Both models, and the notebook, go through it."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lymph.models.last_block import ReadyMaps
from lymph.models.tiles import Tiled, TiledFeatures
from lymph.training.devices import CPU
from lymph.training.losses import class_indices
from lymph.training.phases import rate_factor
from lymph.training.processes import ALONE, Processes

Batch = tuple[Tensor | TiledFeatures | ReadyMaps | Tiled[ReadyMaps], Tensor]


class Epoch(NamedTuple):
    """Mean loss per picture (weighted by class where the loss is) and accuracy, 0 to 1."""

    loss: float
    accuracy: float


class Evaluation(NamedTuple):
    """An :class:`Epoch`'s figures with the logits, N x K, and class indices, N, in order."""

    loss: float
    accuracy: float
    logits: Tensor
    labels: Tensor


class _Sums:
    """Sums over pictures, so that a small last batch weighs no more than its pictures."""

    def __init__(self) -> None:
        self.loss = self.weight = self.right = self.pictures = 0.0

    def add(self, losses: Tensor, weights: Tensor, logits: Tensor, labels: Tensor) -> None:
        self.loss += float(losses.detach().sum(dtype=_wide(losses.device)))
        self.weight += float(weights.sum())
        self.right += int((logits.argmax(dim=1) == labels).sum())
        self.pictures += len(labels)

    def means(self, processes: Processes, device: torch.device) -> Epoch:
        own = [self.loss, self.weight, float(self.right), float(self.pictures)]
        if processes.world_size > 1:
            own = processes.all_reduce(
                torch.tensor(own, dtype=_wide(device), device=device)
            ).tolist()
        loss, weight, right, pictures = own
        if not pictures:
            return Epoch(float("nan"), float("nan"))
        return Epoch(loss / weight, right / pictures)


class Rows:
    """Rows put one below the other, on the processor, in memory that doubles when it is full.

    A list of small pieces, each made between large ones, would split the memory that is kept from
    step to step, and a run on many pictures would take more and more of it.
    """

    def __init__(self) -> None:
        self._kept = torch.empty(0)
        self._count = 0

    def add(self, part: Tensor) -> None:
        """Put rows, N x ..., below those that are there."""
        end = self._count + len(part)
        if end > len(self._kept):
            larger = torch.empty(max(end, 2 * len(self._kept)), *part.shape[1:], dtype=part.dtype)
            if self._count:
                larger[: self._count] = self._kept[: self._count]
            self._kept = larger
        self._kept[self._count : end] = part
        self._count = end

    def whole(self) -> Tensor:
        """Return all rows; without any, an empty tensor."""
        return self._kept[: self._count]


def _wide(device: torch.device) -> torch.dtype:
    """Return the widest number format of a device: Apple's has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64


def _picture_weights(loss_function: nn.CrossEntropyLoss, labels: Tensor) -> Tensor:
    weight = loss_function.weight
    return torch.ones(len(labels), device=labels.device) if weight is None else weight[labels]


def autocast(bfloat16: bool, device: str = "cpu") -> torch.autocast | nullcontext:
    """Return the context in which matrix products run in bfloat16, or one that changes nothing."""
    return torch.autocast(device, torch.bfloat16) if bfloat16 else nullcontext()


def set_rates(
    optimiser: torch.optim.Optimizer, step: int, steps: int, warm_up: float = 0.1
) -> None:
    """Set the learning rates of a step: of each group's ``peak`` the share that its time has."""
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * rate_factor(step, steps, warm_up)


def _device_of(model: nn.Module) -> torch.device:
    first = next(model.parameters(), None)
    return CPU if first is None else first.device


def train_one_epoch(
    model: nn.Module,
    batches: Iterable[Batch],
    loss_function: nn.CrossEntropyLoss,
    optimiser: torch.optim.Optimizer,
    before_step: Callable[[], None] | None = None,
    bfloat16: bool = False,
    processes: Processes = ALONE,
) -> Epoch:
    """Train on every batch once; sets the training mode itself.

    Parameters
    ----------
    model : Module
        Pictures to logits, N x K.
    batches : iterable of (pictures, labels)
        Labels as class indices or one-hot rows.
    loss_function : CrossEntropyLoss
        With ``reduction="none"`` and optional class weights.
    optimiser : Optimizer
        Must hold parameters of this very model.
    before_step : callable, optional
        Called before each batch; it may set learning rates, or raise to end the epoch.
    bfloat16 : bool
        Whether matrix products run in bfloat16.
    processes : Processes
        Those that share the batches; each gets the figures of all.

    Returns
    -------
    Epoch
        Means over pictures as they were met, each before the step it led to.

    Raises
    ------
    ValueError
        When the optimiser holds no parameter of the model: the model would never move.
    """
    _check_optimiser(model, optimiser)
    model.train()
    device = _device_of(model)
    sums = _Sums()
    for pictures, targets in batches:
        if before_step:
            before_step()
        labels = class_indices(targets)
        with autocast(bfloat16, device.type):
            logits = model(pictures)
        logits = logits.float()
        losses = loss_function(logits, labels)
        weights = _picture_weights(loss_function, labels)
        optimiser.zero_grad(set_to_none=True)
        # Gradients are averaged over the processes, which share the weights' sum of a batch.
        (losses.sum() * (processes.world_size / processes.all_reduce(weights.sum()))).backward()
        optimiser.step()
        sums.add(losses, weights, logits, labels)
    return sums.means(processes, device)


def _check_optimiser(model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    own = {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    held = {id(p) for group in optimiser.param_groups for p in group["params"]}
    if not own & held:
        raise ValueError(
            "The optimiser holds no parameter of this model, so training would change nothing;"
            " make a new optimiser for each model and each phase."
        )


@torch.no_grad()
def evaluate(
    model: nn.Module,
    batches: Iterable[Batch],
    loss_function: nn.CrossEntropyLoss,
    bfloat16: bool = False,
    processes: Processes = ALONE,
) -> Evaluation:
    """Measure loss and accuracy and keep the logits; sets the evaluation mode itself.

    Of several processes each measures its share, every ``world_size``-th picture, and gets all.
    """
    model.eval()
    device = _device_of(model)
    sums = _Sums()
    all_logits, all_labels = Rows(), Rows()
    for pictures, targets in batches:
        labels = class_indices(targets)
        with autocast(bfloat16, device.type):
            logits = model(pictures)
        logits = logits.float()
        losses = loss_function(logits, labels)
        sums.add(losses, _picture_weights(loss_function, labels), logits, labels)
        all_logits.add(logits)
        all_labels.add(labels)
    logits, labels = (processes.gather(rows.whole()) for rows in (all_logits, all_labels))
    labels = labels.long()
    return Evaluation(*sums.means(processes, device), logits, labels)
