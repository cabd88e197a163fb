"""The trained model as files that need torch, numpy and Pillow, but not lymph."""

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from lymph import workspace
from lymph.data.sources import is_synthetic
from lymph.errors import RunError
from lymph.evaluation import confidence_of, report
from lymph.models.specs import ModelSpec
from lymph.reports.tables import base_text
from lymph.runs import Run
from lymph.training.folder import OOD

SCRIPT = '''"""Ask the model about a picture: python classify_picture.py PICTURE

Needs torch, numpy and Pillow. For learning only: this is not a medical device. What the model
learned from and what its confidence is worth goes to standard error.
"""

import json
import math
import sys
from pathlib import Path

from PIL import Image, ImageOps

picture = Image.open(sys.argv[1])
# Pillow tells deep grey by its mode, deep colours only by the way it unpacks them.
unpacked = picture.mode + "".join(str(tile[3]) for tile in picture.tile)
if picture.mode[0] in "IF" or any(f";16{order}" in unpacked for order in "BLN"):
    sys.exit(
        "This picture has more than 8 bits per channel, which Pillow alone does not scale as in"
        " training: save it with 8 bits, or ask `python -m lymph classify`."
    )

# Only now: torch takes seconds to import.
import numpy as np
import torch

folder = Path(__file__).parent
about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
model = torch.export.load(folder / "model.pt2").module()

picture = ImageOps.exif_transpose(picture).convert("RGB")
if not about["tiles"]:
    picture = picture.convert(about["mode"])
height, width = about["size"]
if about["scale"]:
    if 0 < about["largest"] < picture.height * picture.width:
        factor = math.sqrt(about["largest"] / (picture.height * picture.width))
        small = (max(1, round(side * factor)) for side in picture.size)
        picture = picture.resize(tuple(small), Image.Resampling.BILINEAR, reducing_gap=2.0)
    pixels = picture.height * picture.width
    factor = min(about["scale"], math.sqrt(height * width / pixels))
    least = 32
    if about["tiles"]:
        most = math.sqrt(about["most_pixels"] / pixels)
        enough = math.sqrt(about["tiled_pixels"] / pixels)
        factor = min(about["scale"], max(min(1.0, most), enough))
        if about["squares"]:  # a small picture is enlarged until it has a tile
            least = about["tiles"]
            room = about["most_pixels"] / (least * max(picture.size))
            factor = max(factor, min(least / min(picture.size), room))
    height, width = (max(least, round(side * factor)) for side in (picture.height, picture.width))
picture = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
seen = np.array(picture).reshape(height, width, -1)


def grid_of(side):
    rows, columns = -(-height // side), -(-width // side)
    while rows * columns > max(1, about["most_in_tiles"] // side**2):
        if columns > 1 and (rows == 1 or columns * height >= rows * width):
            columns -= 1
        else:
            rows -= 1
    return rows, columns


def starts(length, side, count):
    last = max(0, length - side)
    if count == 1:
        return [last // 2]
    return [round(place * last / (count - 1)) for place in range(count)]


def is_blank(tile):
    glass = (tile.min(axis=-1) > about["glass"]).mean()
    return glass >= about["blank_share"] or tile.mean(axis=-1).std() < about["flat"]


parts = [seen]
if about["tiles"]:
    side = about["tiles"]
    rows, columns = grid_of(side)
    tiles = [
        seen[row : row + side, column : column + side]
        for row in starts(height, side, rows)
        for column in starts(width, side, columns)
    ]
    parts = [tile for tile in tiles if not is_blank(tile)]
    words = f"Answered by the mean over {len(parts)} of {len(tiles)} tiles; the others are blank."
    if not parts:
        words = "None of its tiles shows tissue, so it was classified as a whole."
        most = math.prod(about["size"])
        factor = min(1.0, math.sqrt(most / (height * width)))
        size = [max(32, round(side * factor)) for side in (width, height)]
        if about["squares"]:
            picture, size = picture.convert(about["mode"]), about["size"][::-1]
        small = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        parts = [np.array(small)]
    parts = [np.array(Image.fromarray(part).convert(about["mode"])) for part in parts]
    parts = [part.reshape(*part.shape[:2], -1) for part in parts]
    print(words, file=sys.stderr)
told = []
for part in parts:
    values = torch.from_numpy(part.copy()).float().div(255)
    values = (values - torch.tensor(about["mean"])) / torch.tensor(about["std"])
    with torch.no_grad():
        told.append(model(values.permute(2, 0, 1)[None]))
logits = torch.cat(told)
if len(parts) > 1:  # the mean over the tiles' probabilities
    logits = logits.double().softmax(dim=1).mean(dim=0, keepdim=True).clamp(min=1e-30).log()
probabilities = (logits / about["temperature"]).softmax(dim=1)[0]
print(*about["with_care"], sep="\\n", file=sys.stderr)
print(json.dumps(dict(zip(about["classes"], probabilities.tolist()))))
'''


def export_model(run: Run, set_name: str = "test") -> bytes:
    """Pack a run's best model with a few lines that load it without lymph.

    Parameters
    ----------
    run : Run
        A finished run of one split.
    set_name : str
        The set whose figures go with the model, with their intervals and warnings.

    Returns
    -------
    bytes
        A zip of ``model.pt2`` (torch.export, any batch size), ``model.json`` (classes, input,
        temperature, what it learned from, figures) and ``classify_picture.py``.

    Raises
    ------
    RunError
        When the run is a cross-validation: it has no one model.
    """
    if run.split().folds is not None:
        raise RunError(
            "A cross-validation has one model a fold and none to keep: train one split instead."
        )
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        # Packing takes seconds and makes numbers hardly smaller.
        archive.writestr("model.pt2", _program(run), zipfile.ZIP_STORED)
        about = json.dumps(_about(run, set_name), indent=2, ensure_ascii=False)
        archive.writestr("model.json", about)
        archive.writestr("classify_picture.py", SCRIPT)
    return memory.getvalue()


def _program(run: Run) -> bytes:
    # Loaded late: torch takes seconds to import, and pages import this module.
    import torch

    from lymph.training.checkpoint import load_model

    model, config = load_model(run.path)
    spec = config.spec
    # An example of one picture would fix the batch at one.
    example = torch.zeros(2, 1 if spec.grey else 3, *spec.size)
    free = {0: torch.export.Dim("batch", min=1)}
    if spec.frozen:
        free |= {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    program = torch.export.export(model, (example,), dynamic_shapes=(free,))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.pt2"
        torch.export.save(program, file)
        return file.read_bytes()


def _about(run: Run, set_name: str) -> dict[str, Any]:
    from lymph.inference.provenance import caution_words, learned_from
    from lymph.models import inputs

    drawn = is_synthetic(run.config.data)
    spec, figures = run.config.spec, report(run.predictions(), set_name, drawn)
    mean, std = inputs.mean_and_std(spec)
    kept = workspace.read_json_or(run.path / OOD, {})
    confidence, origin = confidence_of(run.predictions()), learned_from(run)
    return {
        "classes": run.classes,
        "size": list(spec.size),
        "scale": spec.scale,
        **_tiling(spec),
        "largest": int(kept.get("largest", 0)),
        "mode": "L" if spec.grey else "RGB",
        "mean": list(mean),
        "std": list(std),
        "model": spec.title,
        "temperature": confidence.temperature,
        "confidence_stated": confidence.stated,
        "learned_from": origin,
        "with_care": [*caution_words(origin), confidence.words],
        "judged_on": base_text(run, figures),
        "warnings": figures["warnings"],
        "accuracy_per_picture": figures["pictures"]["accuracy"],
        "interval_per_picture": figures["pictures"]["interval"],
        "accuracy_per_patient": figures["patients"]["accuracy"],
        "interval_per_patient": figures["patients"]["interval"],
        "interval_method_per_picture": figures["pictures"]["interval_method"],
        "interval_method_per_patient": figures["patients"]["interval_method"],
        "stated_per_picture": figures["pictures"]["stated"]["words"],
        "stated_per_patient": figures["patients"]["stated"]["words"],
    }


def _tiling(spec: ModelSpec) -> dict[str, Any]:
    """Say by what a picture is cut into tiles, and which are left out; ``tiles`` is 0 if not."""
    from lymph.models import grid, view

    return {
        "tiles": spec.tiles,
        "squares": bool(spec.tiles) and not spec.frozen,
        "tiled_pixels": view.TILED_PIXELS,
        "most_pixels": view.MOST_TILED_PIXELS,
        "most_in_tiles": grid.MOST_PIXELS,
        "blank_share": grid.BLANK_SHARE,
        "glass": grid.GLASS,
        "flat": grid.FLAT,
    }
