"""A training killed at random moments equals one that was let alone: ``python -m bench.kills``.

The same run is trained twice. The second one's process is killed as ``kill -9`` does, twenty times
by default: while it starts and loads what it needs, in mid-epoch, between epochs, while files are
written, and when the results are. Each time it is resumed. In the end every number of checkpoints,
curves and predictions has to be the first one's, bit for bit; only the seconds are their own.
"""

import argparse
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from bench.many_runs import draw_set
from bench.running import wait_until
from lymph.data.source import PictureSource
from lymph.runs import Run, create_run, resume_run, start_run
from lymph.splits import split_by_patient
from lymph.training.config import TrainConfig

EPOCHS = 300
# Of the kills so many come while the process starts, within these seconds from its first word.
STARTING_SHARE, STARTING_SECONDS = 0.25, 4.0
# After an epoch has ended the kill comes within this; an epoch is shorter.
SOON_SECONDS = 0.3


def equal(left: Any, right: Any) -> bool:
    """Compare what two checkpoints hold, number by number."""
    if isinstance(left, torch.Tensor):
        return torch.equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return left == right


def differences(first: Path, second: Path) -> Iterator[str]:
    """Name the files of two run folders that differ in more than the seconds."""
    for name in ("last.pt", "best.pt"):
        kept = [torch.load(run / name, weights_only=True) for run in (first, second)]
        for checkpoint in kept:
            checkpoint.pop("spent", None)
            for row in checkpoint.get("history", []):
                row.pop("seconds")
        if not equal(*kept):
            yield name
    if (first / "predictions.csv").read_bytes() != (second / "predictions.csv").read_bytes():
        yield "predictions.csv"
    curves = [pd.read_csv(run / "metrics.csv").drop(columns="seconds") for run in (first, second)]
    if not curves[0].equals(curves[1]):
        yield "metrics.csv"


def moments(count: int, epochs: int, chance: random.Random) -> list[tuple[int | None, float]]:
    """Draw when to kill: after an epoch, or None for the start, and so many seconds later.

    The last one comes after the last epoch, while the results are computed and written.
    """
    starting = round(STARTING_SHARE * count)
    after: list[int | None] = [*sorted(chance.sample(range(epochs), count - starting - 1)), epochs]
    for _ in range(starting):
        after.insert(chance.randrange(len(after)), None)
    longest = [STARTING_SECONDS if one is None else SOON_SECONDS for one in after]
    return [(one, chance.uniform(0.0, most)) for one, most in zip(after, longest, strict=True)]


def kill(run: Run, after: int | None, seconds: float) -> str:
    """Kill the process of a run that was started; return in words what it was doing."""
    wait_until(lambda: run.status().pid)
    if after is not None:
        wait_until(lambda: run.status().over or run.status().epoch >= after, every=0.01)
    time.sleep(seconds)
    status = run.status()
    if status.over:
        return f"{status.state} before it could be killed"
    os.kill(status.pid, signal.SIGKILL)
    wait_until(lambda: run.status().over)
    return f"killed when {status.state}, {status.epoch} epochs done"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kills")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["LYMPH_HOME"] = f"{place}/workspace"
        root = draw_set(Path(place) / "set")
        split = split_by_patient(PictureSource(str(root)).usable())
        config = TrainConfig(PictureSource(str(root)), epochs=options.epochs, batch_size=4)
        whole, killed = create_run(config, split), create_run(config, split)
        start_run(whole)
        wait_until(lambda: whole.status().over)
        assert whole.status().state == "finished", whole.log()
        chance = random.Random(options.seed)
        for number, moment in enumerate(moments(options.kills, options.epochs, chance), start=1):
            (resume_run if number > 1 else start_run)(killed)
            print(f"{number:3}: {kill(killed, *moment)}", flush=True)
        resume_run(killed)
        wait_until(lambda: killed.status().over)
        assert killed.status().state == "finished", killed.log()
        wrong = list(differences(whole.path, killed.path))
    print("Equal, bit for bit." if not wrong else f"These files differ: {', '.join(wrong)}.")


if __name__ == "__main__":
    main()
