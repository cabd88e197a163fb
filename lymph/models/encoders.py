"""Encoders: what turns a picture into features that a linear head learns from.

An encoder is a module with a ``width`` and a ``forward`` from pictures, float32 N x 3 x H x W with
values 0 to 1 and of any size from 32 pixels a side, to features, N x width. It normalises pictures
itself, so that an exported model needs nothing beside it. Its last child is the one after which
nothing knows any more where in the picture it is; Grad-CAM looks at the child before. Give it a
name in :data:`ENCODERS`, and runs, answers, explanations and exports take it.
"""

import torch
from torch import Tensor, nn

# A channel that varies less, of 0 to 1, counts as varying so much: a flat picture has no contrast.
LEAST_SPREAD = 1 / 255


class Encoder(nn.Module):
    """What every encoder has: ``width`` features of each picture, and what they are in words."""

    width: int
    told: str = "features of an encoder"

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features, N x width, of pictures, N x 3 x H x W, values 0 to 1."""
        raise NotImplementedError


def own_contrast(pictures: Tensor) -> Tensor:
    """Give each channel of each picture, N x C x H x W, mean 0 and spread 1.

    What it takes away is the stain's strength and the lamp's colour, which tell the slide.
    """
    variance, mean = torch.var_mean(pictures, dim=(2, 3), keepdim=True, correction=0)
    return (pictures - mean) / variance.sqrt().clamp(min=LEAST_SPREAD)


class Statistics(nn.Module):
    """The mean and the spread of every map over the picture: N x C x H x W to N x 2C."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return means and spreads side by side."""
        places = maps.flatten(2)
        mean = places.mean(dim=2)
        # Two plain passes, which are four times as fast on a processor as torch.var_mean.
        variance = (places - mean[:, :, None]).square().mean(dim=2)
        # The square root has no slope at 0, where a map is flat.
        return torch.cat([mean, variance.clamp(min=1e-12).sqrt()], dim=1)


class ResNet50Encoder(Encoder):
    """torchvision's ResNet-50 up to layer3: means and spreads of layer1, layer2 and layer3.

    The maps of its first layers answer to nuclei and their texture; the last, which answers to
    things of everyday pictures, is left out. The values are random until
    :mod:`lymph.models.weights` loads some, by torchvision's names.
    """

    width = 2 * (256 + 512 + 1024)
    told = "ResNet-50, means and spreads of layer1 to layer3, each channel's own contrast"

    def __init__(self) -> None:
        # Loaded late: with torchvision come 160 MB and a second.
        from torchvision.models import resnet50

        super().__init__()
        whole = resnet50(weights=None)
        self.conv1, self.bn1, self.relu = whole.conv1, whole.bn1, whole.relu
        self.maxpool = whole.maxpool
        self.layer1, self.layer2, self.layer3 = whole.layer1, whole.layer2, whole.layer3
        self.statistics = Statistics()

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features, N x 3584, of pictures, N x 3 x H x W, values 0 to 1."""
        maps = self.maxpool(self.relu(self.bn1(self.conv1(own_contrast(pictures)))))
        found = []
        for layer in (self.layer1, self.layer2, self.layer3):
            maps = layer(maps)
            found.append(self.statistics(maps))
        return torch.cat(found, dim=1)


ENCODERS: dict[str, type[Encoder]] = {"resnet50": ResNet50Encoder}
