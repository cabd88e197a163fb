"""Why a model said so, for the report: where it looked, tile by tile, and what it sees inside."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup

from lymph.charts import percent, whole_percent
from lymph.data.depth import read_of
from lymph.errors import LymphError
from lymph.evaluation import in_order
from lymph.explain import heat_overlay, tile_overlay
from lymph.facts import class_colours
from lymph.reports.pictures import address_of
from lymph.reports.writing import write
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


# Pictures as addresses, each with its title.
Shown = list[tuple[str, str]]


class Reason(NamedTuple):
    """What a picture is and is called, beside what explains it; nothing where it is not there."""

    words: str
    shown: Shown


def reasons_html(run: Run, pictures: pd.DataFrame) -> Markup:
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
        return _written(str(error))
    root = Path(run.config.data)
    ordered = pd.concat([in_order(pictures, "worst"), in_order(pictures, "certain")])
    ordered = ordered.drop_duplicates("picture")
    # One patient's many mistakes would crowd out all others.
    few = ordered.groupby("patient").cumcount() < MOST_OF_A_PATIENT
    rows = pd.concat([ordered[few], ordered[~few]]).to_dict("records")
    there = [row for row in rows if (root / row["picture"]).is_file()][:EXPLAINED]
    if not there:
        return _written("None of the pictures is in its folder any more.")
    drawn: list[Reason] = []
    inside: Shown = []
    for place, row in enumerate(there):
        try:
            pixels = read_of(root, row["picture"])
        except LymphError as error:
            drawn.append(Reason(f"{row['picture']}: {error}", []))
            continue
        drawn.append(_row(classifier, row, pixels, tiled=place >= len(there) - TILED))
        inside = inside or _inside(run, classifier, row["picture"], pixels)
    return _written(HEAT_TOLD, drawn, inside)


def _written(told: str, reasons: Sequence[Reason] = (), inside: Sequence = ()) -> Markup:
    return write("reasons.html", told=told, reasons=reasons, inside=inside)


def _row(classifier: "Classifier", row: dict, pixels: np.ndarray, tiled: bool) -> Reason:
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
    return Reason(f"{words} ({percent(row['p_' + said])})", _addressed(shown))


def _addressed(titled: Sequence[tuple[str, np.ndarray]]) -> Shown:
    return [(title, address_of(pixels, WIDTH)) for title, pixels in titled]


def _inside(run: Run, classifier: "Classifier", name: str, pixels: np.ndarray) -> Shown:
    """Draw the small CNN's first filters and what its layers make of a picture."""
    if run.config.model != "cnn":
        return []
    from lymph.explain.layers import activations, first_filters, mosaic

    filters = first_filters(classifier.model).mean(axis=1)
    layers = activations(classifier.model, classifier.spec, pixels)
    parts: Sequence[tuple[str, np.ndarray]] = [
        (f"The {len(filters)} filters of the first layer", mosaic(filters, side=48)),
        *((f"{layer.name}, of {name}", mosaic(layer.maps[:24])) for layer in layers),
    ]
    return _addressed([(title, np.repeat(m[..., None], 3, axis=-1)) for title, m in parts])
