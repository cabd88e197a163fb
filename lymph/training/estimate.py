"""How long a run will take, before it starts."""

import pandas as pd

from lymph.splits import Split
from lymph.training.config import TrainConfig
from lymph.training.phases import plan_phases

# Starting Python and torch, and reading pixels that are already cached.
START_SECONDS = 6.0


def estimate_seconds(config: TrainConfig, split: Split, table: pd.DataFrame) -> float:
    """Estimate the seconds of a run from the measured speed of this machine.

    The first estimate for a model measures for a few seconds; later ones answer at once.

    Parameters
    ----------
    config : TrainConfig
    split : Split
        With sets.
    table : DataFrame
        Picture table, sound pictures only.
    """
    from lymph.training.precision import precision_here

    speed = precision_here(config.model)
    counts = split.assign(table).value_counts()
    train, val = int(counts.get("train", 0)), int(counts.get("val", 0))
    seconds = START_SECONDS + len(table) * speed.eval_seconds
    for phase in plan_phases(config):
        if phase.name == "head":
            seconds += (train + val) * speed.eval_seconds + 0.1 * phase.epochs
        else:
            seconds += phase.epochs * (train * speed.train_seconds + val * speed.eval_seconds)
    return seconds
