"""How long a run will take, before it starts."""

import math

import pandas as pd

from lymph.errors import LymphError
from lymph.models.encoder_files import describe
from lymph.models.encoder_table import DEFAULT
from lymph.models.specs import MODELS
from lymph.models.store import unseen
from lymph.models.view import count_tiles, work_of
from lymph.splits import Split, fold_sets
from lymph.training import speed
from lymph.training.config import TrainConfig
from lymph.training.older import LINEAR_PROBE
from lymph.training.phases import Phase, plan_phases
from lymph.training.speed import Precision

# Starting Python and torch, and reading pixels that are already cached.
START_SECONDS = 6.0
# Of a picture's time in the whole network at its usual size: before the last block, and a step of
# the last block, per pixel.
STEM_SHARE = 0.8
BLOCK_SHARE = 0.1
# So much longer it computes in float32 where bfloat16 is what is fastest.
FLOAT32 = 2.0
# Choosing the regularisation of the head that comes first.
FIT_SECONDS = 3.0
# A further fold: building the network and loading its values.
LOAD_SECONDS = 1.0
# An epoch of the head on ready features.
HEAD_EPOCH_SECONDS = 0.05
# Choosing the regularisation of a head on tiles, a tile, of as many as it is chosen on at most; on
# one thread of an EPYC core, which takes a picture through ResNet-50's encoder in so many seconds.
TILE_SECONDS = 1.2e-3
TILE_MACHINE_SECONDS = 0.4
MOST_TILES = 24_000
# An encoder takes so much longer for tiles than for as many pixels in one piece.
TILED = 1.15
# What is offered first ends before this.
TEN_MINUTES = 600.0


def estimate_seconds(
    config: TrainConfig, split: Split, table: pd.DataFrame, seen: bool = False
) -> float | None:
    """Estimate the seconds of a run, or of all its folds, from the measured speed of this machine.

    Answers at once: None before :func:`lymph.training.speed.start_measuring` has measured.

    Parameters
    ----------
    config : TrainConfig
    split : Split
        With sets or with folds.
    table : DataFrame
        Picture table, sound pictures only.
    seen : bool
        Whether the encoder of a frozen model will have seen all pictures before.
    """
    measured = speed.known(config.speed_name)
    if measured is None:
        return None
    if MODELS[config.model].frozen:
        each = 0.0 if seen else measured.eval_seconds
        return START_SECONDS + _probe_seconds(config, each, split, table)
    sets = [split] if split.folds is None else _all_folds(split, table)
    if config.tunes_last_block:
        return START_SECONDS + _last_block_seconds(config, measured, sets, table)
    measured = _of_tiles(config, measured, table)
    seconds = START_SECONDS
    frozen = all(phase.name == LINEAR_PROBE for phase in plan_phases(config))
    if frozen:
        # One pass through the frozen backbone serves every fold and the predictions.
        seconds += len(table) * measured.eval_seconds
    for one in sets:
        counts = one.assign(table).value_counts()
        train, val = int(counts.get("train", 0)), int(counts.get("val", 0))
        seconds += LOAD_SECONDS if split.folds else 0.0
        seconds += _train_seconds(config, measured, train, val, frozen)
        seconds += 0.0 if frozen else len(table) * measured.eval_seconds
    return seconds


def _of_tiles(config: TrainConfig, measured: Precision, table: pd.DataFrame) -> Precision:
    """Return the seconds of a picture of which training sees one tile, and all else all of them."""
    spec, usual = config.spec, math.prod(MODELS[config.model].size)
    if not spec.tiles or table.empty:
        return measured
    return measured._replace(
        train_seconds=measured.train_seconds * spec.tiles**2 / usual,
        eval_seconds=measured.eval_seconds * _tiles_each(config, table) * spec.tiles**2 / usual,
    )


def _tiles_each(config: TrainConfig, table: pd.DataFrame) -> float:
    """Return the tiles of a picture, the mean over the table; 1 where pictures are whole."""
    sides = zip(table["height"], table["width"], strict=True)
    counts = [count_tiles(height, width, config.spec) for height, width in sides]
    return sum(counts) / max(1, len(counts))


def _last_block_seconds(
    config: TrainConfig, measured: Precision, sets: list[Split], table: pd.DataFrame
) -> float:
    """Estimate the seconds of what the frozen part makes, once, and of each set's epochs on it."""
    height, width = MODELS[config.model].size
    larger = math.prod(config.spec.size) / (height * width)
    if measured.bfloat16:
        larger *= FLOAT32
    stem, step = (
        share * larger * one
        for share, one in (
            (STEM_SHARE, measured.eval_seconds),
            (BLOCK_SHARE, measured.train_seconds),
        )
    )
    tiles = _tiles_each(config, table)
    seconds = stem * tiles * len(table)
    for one in sets:
        counts = one.assign(table).value_counts()
        train, val = int(counts.get("train", 0)), int(counts.get("val", 0))
        # Forward alone is a third of a step.
        forward = step * tiles * (2 * len(table)) / 3
        seconds += LOAD_SECONDS + forward
        seconds += _choice_seconds(tiles * len(table)) if config.tiles else FIT_SECONDS
        for phase in plan_phases(config):
            if phase.name == "last_block":
                seconds += phase.epochs * step * (train + tiles * val / 3)
    return seconds


def _choice_seconds(tiles: float) -> float:
    """Estimate the seconds in which the head on so many tiles is chosen."""
    return _tile_seconds() * min(MOST_TILES, tiles)


def encoding_seconds(encoder: str, pictures: int = 100) -> float | None:
    """Return the seconds that pictures take in an encoder here; None before that was measured.

    Parameters
    ----------
    encoder : str
        A name of the table of encoders, or a folder or file.
    pictures : int
        Of the largest size at which an encoder sees them.
    """
    try:
        architecture = {} if encoder == DEFAULT else describe(encoder)[1].to_json()
    except LymphError:  # which is said where it is chosen
        return None
    measured = speed.known(speed.name_of("linear-probe", architecture))
    return pictures * measured.eval_seconds if measured else None


def epochs_within(seconds: float | None, epochs: int) -> int:
    """Return how many epochs end within ten minutes, of those that take some seconds; all if so."""
    if seconds is None or seconds < TEN_MINUTES:
        return epochs
    return max(1, int(epochs * 0.9 * TEN_MINUTES / seconds))


def _probe_seconds(
    config: TrainConfig, picture_seconds: float, split: Split, table: pd.DataFrame
) -> float:
    """Estimate the seconds of features that nobody made yet, and of the heads on them."""
    spec = config.spec
    pictures = list(table["picture"])
    # What is kept tells which pictures were seen, not by which encoder: another one begins anew.
    fresh = pictures if config.architecture else unseen(config.data, pictures, spec)
    new = table[table["picture"].isin(fresh)]
    sides = zip(new["height"], new["width"], strict=True)
    largest = spec.size[0] * spec.size[1]
    work = sum(work_of(*both, spec) / largest for both in sides)
    head = LOAD_SECONDS + HEAD_EPOCH_SECONDS * config.epochs
    if spec.tiles:
        every = zip(table["height"], table["width"], strict=True)
        pixels = sum(work_of(*both, spec) for both in every)
        head += _choice_seconds(pixels / spec.tiles**2)
        work *= TILED
    return work * picture_seconds + len(split.folds or [None]) * head


def _tile_seconds() -> float:
    """Return the seconds of a tile in the choice of a head, more on a machine that is slower.

    Never less: where the encoder has a graphics card, the head is still fitted by the processor.
    """
    measured = speed.known(speed.name_of("linear-probe", {}))
    slower = measured.eval_seconds / TILE_MACHINE_SECONDS if measured else 1.0
    return TILE_SECONDS * max(1.0, slower)


def _all_folds(split: Split, table: pd.DataFrame) -> list[Split]:
    return [fold_sets(table, split, fold) for fold in range(len(split.folds or []))]


def _train_seconds(
    config: TrainConfig, measured: Precision, train: int, val: int, frozen: bool
) -> float:
    seconds = 0.0
    for phase in plan_phases(config):
        if phase.name == LINEAR_PROBE:
            features = 0.0 if frozen else (train + val) * measured.eval_seconds
            seconds += features + HEAD_EPOCH_SECONDS * phase.epochs
        else:
            seconds += phase.epochs * (train * measured.train_seconds + val * measured.eval_seconds)
    return seconds


def seconds_left(
    metrics: pd.DataFrame, phases: list[Phase], done: float, epochs: int
) -> float | None:
    """Estimate what is left of a run from the epochs it has finished; None before it is known.

    Parameters
    ----------
    metrics : DataFrame
        Rows of ``metrics.csv``; those of cross-validation are of finished folds.
    phases : list of Phase
    done : float
        Finished epochs with the share of the one at hand, of ``epochs``.
    """
    if metrics.empty:
        return None
    if "fold" in metrics:
        return float(metrics["seconds"].mean()) * (epochs - done)
    seen = metrics.groupby("phase")["seconds"].mean()
    left = 0.0
    for phase in phases:
        ahead = phase.last_epoch - max(done, phase.first_epoch - 1)
        if ahead <= 0:
            continue
        if phase.name not in seen and phase.name != LINEAR_PROBE:
            return None
        left += ahead * float(seen.get(phase.name, HEAD_EPOCH_SECONDS))
    return left
