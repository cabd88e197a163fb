"""The download of the ImageNet weights: told of, checked, and never left half."""

import hashlib
from pathlib import Path

import pytest

from lymph.models.imagenet import fetch, imagenet_file, imagenet_is_here


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of three megabytes, named by its digest as torchvision names its own."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    content = bytes(3 << 20)
    file = tmp_path / f"resnet50-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    file.write_bytes(content)
    return file


def test_what_is_fetched_is_told_and_kept(offered: Path) -> None:
    """Regression: 98 MB came without a word, for as long as it took."""
    seen: list[tuple[int, int]] = []
    fetch(lambda done, total: seen.append((done, total)), offered.as_uri())
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert imagenet_is_here() and imagenet_file().read_bytes() == offered.read_bytes()
    fetch(address="file:///nowhere")  # it is there


def test_another_file_than_was_promised_is_not_kept(offered: Path) -> None:
    other = offered.with_name("resnet50-00000000.pth")
    offered.rename(other)
    with pytest.raises(OSError, match="promises"):
        fetch(address=other.as_uri())
    assert not imagenet_is_here() and not list(imagenet_file().parent.iterdir())


def test_it_lies_where_torchvision_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import torch
    from torchvision.models import ResNet50_Weights

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    name = ResNet50_Weights.IMAGENET1K_V2.url.rpartition("/")[2]
    assert imagenet_file() == Path(torch.hub.get_dir()) / "checkpoints" / name
