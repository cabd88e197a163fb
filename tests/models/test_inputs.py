"""How pixels become input: normalisation, layout, and augmentation that keeps what it should."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lymph.models.augmentations import AUGMENTATIONS
from lymph.models.inputs import (
    HED_FROM_RGB,
    IMAGENET_MEAN,
    IMAGENET_STD,
    RGB_FROM_HED,
    augment,
    draw,
    to_floats,
    to_input,
)
from lymph.models.specs import MODELS


def test_imagenet_normalisation_is_applied() -> None:
    """The notebook defined it and forgot it: a pixel of ImageNet's mean must become zero."""
    mean = np.round(np.array(IMAGENET_MEAN) * 255).astype(np.uint8)
    pixels = np.broadcast_to(mean, (2, 8, 8, 3))
    assert to_input(pixels, MODELS["resnet50"]).abs().max() < 0.01
    white = to_input(np.full((1, 4, 4, 3), 255, np.uint8), MODELS["resnet50"])
    expected = (1 - torch.tensor(IMAGENET_MEAN)) / torch.tensor(IMAGENET_STD)
    assert torch.allclose(white[0, :, 0, 0], expected)


def test_rgb_stays_rgb_and_grey_has_one_channel() -> None:
    """The notebook gave ResNet-50 a grey picture three times; here the channels stay apart."""
    pixels = np.zeros((1, 4, 6, 3), np.uint8)
    pixels[..., 0] = 255
    red = to_input(pixels, MODELS["resnet50"])
    assert red.shape == (1, 3, 4, 6)
    assert red[0, 0].min() > red[0, 1].max()
    assert to_input(np.zeros((5, 4, 6), np.uint8), MODELS["cnn"]).shape == (5, 1, 4, 6)


def test_the_input_does_not_share_memory_with_the_cache() -> None:
    """The mapped pixels are read-only and must never be written through a tensor."""
    pixels = np.zeros((1, 4, 4), np.uint8)
    pixels.setflags(write=False)
    to_input(pixels, MODELS["cnn"]).add_(1)
    assert pixels.max() == 0


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return random pictures."""
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("shape", [(64, 32, 32), (64, 24, 40, 3)])
@pytest.mark.parametrize("names", [(), *((name,) for name in AUGMENTATIONS), tuple(AUGMENTATIONS)])
def test_augmentation_keeps_shape_and_range(shape: tuple[int, ...], names: tuple) -> None:
    """Whatever is chosen, values stay between black and white."""
    varied = augment(noise(shape), names, draw(shape[0]))
    channels = 3 if len(shape) == 4 else 1
    assert varied.shape == (shape[0], channels, *shape[1:3])
    assert varied.min() >= -1e-5
    assert varied.max() <= 1 + 1e-5


def test_nothing_chosen_changes_nothing() -> None:
    """An empty list is no augmentation."""
    pixels = noise((5, 16, 16, 3))
    assert torch.equal(augment(pixels, (), draw(5)), to_floats(pixels))


def test_flips_and_quarter_turns_reach_all_eight_symmetries_exactly() -> None:
    """Whole pixels are moved, none is resampled, and each of the eight is equally likely."""
    pixels = np.repeat(noise((1, 16, 16)), 400, axis=0)
    varied = augment(pixels, ("flips", "quarter-turns"), draw(400, torch.Generator()))
    known = {
        np.rot90(flipped, turns).tobytes()
        for flipped in (pixels[0], pixels[0].T)
        for turns in range(4)
    }
    seen = [one.mul(255).round().byte().numpy().tobytes() for one in varied]
    assert set(seen) == known
    assert min(map(seen.count, known)) > 20


def test_a_picture_that_is_not_square_turns_half_way_only() -> None:
    """A quarter turn would need another shape or stretch the cells."""
    pixels = noise((40, 8, 12))
    varied = augment(pixels, ("quarter-turns",), draw(40))
    for before, after in zip(to_floats(pixels), varied, strict=True):
        assert torch.equal(after, before) or torch.equal(after, before.rot90(2, (1, 2)))


@pytest.mark.parametrize("names", [("rotation",), ("crop",), ("rotation", "crop")])
def test_half_of_the_pictures_keep_their_pixels_exactly(names: tuple[str, ...]) -> None:
    """Resampling softens: a model that sees no sharp picture in training fails on all others."""
    pixels = noise((64, 32, 32))
    varied = augment(pixels, names, draw(64))
    same = (varied == to_floats(pixels)).flatten(1).all(dim=1)
    assert same.sum() == 32


def test_rotation_turns_without_stretching() -> None:
    """A disc in a picture that is not square stays the disc it was."""
    rows, columns = np.mgrid[:60, :100]
    disc = np.where((rows - 29.5) ** 2 + (columns - 49.5) ** 2 < 20**2, 255, 0).astype(np.uint8)
    varied = augment(np.repeat(disc[None], 8, axis=0), ("rotation",), draw(8))
    assert (varied - to_floats(disc[None])).abs().mean() < 0.01


def test_the_grid_is_the_one_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own arithmetic for rotation and crop asks for the same places as ``F.affine_grid``."""
    asked = {}
    true_sample = F.grid_sample

    def sample(floats: torch.Tensor, grid: torch.Tensor, **options: object) -> torch.Tensor:
        asked["grid"] = grid
        return true_sample(floats, grid, **options)

    monkeypatch.setattr(F, "grid_sample", sample)
    draws = draw(8, torch.Generator().manual_seed(0))
    augment(noise((8, 20, 30)), ("rotation", "crop"), draws)
    own = draws.of(draws.resampled.nonzero().flatten())
    side, angle = own.crops[:, 0], own.angles
    shift = own.crops[:, 1:] * (1 - side).unsqueeze(1)
    across = torch.stack([side * angle.cos(), -side * angle.sin() * 20 / 30, shift[:, 0]], 1)
    down = torch.stack([side * angle.sin() * 30 / 20, side * angle.cos(), shift[:, 1]], 1)
    matrix = torch.stack([across, down], 1)
    expected = F.affine_grid(matrix, [len(side), 1, 20, 30], align_corners=False)
    assert torch.allclose(asked["grid"], expected, atol=1e-6)


def test_the_stain_matrix_is_the_one_of_scikit_image() -> None:
    """Its published optical densities; their inverse was printed with them."""
    assert torch.allclose(RGB_FROM_HED @ HED_FROM_RGB, torch.eye(3), atol=1e-5)
    assert RGB_FROM_HED.tolist()[0] == pytest.approx([0.65, 0.70, 0.29])


def test_stain_changes_each_dye_by_its_own_factor() -> None:
    """A picture of pure haematoxylin with twice the dye is the square of what it was."""
    drawn = draw(1)
    stains = torch.tensor([[2.0, 1.0, 1.0, 0.0, 0.0, 0.0]])
    density = torch.tensor([0.65, 0.70, 0.29]) * 0.8
    pixels = (torch.exp(-density) * 255).round().byte().view(1, 1, 1, 3).numpy()
    varied = augment(pixels, ("stain",), drawn._replace(stains=stains))
    assert torch.allclose(varied.flatten(), torch.exp(-2 * density), atol=0.01)


def test_no_change_of_stain_is_no_change_at_all() -> None:
    """Factor one, nothing added: grey and colour stay what they were."""
    stains = torch.tensor([[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]]).repeat(3, 1)
    for shape in ((3, 8, 8), (3, 8, 8, 3)):
        pixels = noise(shape).clip(1, 255)
        varied = augment(pixels, ("stain",), draw(3)._replace(stains=stains))
        assert torch.allclose(varied, to_floats(pixels), atol=1e-5)


def test_augmentation_depends_on_its_draws_alone() -> None:
    """The same seed gives the same pictures: a resumed run goes on as it would have."""
    pixels = noise((4, 16, 16))
    first, second = (
        augment(pixels, tuple(AUGMENTATIONS), draw(4, torch.Generator().manual_seed(3)))
        for _ in range(2)
    )
    assert torch.equal(first, second)
