"""The small CNN and ResNet-50, both as a backbone that makes features and a head that judges."""

import torch
from torch import Tensor, nn
from torchvision.models import resnet50

from lymph.errors import ConfigError


class BackboneHead(nn.Module):
    """A backbone (pictures to N x D features) and a head (features to N x K logits).

    Freezing is a state of the model: a frozen backbone needs no gradients *and* stays in
    evaluation mode through every later ``train()``, since ``requires_grad=False`` alone lets the
    running statistics of batch normalisation drift.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.frozen = False

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the logits, N x K, of normalised pictures, N x C x H x W."""
        return self.head(self.backbone(pictures))

    def freeze_backbone(self, frozen: bool = True) -> None:
        """Freeze the backbone's parameters and statistics, or let them learn again."""
        self.frozen = frozen
        self.backbone.requires_grad_(not frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> "BackboneHead":
        """Set the mode; a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self


def _block(channels_in: int, channels_out: int, pool: nn.Module) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
        pool,
    ]


class SmallCNN(BackboneHead):
    """The notebook's small CNN: three convolutions, each with batch normalisation and ReLU.

    Parameters
    ----------
    classes : int
    dropout : float
        Share of the hidden units dropped in training.

    Notes
    -----
    Input N x 1 x 128 x 128, normalised; any other size of at least 16 pixels works.
    """

    def __init__(self, classes: int, dropout: float = 0.5) -> None:
        backbone = nn.Sequential(
            *_block(1, 16, nn.MaxPool2d(2)),
            *_block(16, 32, nn.MaxPool2d(2)),
            *_block(32, 64, nn.AdaptiveAvgPool2d(4)),
            nn.Flatten(),
        )
        head = nn.Sequential(
            nn.Linear(64 * 4 * 4, 64),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(64, classes),
        )
        super().__init__(backbone, head)


class ResNet50(BackboneHead):
    """torchvision's ResNet-50 with a linear head of our own for the classes.

    Input N x 3 x 224 x 224 with ImageNet's normalisation. The values are random until
    :mod:`lymph.models.weights` loads some.
    """

    def __init__(self, classes: int) -> None:
        backbone = resnet50(weights=None)
        features = backbone.fc.in_features
        backbone.fc = nn.Identity()
        super().__init__(backbone, nn.Linear(features, classes))


def build_model(name: str, classes: int) -> BackboneHead:
    """Build a model by its name, with random values drawn from torch's global generator.

    Raises
    ------
    ConfigError
        When there is no model of that name.
    """
    networks = {"cnn": SmallCNN, "resnet50": ResNet50}
    if name not in networks:
        raise ConfigError(f"There is no model {name!r}; choose one of {', '.join(networks)}.")
    return networks[name](classes)


def count_parameters(module: nn.Module) -> int:
    """Count the numbers that a module learns."""
    return sum(parameter.numel() for parameter in module.parameters())


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Return class indices, N, as one-hot rows, N x K, float32."""
    return torch.eye(classes)[labels]
