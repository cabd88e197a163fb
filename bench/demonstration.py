"""What the demonstration set teaches: the small CNN under patient splits and under random splits.

    python -m bench.demonstration [FOLDER] [--seeds 0 1 2]

Draws the set anew for every seed (or takes the pictures of FOLDER), splits it both ways with the
seed, trains the small CNN with the seed, and prints the accuracy on the test pictures.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from lymph.data.source import PictureSource
from lymph.evaluation import report
from lymph.runs import create_run, train_here
from lymph.splits import split_by_patient, split_by_picture
from lymph.synthetic import make_demo
from lymph.training.config import TrainConfig

SPLITS = {"patient": split_by_patient, "picture": split_by_picture}


def accuracy(folder: Path, by: str, seed: int) -> float:
    """Train the small CNN on one split and return its share of right test pictures."""
    split = SPLITS[by](PictureSource(str(folder)).usable(), seed=seed)
    run = create_run(TrainConfig(PictureSource(str(folder)), seed=seed), split)
    status = train_here(run)
    if status.state != "finished":
        raise SystemExit(f"The run {run.path} is {status.state}: {status.error}")
    return report(run.predictions())["pictures"]["accuracy"]


def measure(folder: Path | None, seeds: list[int], place: Path) -> list[dict[str, Any]]:
    """Return one row a seed: seconds of drawing and both accuracies."""
    rows = []
    for seed in seeds:
        start = time.perf_counter()
        data = folder or make_demo(place / f"demonstration-{seed}", seed)
        row: dict[str, Any] = {"seed": seed, "drawing_seconds": time.perf_counter() - start}
        row |= {by: accuracy(data, by, seed) for by in SPLITS}
        print(json.dumps(row), flush=True)
        rows.append(row)
    return rows


def main() -> None:
    """Measure in a workspace of its own and print the means."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["LYMPH_HOME"] = place
        rows = measure(options.folder, options.seeds, Path(place))
    means = {by: float(np.mean([row[by] for row in rows])) for by in SPLITS}
    gap = 100 * (means["picture"] - means["patient"])
    print(json.dumps({"means": means, "points_more_under_random_splits": gap}))


if __name__ == "__main__":
    main()
