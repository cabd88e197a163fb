"""Training on several processes: ``torchrun --nproc-per-node N -m lymph train ...``.

Every process takes its share of each batch. Gradients, the statistics of batch normalisation and
the figures of an epoch are added up over all of them, and dropout is drawn for the whole batch, so
that N processes train the model that one would (but for rounding; on graphics cards the dropout of
one process is drawn in another way, so there the models are alike in kind only).
"""

import os
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.parallel import DistributedDataParallel

from lymph.models.tiles import Tiled, TiledFeatures

# What a process made of its share of some pictures, a row or some tiles each.
Shares = TypeVar("Shares", Tensor, Tensor | TiledFeatures)


@dataclass(frozen=True)
class Processes:
    """This process's number among those that train together."""

    rank: int = 0
    world_size: int = 1

    @property
    def is_main(self) -> bool:
        """Tell whether this is the process that writes the run folder."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """Return this process's part of a batch: every ``world_size``-th picture."""
        return batch[self.rank :: self.world_size]

    def all_reduce(self, values: Tensor) -> Tensor:
        """Add tensors up over all processes."""
        if self.world_size > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def any(self, wish: bool, device: torch.device) -> bool:
        """Tell whether any process says so."""
        if self.world_size == 1:
            return wish
        return bool(self.all_reduce(torch.tensor([float(wish)], device=device)).item())

    def broadcast(self, document: Any) -> Any:
        """Return the main process's document on every process."""
        if self.world_size == 1:
            return document
        kept = [document]
        dist.broadcast_object_list(kept, src=0)
        return kept[0]

    def gather(self, shares: Shares) -> Shares:
        """Put together what each process made of its share of some pictures, in their order."""
        if self.world_size == 1:
            return shares
        parts: list[Any] = [None] * self.world_size
        dist.all_gather_object(parts, shares)
        return put_together(parts)

    def wrap(self, model: nn.Module) -> nn.Module:
        """Let a model add its gradients up over all processes."""
        if self.world_size == 1:
            return model
        # Running statistics are alike on all processes already; copying them would cost time.
        return DistributedDataParallel(model, broadcast_buffers=False)


ALONE = Processes()


def put_together(parts: list[Any]) -> Any:
    """Return what processes made of pictures, rows or tiles, in the order of the pictures.

    Each took its turns: of three the second made the second, the fifth and so on.
    """
    turns = [torch.arange(len(part)) * len(parts) + rank for rank, part in enumerate(parts)]
    made = [part for part in parts if len(part)] or parts[:1]
    if isinstance(made[0], Tiled):
        values, counts = ([getattr(p, name) for p in made] for name in ("values", "counts"))
        whole = Tiled(torch.cat(values), torch.cat(counts))
    else:
        whole = torch.cat(made)
    return whole[torch.cat(turns).argsort()]


def init_processes() -> Processes:
    """Join the processes that torchrun started; without torchrun this one is alone."""
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size == 1:
        return ALONE
    if not dist.is_initialized():
        cards = torch.cuda.device_count()
        if cards:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % cards)
        # NCCL wants a card for each process; where several share one, gloo does what it would.
        alone = int(os.environ.get("LOCAL_WORLD_SIZE", world_size)) <= cards
        dist.init_process_group("nccl" if alone else "gloo")
    return Processes(dist.get_rank(), world_size)


def destroy_processes() -> None:
    """End the connection to the other processes."""
    if dist.is_initialized():
        dist.destroy_process_group()


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation by the statistics of the whole batch, on the CPU too.

    PyTorch's SyncBatchNorm runs on graphics cards only. Without it each process would normalise by
    its own part, and N processes would train another model than one.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise N x C x H x W."""
        if not self.training:
            return super().forward(input)
        wide = input.float()
        own = wide.new_full((1,), wide.numel() / wide.shape[1])
        sums = all_reduce(torch.cat([wide.sum((0, 2, 3)), own]))
        total = sums[-1].detach()
        mean = sums[:-1] / total
        # Squares of the deviations, not of the values: their difference would lose digits.
        squares = (wide - mean.view(1, -1, 1, 1)).square().sum((0, 2, 3))
        variance = all_reduce(squares) / total
        self._follow(mean.detach(), variance.detach() * total / (total - 1).clamp(min=1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        shape = (1, -1, 1, 1)
        return (wide * scale.view(shape) + shift.view(shape)).to(input.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        for kept, new in ((self.running_mean, mean), (self.running_var, variance)):
            if kept is not None and self.momentum is not None:
                kept.lerp_(new, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


class SharedDropout(nn.Dropout):
    """Dropout drawn for the whole batch, of which each process takes its part."""

    def __init__(self, p: float, processes: Processes) -> None:
        super().__init__(p)
        self.processes = processes

    def forward(self, input: Tensor) -> Tensor:
        """Drop units of N x D."""
        if not self.training:
            return input
        count = int(
            self.processes.all_reduce(torch.tensor([float(len(input))], device=input.device))
        )
        kept = torch.empty(count, *input.shape[1:], device=input.device).bernoulli_(1 - self.p)
        return input * (self.processes.share(kept) / (1 - self.p)).to(input.dtype)


def share_layers(model: nn.Module, processes: Processes) -> None:
    """Replace the layers that look at a whole batch by ones that look at all processes' parts."""
    if processes.world_size == 1:
        return
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) is nn.BatchNorm2d:
                shared = SharedBatchNorm2d(layer.num_features, layer.eps, layer.momentum)
                shared.load_state_dict(layer.state_dict())
                setattr(parent, name, shared)
            elif type(layer) is nn.Dropout:
                setattr(parent, name, SharedDropout(layer.p, processes))
