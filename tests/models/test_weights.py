"""ImageNet values from a file: what matches is loaded and counted, anything else is refused."""

import pickle
from pathlib import Path

import pytest
import torch

from lymph.errors import WeightsError
from lymph.models.networks import ResNet50, count_parameters
from lymph.models.weights import load_backbone, stages_in


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
    """8.5 million parameters, and the network ends there."""
    stages = stages_in(str(imagenet_file))
    report = load_backbone(ResNet50(3, stages), str(imagenet_file))
    assert (stages, report.ends, report.missing) == (3, "layer3", [])
    assert round(report.loaded / 1e6, 1) == round(report.total / 1e6, 1) == 8.5


def test_a_file_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    """Training on random values in the belief that they are ImageNet's would be worse."""
    torch.save({"conv1.weight": torch.zeros(1), "other": torch.zeros(3)}, tmp_path / "no.pth")
    with pytest.raises(WeightsError, match="fits"):
        load_backbone(ResNet50(3), str(tmp_path / "no.pth"))


@pytest.mark.parametrize(
    ("lost", "stages"), [(["layer4"], 3), (["layer3", "layer4"], 2), (["layer2"], 1), ([], 4)]
)
def test_a_network_is_cut_off_after_the_last_stage_with_values(
    tmp_path: Path, lost: list[str], stages: int
) -> None:
    """A stage after a gap has nothing to see; what is left is all loaded."""
    values = ResNet50(3).backbone.state_dict()
    kept = {name: value for name, value in values.items() if name.split(".")[0] not in lost}
    file = tmp_path / "part.pth"
    torch.save(kept, file)
    assert stages_in(str(file)) == stages
    model = ResNet50(3, stages)
    report = load_backbone(model, str(file))
    assert not report.missing and report.loaded == report.total
    assert ("ends after" in report.sentence) == (stages < 4)
    assert model.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 3)


@pytest.mark.parametrize("lost", ["conv1", "layer1.2.bn3.weight"])
def test_without_the_first_stage_nothing_is_left(tmp_path: Path, lost: str) -> None:
    """A network that begins with random values would make nonsense of all that follows."""
    values = ResNet50(3).backbone.state_dict()
    kept = {name: value for name, value in values.items() if not name.startswith(lost)}
    torch.save(kept, tmp_path / "part.pth")
    with pytest.raises(WeightsError, match=lost.split(".")[0]):
        stages_in(str(tmp_path / "part.pth"))


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
