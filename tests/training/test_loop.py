"""The loop: each fault of the notebook has a test here that would have caught it."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lymph.models.networks import SmallCNN, one_hot
from lymph.training.dataset import GreyOneHotDataset, make_loader
from lymph.training.loop import Rows, evaluate, train_one_epoch
from lymph.training.losses import class_indices, weighted_loss


def plain_loss() -> nn.CrossEntropyLoss:
    """Return the loss without class weights."""
    return weighted_loss({"a": 1.0, "b": 1.0, "c": 1.0})


def batches(count: int = 40, size: int = 16, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Return batches of pictures whose brightness tells the class; the last one is smaller."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    pictures = torch.randn(count, 1, 16, 16, generator=generator) + labels.view(-1, 1, 1, 1) * 2.0
    return list(zip(pictures.split(size), labels.split(size), strict=True))


class Recorder(nn.Module):
    """A linear model that notes the mode it is called in."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(256, 3)
        self.modes: list[bool] = []

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits."""
        self.modes.append(self.training)
        return self.linear(pictures.flatten(1))


def test_the_optimiser_moves_the_model_it_is_given() -> None:
    """Notebook fault 1: 35.38 % and a loss that never moved."""
    model = Recorder()
    before = [parameter.clone() for parameter in model.parameters()]
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    train_one_epoch(model, batches(), plain_loss(), optimiser)
    pairs = zip(before, model.parameters(), strict=True)
    assert all(not torch.equal(old, new) for old, new in pairs)


def test_a_stale_optimiser_is_refused() -> None:
    """Notebook fault 1: the optimiser still held the parameters of the model before."""
    stale = torch.optim.SGD(Recorder().parameters(), lr=0.01)
    with pytest.raises(ValueError, match="optimiser holds no parameter of this model"):
        train_one_epoch(Recorder(), batches(), plain_loss(), stale)


@pytest.mark.parametrize("as_one_hot", [False, True])
def test_accuracy_is_a_share_and_right_for_both_kinds_of_labels(as_one_hot: bool) -> None:
    """Notebook fault 2: 152.94 %, from comparing one-hot rows with indices."""

    class Always(nn.Module):
        def forward(self, pictures: Tensor) -> Tensor:
            return torch.tensor([1.0, 0.0, 0.0]).repeat(len(pictures), 1)

    data = [(p, one_hot(y, 3) if as_one_hot else y) for p, y in batches()]
    measured = evaluate(Always(), data, plain_loss())
    assert measured.accuracy == pytest.approx(14 / 40)
    assert torch.equal(measured.labels, torch.arange(40) % 3)


def test_one_hot_rows_become_indices() -> None:
    """Both kinds of labels end as the same indices."""
    labels = torch.tensor([2, 0, 1])
    assert torch.equal(class_indices(one_hot(labels, 3)), labels)
    assert torch.equal(class_indices(labels), labels)


def test_the_modes_are_set_for_every_epoch() -> None:
    """Notebook fault 3: train() stood before the loop, so epoch 2 trained in evaluation mode."""
    model = Recorder()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    data = batches()
    for _ in range(2):
        train_one_epoch(model, data, plain_loss(), optimiser)
        evaluate(model, data, plain_loss())
    passes = len(data)
    assert model.modes == ([True] * passes + [False] * passes) * 2


def test_evaluation_leaves_statistics_and_parameters_alone() -> None:
    """Batch normalisation must not learn from validation pictures."""
    model = SmallCNN(3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    evaluate(model.train(), batches(), plain_loss())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("size", [1, 7, 16, 40])
def test_the_loss_is_a_mean_per_picture_whatever_the_batches(size: int) -> None:
    """Notebook fault 4: batch means divided by the number of pictures, 16 times too small."""
    torch.manual_seed(0)
    model = Recorder()
    whole = evaluate(model, batches(size=40), plain_loss())
    expected = nn.functional.cross_entropy(whole.logits, whole.labels)
    assert evaluate(model, batches(size=size), plain_loss()).loss == pytest.approx(
        float(expected), rel=1e-5
    )


def test_an_untrained_three_class_model_loses_about_log_three() -> None:
    """The figure that gave the notebook away: 0.0721 instead of 1.0986."""

    class Unsure(nn.Module):
        def forward(self, pictures: Tensor) -> Tensor:
            return torch.zeros(len(pictures), 3)

    assert evaluate(Unsure(), batches(), plain_loss()).loss == pytest.approx(np.log(3), rel=1e-6)


def test_the_scale_of_class_weights_cancels() -> None:
    """Notebook fault 6: weights that sum to 1 must not shrink the loss or the gradient."""
    moved = []
    for scale in (1.0, 1 / 3):
        torch.manual_seed(0)
        model = Recorder()
        start = model.linear.weight.detach().clone()
        loss = weighted_loss({"a": 1.1 * scale, "b": 0.9 * scale, "c": 1.0 * scale})
        train_one_epoch(model, batches(), loss, torch.optim.SGD(model.parameters(), lr=0.01))
        moved.append(model.linear.weight.detach() - start)
    assert torch.allclose(moved[0], moved[1], atol=1e-6)


def test_the_small_cnn_learns_what_can_be_learnt() -> None:
    """Brightness tells the class: a few epochs must find it, from the notebook's own loader."""
    torch.manual_seed(0)
    labels = np.arange(1, 61).reshape(-1, 1) % 3 + 1
    greys = np.random.default_rng(0).integers(0, 40, (60, 32, 32)) + 90 * (labels[..., None] - 1)
    dataset = GreyOneHotDataset(np.clip(greys, 0, 255).astype(np.uint8), labels, classes=3)
    model = SmallCNN(3)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(15):
        train_one_epoch(model, make_loader(dataset, shuffle=True), plain_loss(), optimiser)
    assert evaluate(model, make_loader(dataset), plain_loss()).accuracy > 0.95


def test_the_notebooks_dataset_gives_grey_pictures_and_one_hot_labels() -> None:
    """Labels counted from 1 become one-hot rows; the transform sees values between 0 and 1."""
    seen = []

    def note(picture: Tensor) -> Tensor:
        seen.append((picture.shape, float(picture.max())))
        return picture

    pictures = np.full((2, 8, 8), 255, np.uint8)
    dataset = GreyOneHotDataset(pictures, np.array([[1], [3]]), 3, note)
    assert len(dataset) == 2
    assert dataset[1][1].tolist() == [0.0, 0.0, 1.0]
    assert seen == [((1, 8, 8), 1.0)]


def test_an_empty_set_is_measured_as_unknown() -> None:
    """A split without validation pictures must not end a run."""
    measured = evaluate(Recorder(), [], plain_loss())
    assert np.isnan(measured.loss)
    assert np.isnan(measured.accuracy)
    assert len(measured.labels) == 0


@pytest.mark.parametrize("lengths", [[], [3], [1, 5, 2, 9, 4]])
def test_rows_stand_below_each_other_whatever_their_number(lengths: list[int]) -> None:
    """Memory that doubles holds what was added, in order, and nothing else."""
    parts = [torch.rand(length, 4) for length in lengths]
    rows = Rows()
    for part in parts:
        rows.add(part)
    expected = torch.cat(parts) if parts else torch.empty(0)
    assert torch.equal(rows.whole(), expected)
