"""What a run leaves: predictions, the features of its pictures, the check for strange ones."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from lymph import workspace
from lymph.data.depth import read_of
from lymph.data.sources import is_synthetic
from lymph.models.hidden_features import digest, forward_features
from lymph.models.ood import colour_statistics, fit_ood_detector
from lymph.models.tiles import Tiled, TiledFeatures, of_pictures
from lymph.parallel import map_in_threads
from lymph.predictions import make_predictions
from lymph.splits import SET_NAMES
from lymph.training import folder as files
from lymph.training.frozen_features import features_of, first_features
from lymph.training.loop import Evaluation, evaluate
from lymph.training.maps import last_block_features, ready_maps
from lymph.training.run_data import Check, Material, RunData


def predict_all(
    material: Material, loss: nn.CrossEntropyLoss, frozen: bool, check: Check
) -> pd.DataFrame:
    """Return the prediction table of every picture of a run by its model as it stands.

    Parameters
    ----------
    material : Material
    loss : CrossEntropyLoss
    frozen : bool
        Whether the backbone never learned, so that its first features are its last.
    check : callable
        Called now and then; it may raise to end.
    """
    parts = []
    for name in SET_NAMES:
        chosen = material.data.rows(name)
        if len(chosen):
            found = _evaluate(material, name, loss, frozen, check)
            probabilities = torch.softmax(found.logits.double(), dim=1).numpy()
            rows = material.data.table.iloc[chosen].assign(set=name)
            parts.append(make_predictions(rows, probabilities, material.config.classes))
    return pd.concat(parts)


def _evaluate(
    material: Material, name: str, loss: nn.CrossEntropyLoss, frozen: bool, check: Check
) -> Evaluation:
    if frozen:
        features = first_features(material, check)[material.data.rows(name)]
        return evaluate(material.model.head, material.feature_batches(features, name), loss)
    ready = ready_maps(material, check) if material.config.tunes_last_block else None
    if ready is not None:
        features = last_block_features(material, ready[material.data.rows(name)], check)
        return evaluate(material.model.head, material.feature_batches(features, name), loss)
    bfloat16, processes = material.precision.bfloat16, material.processes
    return evaluate(material.model, material.batches(name), loss, bfloat16, processes)


def keep_features_and_check(folder: Path, material: Material, check: Check) -> None:
    """Keep what explanations and answers need: every picture's hidden features and content.

    Half precision is enough for distances, and 20,000 pictures take 80 MB in it. The check for
    strange pictures is fitted on the same features.
    """
    data = material.data
    features = {name: _features_of_set(material, name, check) for name in SET_NAMES}
    rows = np.concatenate([data.rows(name) for name in SET_NAMES])
    seen = data.encoded.digests if data.encoded else contents_of(data)
    digests = np.array(list(seen), str)
    content = {
        "picture": data.table["picture"].to_numpy(str)[rows],
        "digest": digests[rows],
        "features": np.concatenate([f for f in features.values() if len(f)]).astype(np.float16),
    }
    workspace.write_atomically(folder / files.FEATURES, lambda p: np.savez_compressed(p, **content))
    _fit_check(folder, Path(material.config.data), data, features)


def _features_of_set(material: Material, name: str, check: Check) -> np.ndarray:
    if material.data.encoded:
        made = material.data.encoded.of_pictures()[material.data.rows(name)]
        return _standardised(material, made)
    ready = ready_maps(material, check) if material.config.tunes_last_block else None
    if ready is not None:
        made = last_block_features(material, ready[material.data.rows(name)], check)
        return _standardised(material, made)
    # Only the first process explains, so it takes the others' share too.
    batches = replace(material.batches(name), rows=material.data.rows(name))
    made = features_of(material, batches, lambda p: forward_features(material.model, p), check)
    return made.numpy() if made.numel() else np.empty((0, 1), np.float32)


def contents_of(data: RunData) -> Iterator[str]:
    """Yield a name for what the network sees of each picture: the whole of it, or its tiles."""
    for row in range(len(data.pixels)):
        seen = data.pixels[np.array([row])]
        yield digest(seen.values if isinstance(seen, Tiled) else seen)


def _standardised(material: Material, features: Tensor | TiledFeatures) -> np.ndarray:
    """Return features, N x D, on the scales of a probe's head; of tiles their mean."""
    head = material.model.head
    assert isinstance(head, nn.Sequential)
    return head[0](of_pictures(features).to(material.device)).cpu().numpy()


def _fit_check(folder: Path, root: Path, data: RunData, features: dict[str, np.ndarray]) -> None:
    rows, white = data.table.iloc[data.rows("train")], data.white
    read = map_in_threads(
        lambda picture: colour_statistics(read_of(root, picture, white)), list(rows["picture"])
    )
    fitted = fit_ood_detector(
        np.stack(list(read)), rows["patient"].to_numpy(str), features["train"], features["val"]
    )
    # A picture that is to be classified is scaled as these were, and told what they were.
    document = {**fitted.to_json(), "white": white, "drawn": is_synthetic(root)}
    document["largest"] = int((rows["width"] * rows["height"]).max())
    workspace.write_json(folder / files.OOD, document)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV through a temporary name; floats keep every digit."""
    workspace.write_atomically(path, lambda temporary: table.to_csv(temporary, index=False))
