"""Why a model said so, for the report: where it looked, tile by tile, and what it sees inside."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lymph.charts import percent, whole_percent
from lymph.data.depth import read_of
from lymph.errors import LymphError
from lymph.evaluation import in_order
from lymph.explain import heat_overlay, tile_overlay
from lymph.facts import class_colours
from lymph.reports.pictures import address_of, paragraph
from lymph.runs import Run

if TYPE_CHECKING:
    from lymph.inference.classify import Classifier

# A picture takes about a second; its tiles, of which a large one has a hundred, several.
EXPLAINED = 8
MOST_OF_A_PATIENT = 2
TILED = 2
WIDTH = 420

HEAT_TOLD = (
    "Yellow: what raised the class it was called most (Grad-CAM). It shows where the model looked,"
    " not whether it was right. The last pictures are shown tile by tile too, in the colour of the"
    " class that each place says."
)


def reasons_html(run: Run, pictures: pd.DataFrame) -> str:
    """Explain the worst mistakes, then the surest right answers, as HTML.

    Parameters
    ----------
    run : Run
        A finished run; a cross-validation keeps no model that could be asked, and it says so.
    pictures : DataFrame
        Prediction rows of a set.
    """
    # Loaded late: torch stands behind it.
    from lymph.inference.classify import load_classifier

    try:
        classifier = load_classifier(run)
    except LymphError as error:
        return paragraph(str(error), "quiet")
    root = Path(run.config.data)
    ordered = pd.concat([in_order(pictures, "worst"), in_order(pictures, "certain")])
    ordered = ordered.drop_duplicates("picture")
    # One patient's many mistakes would crowd out all others.
    few = ordered.groupby("patient").cumcount() < MOST_OF_A_PATIENT
    rows = pd.concat([ordered[few], ordered[~few]]).to_dict("records")
    there = [row for row in rows if (root / row["picture"]).is_file()][:EXPLAINED]
    if not there:
        return paragraph("None of the pictures is in its folder any more.", "quiet")
    drawn, inside = [], ""
    for place, row in enumerate(there):
        try:
            pixels = read_of(root, row["picture"])
        except LymphError as error:
            drawn.append(paragraph(f"{row['picture']}: {error}", "quiet"))
            continue
        drawn.append(_row(classifier, row, pixels, tiled=place >= len(there) - TILED))
        inside = inside or _inside(run, classifier, row["picture"], pixels)
    return paragraph(HEAT_TOLD, "quiet") + "".join(drawn) + inside


def _row(classifier: "Classifier", row: dict, pixels: np.ndarray, tiled: bool) -> str:
    """Draw a picture beside its explanations."""
    from lymph.explain.gradcam import grad_cam

    said = row["predicted"]
    place = classifier.classes.index(said)
    heat = grad_cam(classifier.model, classifier.spec, pixels, place, classifier.largest)
    shown = [("the picture", pixels), (f"what speaks for {said}", heat_overlay(pixels, heat))]
    if tiled:
        colours = class_colours(classifier.classes)
        view = classifier.view_tiles(pixels)
        if view.tiles:
            drawn = tile_overlay(pixels, view, [colours[name] for name in classifier.classes])
            shares = zip(classifier.classes, view.shares, strict=True)
            won = ", ".join(f"{name} {whole_percent(share)}" for name, share in shares)
            shown.append((f"{view.tiles} tiles, won by {won}", drawn))
    mark = "✓" if row["label"] == said else "✗"
    words = f"{mark} {row['picture']}, patient {row['patient']}: is {row['label']}, called {said}"
    return (
        paragraph(f"{words} ({percent(row['p_' + said])})")
        + f'<div class="reasons">{"".join(_figure(title, drawn) for title, drawn in shown)}</div>'
    )


def _figure(title: str, pixels: np.ndarray) -> str:
    told = html.escape(title)
    return f'<figure><img src="{address_of(pixels, WIDTH)}" alt="{told}">{told}</figure>'


def _inside(run: Run, classifier: "Classifier", name: str, pixels: np.ndarray) -> str:
    """Draw the small CNN's first filters and what its layers make of a picture."""
    if run.config.model != "cnn":
        return ""
    from lymph.explain.layers import activations, first_filters, mosaic

    filters = first_filters(classifier.model).mean(axis=1)
    layers = activations(classifier.model, classifier.spec, pixels)
    parts: Sequence[tuple[str, np.ndarray]] = [
        (f"The {len(filters)} filters of the first layer", mosaic(filters, side=48)),
        *((f"{layer.name}, of {name}", mosaic(layer.maps[:24])) for layer in layers),
    ]
    grey = "".join(_figure(title, np.repeat(m[..., None], 3, axis=-1)) for title, m in parts)
    return f'<h3>What the small CNN sees inside</h3><div class="reasons">{grey}</div>'
