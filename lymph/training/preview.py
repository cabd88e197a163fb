"""What training will see: pictures varied as the chosen ways vary them."""

from collections.abc import Sequence

import numpy as np

from lymph.models.specs import MODELS
from lymph.models.view import pack, view


def vary(
    picture: np.ndarray,
    model: str,
    names: Sequence[str],
    count: int = 4,
    seed: int = 0,
    tiles: int | None = None,
) -> list[np.ndarray]:
    """Return a picture as the model sees it, then ``count`` variations of it.

    Of a model that sees tiles of ``tiles`` pixels it is the picture's middle tile.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
    model : str
        Whose working size and colours are shown.
    names : sequence of str
        Ways of :data:`lymph.models.augmentations.AUGMENTATIONS`.

    Returns
    -------
    list of ndarray of uint8, shape (height, width, 3)
    """
    # Loaded late: pages import this module and only a shown preview needs torch.
    import torch

    from lymph.models.inputs import augment, draw, to_floats

    spec = MODELS[model].in_tiles(tiles) if tiles else MODELS[model]
    seen = pack(view(picture, spec), spec)
    small = seen[len(seen) // 2]
    draws = draw(count, torch.Generator().manual_seed(seed))
    varied = augment(np.repeat(small[None], count, axis=0), names, draws)
    both = torch.cat([to_floats(small[None]), varied])
    pixels = both.mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return [np.repeat(one, 3, axis=2) if spec.grey else one for one in pixels]
