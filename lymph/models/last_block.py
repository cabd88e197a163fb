"""ResNet-50 that begins as a linear probe, and of which only the last block learns then.

Everything before the last block is frozen, its batch statistics too, so that it runs once for each
picture; what it makes is ready for every epoch and every fold.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from lymph.models.encoders import Statistics, own_contrast
from lymph.models.networks import DIRECTIONS, BackboneHead, ProbeHead, Standardise, WhitenedLinear
from lymph.models.specs import LAST_BLOCK_STAGES
from lymph.models.tiles import Tiled

CPU = torch.device("cpu")
# Tiles that go through the last block together, where all of a batch would need much memory.
TOGETHER = 16
# Nothing larger is a number in half precision.
LARGEST_HALF = 65_504.0


@dataclass(frozen=True)
class ReadyMaps:
    """What the frozen part makes of pictures or tiles; it is asked for them as a tensor is.

    Attributes
    ----------
    found : Tensor, float32, M x d
        The features of the earlier stages, of all pictures that there are.
    maps : Tensor, float16, M x h x w x C
        What the last block sees of them. They stay on the disk until they are taken.
    rows : Tensor, int64, N
        The pictures meant.
    device : device
        Where they are wanted.
    """

    found: Tensor
    maps: Tensor
    rows: Tensor
    device: torch.device = CPU

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray | Tensor) -> "ReadyMaps":
        """Return those of some pictures, in this order."""
        return replace(self, rows=self.rows[torch.as_tensor(rows).cpu()])

    def to(self, device: torch.device) -> "ReadyMaps":
        """Return the same for a device."""
        return replace(self, device=device)

    def take(self) -> tuple[Tensor, Tensor]:
        """Return features, N x d, and maps, N x h x w x C, in memory."""
        return self.found[self.rows].to(self.device), self.maps[self.rows].to(self.device)


class StagedBackbone(nn.Module):
    """torchvision's ResNet-50 up to a stage: means and spreads of the maps of each stage.

    Parameters
    ----------
    stages : int
        How many stages it has, 1 to 3.
    """

    def __init__(self, stages: int = LAST_BLOCK_STAGES) -> None:
        # Loaded late: with torchvision come 160 MB and a second.
        from torchvision.models import resnet50

        super().__init__()
        whole = resnet50(weights=None)
        self.conv1, self.bn1, self.relu = whole.conv1, whole.bn1, whole.relu
        self.maxpool = whole.maxpool
        self.names = [f"layer{stage}" for stage in range(1, stages + 1)]
        for name in self.names:
            setattr(self, name, getattr(whole, name))
        self.statistics = Statistics()
        self.width = 2 * sum(256 << stage for stage in range(stages))
        self.told = (
            f"ResNet-50, means and spreads of layer1 to layer{stages}, each channel's own contrast"
        )

    @property
    def last_stage(self) -> nn.Sequential:
        """Return the last stage, of several blocks."""
        return getattr(self, self.names[-1])

    @property
    def last_block(self) -> nn.Module:
        """Return the part that learns."""
        return self.last_stage[-1]

    @property
    def places(self) -> nn.Module:
        """Return what Grad-CAM looks at: the last part that knows where in the picture it is."""
        return self.last_block

    def frozen_part(self) -> nn.ModuleList:
        """Return what never learns: everything before the last block."""
        earlier = [getattr(self, name) for name in self.names[:-1]]
        return nn.ModuleList([self.conv1, self.bn1, *earlier, self.last_stage[:-1]])

    def stem(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the frozen part makes of pictures, N x 3 x H x W, however normalised.

        As :class:`ReadyMaps` has it: the features of the earlier stages, and maps.
        """
        maps = self.maxpool(self.relu(self.bn1(self.conv1(own_contrast(pictures)))))
        found = [maps.new_empty(maps.shape[0], 0)]
        for name in self.names[:-1]:
            maps = getattr(self, name)(maps)
            found.append(self.statistics(maps))
        maps = self.last_stage[:-1](maps)
        # Rounded here, where they are kept, so that kept or not the answer is the same.
        half = maps.clamp(max=LARGEST_HALF).half()
        return torch.cat(found, dim=1), half.permute(0, 2, 3, 1)

    def tail(self, found: Tensor, maps: Tensor) -> Tensor:
        """Return the features, N x width, of what the stem made."""
        last = self.last_block(maps.permute(0, 3, 1, 2).to(found.dtype))
        return torch.cat([found, self.statistics(last)], dim=1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features, N x width, of pictures, N x 3 x H x W, however normalised."""
        return self.tail(*self.stem(pictures))


class ProbedResNet50(BackboneHead):
    """ResNet-50 with a linear probe's head, whose last block may learn.

    Input N x 3 x H x W with ImageNet's normalisation, which each channel's own contrast replaces.

    Parameters
    ----------
    classes : int
    stages : int
        How many stages there are values for; the network has no more than three.
    """

    def __init__(self, classes: int, stages: int = LAST_BLOCK_STAGES) -> None:
        backbone = StagedBackbone(min(stages, LAST_BLOCK_STAGES))
        last = WhitenedLinear(backbone.width, classes, DIRECTIONS)
        super().__init__(backbone, ProbeHead(Standardise(backbone.width), last))
        self.stages = stages
        self.freeze_backbone()

    @property
    def staged(self) -> StagedBackbone:
        """Return the backbone, as what it is."""
        assert isinstance(self.backbone, StagedBackbone)
        return self.backbone

    def tune_last_block(self) -> None:
        """Let the last block learn; all batch statistics stay frozen, those in it too."""
        self.freeze_backbone()
        self.staged.last_block.requires_grad_(True)


class LastBlock(nn.Module):
    """The part of a :class:`ProbedResNet50` that learns: its last block and its head."""

    def __init__(self, model: ProbedResNet50) -> None:
        super().__init__()
        self.model = model

    def train(self, mode: bool = True) -> "LastBlock":
        """Set the mode; batch statistics stay frozen."""
        self.model.train(mode)
        return self

    def features(self, ready: ReadyMaps) -> Tensor:
        """Return the features, N x D, of N pictures or tiles that went through the frozen part."""
        return self.model.staged.tail(*ready.take())

    def forward(self, ready: ReadyMaps | Tiled[ReadyMaps]) -> Tensor:
        """Return the logits, N x K, of pictures."""
        if isinstance(ready, Tiled):
            parts = torch.arange(len(ready.values)).split(TOGETHER)
            features = torch.cat([self.features(ready.values[part]) for part in parts])
            return self.model.head(Tiled(features, ready.counts))
        return self.model.head(self.features(ready))
