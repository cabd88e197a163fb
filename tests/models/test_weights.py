"""ImageNet values from a file: what matches is loaded and counted, anything else is refused."""

import pickle
from pathlib import Path

import pytest
import torch

from lymph.errors import WeightsError
from lymph.models.networks import ResNet50, count_parameters
from lymph.models.weights import load_backbone


class Evil:
    """A pickle that would write a file when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        """Tell pickle to call a function on load."""
        return Path.touch, (self.target,)


def test_a_part_is_loaded_and_counted(tmp_path: Path) -> None:
    """A file with the first convolution alone: its 9,408 numbers, and what stays random."""
    source = ResNet50(3)
    values = {"module.conv1.weight": source.backbone.conv1.weight.detach()}
    torch.save({"state_dict": values}, tmp_path / "part.pth")
    model = ResNet50(3)
    report = load_backbone(model, str(tmp_path / "part.pth"))
    assert report.loaded == 64 * 3 * 7 * 7
    assert report.total == count_parameters(model.backbone)
    assert torch.equal(model.backbone.conv1.weight, source.backbone.conv1.weight)
    assert "layer4" in report.sentence
    assert "random" in report.sentence


def test_the_real_file_holds_conv1_to_layer3(imagenet_file: Path) -> None:
    """8.5 of 23.5 million parameters; layer4 stays random."""
    report = load_backbone(ResNet50(3), str(imagenet_file))
    assert round(report.loaded / 1e6, 1) == 8.5
    assert round(report.total / 1e6, 1) == 23.5
    assert report.missing == ["layer4"]


def test_a_file_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    """Training on random values in the belief that they are ImageNet's would be worse."""
    torch.save({"conv1.weight": torch.zeros(1), "other": torch.zeros(3)}, tmp_path / "no.pth")
    with pytest.raises(WeightsError, match="fits"):
        load_backbone(ResNet50(3), str(tmp_path / "no.pth"))


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps([1, 2])])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    """Damaged and foreign files get a sentence."""
    (tmp_path / "no.pth").write_bytes(content)
    with pytest.raises(WeightsError):
        load_backbone(ResNet50(3), str(tmp_path / "no.pth"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The message holds the path."""
    with pytest.raises(WeightsError, match="absent"):
        load_backbone(ResNet50(3), str(tmp_path / "absent.pth"))


def test_a_malicious_file_executes_nothing(tmp_path: Path) -> None:
    """Values come from strangers."""
    target = tmp_path / "pwned"
    torch.save({"conv1.weight": Evil(target)}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError):
        load_backbone(ResNet50(3), str(tmp_path / "evil.pth"))
    assert not target.exists()


def test_without_network_the_choice_is_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed download names the file and the random values as ways on."""
    from torchvision.models import ResNet50_Weights

    def fail(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(type(ResNet50_Weights.IMAGENET1K_V2), "get_state_dict", fail)
    with pytest.raises(WeightsError, match=r"--weights FILE.*--weights none"):
        load_backbone(ResNet50(3), "imagenet")
