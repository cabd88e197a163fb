"""Why a model said so: Grad-CAM, tiles, the map of hidden features, filters and activations.

What is imported here needs no torch; ``lymph.explain.gradcam`` and ``lymph.explain.layers`` do.
"""

from lymph.explain.embedding import (
    Embedding,
    NeighbourRates,
    nearest_pictures,
    neighbour_rates,
    project,
    run_features,
)
from lymph.explain.overlay import (
    heat_layer,
    heat_overlay,
    laid_over,
    tile_layer,
    tile_overlay,
)
from lymph.explain.tiles import TileView, tile_boxes, view_tiles

__all__ = [
    "Embedding",
    "NeighbourRates",
    "TileView",
    "heat_layer",
    "heat_overlay",
    "laid_over",
    "nearest_pictures",
    "neighbour_rates",
    "project",
    "run_features",
    "tile_boxes",
    "tile_layer",
    "tile_overlay",
    "view_tiles",
]
