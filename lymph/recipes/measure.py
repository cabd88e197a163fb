"""Measuring one cell: a recipe learns every fold but one and names the pictures of that one."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from lymph import workspace
from lymph.data.scan import classes_of
from lymph.jobs.status import Status, write_status
from lymph.leak.linear_features import colour_features
from lymph.parallel import Progress
from lymph.predictions import make_predictions, read_predictions
from lymph.runs import filled_in
from lymph.splits import Split
from lymph.training import folder as files
from lymph.training.config import TrainConfig


def learn_colours(
    root: Path, table: pd.DataFrame, folds: Split, progress: Progress | None = None
) -> pd.DataFrame:
    """Learn from 18 colour statistics of each picture, as the leak meter does.

    Parameters
    ----------
    root : Path
        Data root.
    table : DataFrame
        Picture table, sound pictures only.
    folds : Split
    progress : callable, optional
        Called with the pictures measured and the pictures to measure.

    Returns
    -------
    DataFrame
        Prediction table, out of fold.
    """
    features = colour_features(root, table, progress)
    homes, labels = folds.assign(table).to_numpy(str), table["label"].to_numpy(str)
    classes = classes_of(table)
    values = np.zeros((len(table), len(classes)))
    # Threads that wait for each other cost such small fits more than they save.
    with threadpool_limits(1):
        for home in np.unique(homes):
            test = homes == home
            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))
            values[test] = model.fit(features[~test], labels[~test]).predict_proba(features[test])
    rows = table.assign(set="test", fold=[home.removeprefix("fold ") for home in homes])
    return make_predictions(rows, values, classes)


def train_folds(config: TrainConfig, folds: Split, table: pd.DataFrame, home: Path) -> pd.DataFrame:
    """Train a recipe on every fold, or go on with that, and return the predictions out of fold.

    Parameters
    ----------
    config : TrainConfig
    folds : Split
    table : DataFrame
        Picture table, sound pictures only.
    home : Path
        Holds what is trained, as a run's folder; a file ``stop`` in it ends the training.

    Raises
    ------
    LymphError
        When the pictures or the values cannot be used.
    Stopped
        When it was ended; asked again it goes on with the fold at hand.
    """
    # Loaded late: torch takes seconds to import.
    from lymph.training.crossval import cross_validate

    home.mkdir(parents=True, exist_ok=True)
    (home / files.STOP).unlink(missing_ok=True)
    if (home / files.CONFIG).exists():
        config = TrainConfig.load(home / files.CONFIG)
    else:
        config = filled_in(config, config.source, table)
        workspace.write_json(home / files.CONFIG, config.to_json())
    count = len(folds.folds or [])
    write_status(home, Status("running", epochs=config.epochs * count, folds=count))
    cross_validate(home, config, folds)
    return read_predictions(home / files.PREDICTIONS)
