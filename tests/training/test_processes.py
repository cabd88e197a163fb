"""Several processes train the model that one trains."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from lymph.data.source import PictureSource
from lymph.models.tiles import Tiled
from lymph.splits import split_by_patient
from lymph.training.processes import ALONE, Processes, put_together, share_layers
from tests.waiting import PATIENCE

REPOSITORY = Path(__file__).parents[2]


def train(
    processes: int, home: Path, root: Path, split: Path, *options: str
) -> tuple[pd.DataFrame, Path]:
    """Train with torchrun, or plainly for one process; return the curve and the run folder."""
    run = home / f"run-{processes}"
    start = [sys.executable, "-m"]
    if processes > 1:
        # Without the two dashes torchrun takes --run for an option of its own.
        start += [
            "torch.distributed.run",
            "--standalone",
            f"--nproc-per-node={processes}",
            "-m",
            "--",
        ]
    command = [*start, "lymph", "train", str(root), "--split", str(split), "--run", str(run)]
    done = subprocess.run(
        [*command, "--precision", "float32", *options, "--json"],
        cwd=REPOSITORY,
        # A graphics card draws the dropout of one process and of several in different ways.
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (document,) = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert json.loads(document)["state"] == "finished"
    return pd.read_csv(run / "metrics.csv"), run


def test_two_processes_train_the_model_that_one_does(tiny_root: Path, tmp_path: Path) -> None:
    """Same order, same batches, same dropout, same statistics: the loss curves are one curve.

    Of 18 training pictures in batches of 7 the last one has 4, and each process an uneven part.
    """
    split = tmp_path / "split.json"
    split_by_patient(PictureSource(tiny_root).usable()).save(split)
    options = ("--model", "cnn", "--epochs", "3", "--batch-size", "7", "--class-weights")
    (alone, one), (together, two) = (
        train(count, tmp_path, tiny_root, split, *options) for count in (1, 2)
    )
    columns = ["train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate"]
    pd.testing.assert_frame_equal(alone[columns], together[columns], rtol=1e-3, atol=1e-4)
    left, right = (torch.load(run / "last.pt", weights_only=True)["model"] for run in (one, two))
    assert left.keys() == right.keys()
    for name in left:
        torch.testing.assert_close(left[name], right[name], rtol=1e-2, atol=1e-3)
    predictions = [
        pd.read_csv(run / "predictions.csv").sort_values("picture") for run in (one, two)
    ]
    assert list(predictions[0]["picture"]) == list(predictions[1]["picture"])
    assert json.loads((two / "environment.json").read_text())["processes"] == 2


def test_two_processes_learn_from_the_tiles_that_one_does(tiny_root: Path, tmp_path: Path) -> None:
    """The tiles of an epoch are drawn for all of them; each answers its pictures by all tiles."""
    split = tmp_path / "split.json"
    split_by_patient(PictureSource(tiny_root).usable()).save(split)
    options = ("--model", "cnn", "--tiles", "32", "--epochs", "2", "--batch-size", "7")
    (alone, one), (together, two) = (
        train(count, tmp_path, tiny_root, split, *options) for count in (1, 2)
    )
    columns = ["train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate"]
    pd.testing.assert_frame_equal(alone[columns], together[columns], rtol=1e-3, atol=1e-4)
    said = [pd.read_csv(run / "predictions.csv").sort_values("picture") for run in (one, two)]
    pd.testing.assert_frame_equal(*said, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("world", [1, 2, 3, 7])
def test_what_processes_made_of_tiles_is_put_in_the_order_of_pictures(world: int) -> None:
    """Pictures of one to five tiles, dealt in turns, some to nobody."""
    counts = torch.tensor([1, 5, 2, 3, 1])
    every = Tiled(torch.arange(12.0)[:, None], counts)
    parts = [every[torch.arange(5)[rank::world]] for rank in range(world)]
    whole = put_together(parts)
    assert torch.equal(whole.values, every.values) and torch.equal(whole.counts, counts)
    rows = torch.arange(10.0).reshape(5, 2)
    assert torch.equal(put_together([rows[rank::world] for rank in range(world)]), rows)


@pytest.mark.parametrize("count", [0, 1, 5, 16])
def test_the_shares_of_a_batch_are_the_batch(count: int) -> None:
    """Every picture goes to exactly one process, and the parts differ by at most one."""
    batch = torch.arange(count)
    parts = [Processes(rank, 3).share(batch) for rank in range(3)]
    assert sorted(torch.cat(parts).tolist()) == batch.tolist()
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_one_process_keeps_its_layers_and_its_figures() -> None:
    """Alone nothing is replaced, wrapped or asked of others."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout())
    share_layers(model, ALONE)
    assert [type(layer) for layer in model] == [nn.Conv2d, nn.BatchNorm2d, nn.Dropout]
    assert ALONE.wrap(model) is model
    assert ALONE.broadcast("x") == "x"
    assert ALONE.any(True, torch.device("cpu")) is True
