"""One run, from its folder's configuration to its predictions; goes on where it stopped."""

import logging
import math
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import recall_score
from torch import Tensor

from lymph import __version__, workspace
from lymph.data.parallel import map_in_threads
from lymph.data.pixels import load_pixels
from lymph.data.read import read_picture
from lymph.data.scan import scan, usable
from lymph.errors import RunError
from lymph.models.familiarity import colour_statistics, fit_familiarity
from lymph.models.features import digest, hidden_features
from lymph.models.networks import BackboneHead, build_model
from lymph.models.specs import MODELS
from lymph.models.weights import load_backbone
from lymph.predictions import make_predictions, write_predictions
from lymph.splits import SET_NAMES, Split
from lymph.training import folder as files
from lymph.training.class_weights import class_weights
from lymph.training.config import TrainConfig
from lymph.training.dataset import Batches, FeatureBatches
from lymph.training.loop import Evaluation, autocast, evaluate, train_one_epoch
from lymph.training.losses import weighted_loss
from lymph.training.phases import Phase, phase_of, plan_phases, rate_factor
from lymph.training.precision import Precision, precision_here

log = logging.getLogger("lymph")


class Stopped(Exception):
    """The user asked the run to stop."""


@dataclass
class RunData:
    """Table, sets, labels and pixels of a run; row i of each is the same picture."""

    table: pd.DataFrame
    sets: np.ndarray
    labels: np.ndarray
    pixels: np.ndarray

    def rows(self, name: str) -> np.ndarray:
        """Return the rows of a set."""
        return np.flatnonzero(self.sets == name)


def load_run_data(config: TrainConfig, split: Split) -> RunData:
    """Read table and pixels of a run and check that the split fits them.

    Raises
    ------
    LymphError
        When the data are gone or changed, or the training set misses a class.
    """
    csv = Path(config.patients_csv) if config.patients_csv else None
    table = usable(scan(config.data, config.pattern, csv))
    sets = split.assign(table).to_numpy(str)
    unknown = sorted(set(table["label"]) - set(config.classes))
    if unknown:
        raise RunError(f"The run does not know the class {unknown[0]}; start a new run.")
    missing = sorted(set(config.classes) - set(table["label"][sets == "train"]))
    if missing:
        raise RunError(
            f"Class {missing[0]} has no training picture, so it cannot be learnt; change the split."
        )
    index = {name: i for i, name in enumerate(config.classes)}
    labels = table["label"].map(index).to_numpy(np.int64)
    spec = MODELS[config.model]
    pixels = load_pixels(config.data, list(table["picture"]), spec.size, spec.grey)
    return RunData(table, sets, labels, pixels)


class Trainer:
    """A run in progress: model, optimiser, history, and the folder that keeps them.

    Parameters
    ----------
    folder : Path
        Run folder with configuration and split; a checkpoint there is gone on from.
    config : TrainConfig
    split : Split
        With sets.
    outer : Path, optional
        Folder of the cross-validation that this is a fold of: it is told of progress and says
        when to stop. ``done_before`` epochs of it came before this fold.
    """

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        split: Split,
        outer: Path | None = None,
        done_before: int = 0,
    ) -> None:
        self.folder = folder
        self.outer = outer or folder
        self.done_before = done_before
        self.config = config
        self.spec = MODELS[config.model]
        self.phases = plan_phases(config)
        self.data = load_run_data(config, split)
        rows = self.data.table[self.data.sets == "train"]
        self.weights = class_weights(rows, config.class_weights, config.classes)
        self.loss_function = weighted_loss(self.weights)
        self.history: list[dict[str, Any]] = []
        self.best: tuple[float, float] = (-math.inf, -math.inf)
        self.best_epoch = 0
        self.notes: list[str] = []
        self.spent = 0.0
        self.precision = self._prepare_environment()
        torch.manual_seed(config.seed)
        self.model = build_model(config.model, len(config.classes))
        self.optimiser: torch.optim.Optimizer | None = None

    # ---- beginning -----------------------------------------------------------------------------

    def _prepare_environment(self) -> Precision:
        """Choose the number format, or take the one with which the run began."""
        file = self.folder / files.ENVIRONMENT
        if file.exists():
            return Precision(*workspace.read_json(file)["precision"].values())
        precision = precision_here(self.config.model)
        environment = {
            "lymph": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "platform": platform.platform(),
            "threads": torch.get_num_threads(),
            "precision": precision._asdict(),
            "class_weights": self.weights,
        }
        workspace.write_json(file, environment)
        return precision

    def begin(self) -> int:
        """Load the last checkpoint or the first values; return the number of finished epochs."""
        layout = torch.channels_last if self.precision.channels_last else torch.contiguous_format
        last = self.folder / files.LAST
        if last.exists():
            epoch = self._load_checkpoint(last)
        else:
            epoch = 0
            report = load_backbone(self.model, self.config.weights)
            if report:
                self.notes.append(report.sentence)
            elif self.config.model != "cnn":
                self.notes.append("The whole network starts from random values, not ImageNet's.")
        self.model.to(memory_format=layout)
        return epoch

    def _load_checkpoint(self, file: Path) -> int:
        checkpoint = load_checkpoint(file)
        self.model.load_state_dict(checkpoint["model"])
        self.history = checkpoint["history"]
        self.best = tuple(checkpoint["best"])
        self.best_epoch = checkpoint["best_epoch"]
        self.notes = checkpoint["notes"]
        self.spent = checkpoint["spent"]
        epoch = checkpoint["epoch"]
        phase = phase_of(self.phases, epoch)
        if epoch < phase.last_epoch:
            self.optimiser = self._new_optimiser(phase)
            self.optimiser.load_state_dict(checkpoint["optimiser"])
        torch.set_rng_state(checkpoint["random"])
        log.info("Going on after epoch %d.", epoch)
        return epoch

    # ---- training ------------------------------------------------------------------------------

    def train(self) -> None:
        """Train every epoch that is still to do, then predict."""
        done = self.begin()
        for phase in self.phases:
            if done < phase.last_epoch:
                self._train_phase(phase, done)
                done = phase.last_epoch
        self._finish()

    def _new_optimiser(self, phase: Phase) -> torch.optim.Optimizer:
        groups = [{"params": list(self.model.head.parameters()), "peak": phase.head_rate}]
        if phase.name == "whole":
            backbone = list(self.model.backbone.parameters())
            groups.append({"params": backbone, "peak": phase.backbone_rate})
        return torch.optim.AdamW(
            groups, lr=phase.head_rate, weight_decay=self.config.weight_decay, foreach=True
        )

    def _train_phase(self, phase: Phase, done: int) -> None:
        self.model.freeze_backbone(phase.name == "head")
        optimiser = self.optimiser or self._new_optimiser(phase)
        self.optimiser = None
        module, train, val = self._material(phase)
        steps = phase.epochs * len(train)
        for epoch in range(max(done + 1, phase.first_epoch), phase.last_epoch + 1):
            start = time.perf_counter()
            first = (epoch - phase.first_epoch) * len(train)
            before_step = self._before_step(optimiser, first, steps, len(train), epoch)
            bfloat16 = self.precision.bfloat16 and module is self.model
            trained = train_one_epoch(
                module, train, self.loss_function, optimiser, before_step, bfloat16
            )
            validated = evaluate(module, val, self.loss_function, bfloat16)
            row = {
                "epoch": epoch,
                "phase": phase.name,
                "train_loss": trained.loss,
                "train_accuracy": trained.accuracy,
                "val_loss": validated.loss,
                "val_accuracy": validated.accuracy,
                "learning_rate": optimiser.param_groups[0]["lr"],
                "seconds": time.perf_counter() - start,
            }
            self._after_epoch(row, validated, optimiser)

    def _material(self, phase: Phase) -> tuple[torch.nn.Module, Any, Any]:
        """Return what learns and its batches; a frozen backbone runs once for the whole phase."""
        if phase.name == "whole":
            return self.model, self._batches("train", training=True), self._batches("val")
        log.info("The backbone is frozen: its features are computed once for this phase.")
        train = FeatureBatches(*self._features("train"), self.config.batch_size, training=True)
        val = FeatureBatches(*self._features("val"), self.config.batch_size)
        return self.model.head, train, val

    def _batches(self, name: str, training: bool = False) -> Batches:
        return Batches(
            self.data.pixels,
            self.data.rows(name),
            self.data.labels,
            self.spec,
            self.config.batch_size,
            training=training,
            augmented=training and self.config.augment,
            channels_last=self.precision.channels_last,
        )

    @torch.no_grad()
    def _features(self, name: str) -> tuple[Tensor, Tensor]:
        """Return a set's features, N x D, and labels, N, from the backbone as it stands."""
        self.model.eval()
        features, labels = [torch.empty(0)], [torch.empty(0, dtype=torch.long)]
        for pictures, targets in self._batches(name):
            self._check_stop()
            with autocast(self.precision.bfloat16):
                features.append(self.model.backbone(pictures).float())
            labels.append(targets)
        return torch.cat([f for f in features if f.numel()] or features), torch.cat(labels)

    def _before_step(
        self,
        optimiser: torch.optim.Optimizer,
        first: int,
        steps: int,
        in_epoch: int,
        epoch: int,
    ) -> Callable[[], None]:
        """Return what happens before each step: learning rates, the wish to stop, progress."""
        step = 0
        told = time.monotonic()

        def before_step() -> None:
            nonlocal step, told
            self._check_stop()
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * rate_factor(first + step, steps)
            if time.monotonic() - told > 1.0:
                told = time.monotonic()
                self._tell(epoch - 1, step / in_epoch)
            step += 1

        return before_step

    def _check_stop(self) -> None:
        if (self.outer / files.STOP).exists():
            raise Stopped

    # ---- keeping -------------------------------------------------------------------------------

    def _after_epoch(
        self, row: dict[str, Any], validated: Evaluation, optimiser: torch.optim.Optimizer
    ) -> None:
        if not math.isfinite(row["train_loss"]):
            raise RunError(
                f"The loss is no longer a finite number in epoch {row['epoch']}; the state before"
                " it is kept. Train again with a lower learning rate."
            )
        self.history.append(row)
        self.spent += row["seconds"]
        score = _score(validated)
        if score >= self.best:
            self.best, self.best_epoch = score, row["epoch"]
            self._save_best()
        self._save_last(optimiser)
        metrics = pd.DataFrame(self.history, columns=files.METRIC_COLUMNS)
        write_table(self.folder / files.METRICS, metrics)
        log.info(
            "Epoch %d (%s): loss %.3f, validation loss %.3f, accuracy %.1f %%",
            row["epoch"],
            row["phase"],
            row["train_loss"],
            row["val_loss"],
            100 * row["val_accuracy"],
        )
        self._tell(row["epoch"])

    def _save_best(self) -> None:
        content = {"model": self.model.state_dict(), "epoch": self.best_epoch}
        content |= {"name": self.config.model, "classes": list(self.config.classes)}
        workspace.write_atomically(self.folder / files.BEST, lambda p: torch.save(content, p))

    def _save_last(self, optimiser: torch.optim.Optimizer) -> None:
        content = {
            "model": self.model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "epoch": self.history[-1]["epoch"],
            "history": self.history,
            "best": list(self.best),
            "best_epoch": self.best_epoch,
            "notes": self.notes,
            "spent": self.spent,
            "random": torch.get_rng_state(),
        }
        workspace.write_atomically(self.folder / files.LAST, lambda p: torch.save(content, p))

    def _tell(self, epoch: int, share: float = 0.0) -> None:
        status = files.read_status(self.outer)
        told = replace(status, epoch=self.done_before + epoch, share=share, notes=self.notes)
        if self.outer == self.folder:
            told = replace(told, best_epoch=self.best_epoch, seconds=self.spent)
        files.write_status(self.outer, told)

    # ---- the end -------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Predict every picture with the best state, and fit the check for strange pictures."""
        self.model.load_state_dict(load_checkpoint(self.folder / files.BEST)["model"])
        parts = [self._predict(name) for name in SET_NAMES if len(self.data.rows(name))]
        self._fit_familiarity(self._keep_features())
        if not len(self.data.rows("val")):
            self.notes.append("No validation pictures: the last epoch's model is used.")
        self._tell(self.config.epochs)
        write_predictions(pd.concat(parts), self.folder / files.PREDICTIONS)

    def _predict(self, name: str) -> pd.DataFrame:
        batches = self._batches(name)
        found = evaluate(self.model, batches, self.loss_function, self.precision.bfloat16)
        probabilities = torch.softmax(found.logits.double(), dim=1).numpy()
        rows = self.data.table.iloc[self.data.rows(name)].assign(set=name)
        return make_predictions(rows, probabilities, self.config.classes)

    def _keep_features(self) -> dict[str, np.ndarray]:
        """Keep every picture's hidden features and content for explanations; return them by set.

        Half precision is enough for distances, and 20,000 pictures take 80 MB in it.
        """
        features = {name: self._hidden_features(name) for name in SET_NAMES}
        rows = np.concatenate([self.data.rows(name) for name in SET_NAMES])
        content = {
            "picture": self.data.table["picture"].to_numpy(str)[rows],
            "digest": np.array([digest(self.data.pixels[row]) for row in rows], str),
            "features": np.concatenate([f for f in features.values() if len(f)]).astype(np.float16),
        }
        workspace.write_atomically(
            self.folder / files.FEATURES, lambda p: np.savez_compressed(p, **content)
        )
        return features

    @torch.no_grad()
    def _hidden_features(self, name: str) -> np.ndarray:
        self.model.eval()
        parts = []
        for pictures, _ in self._batches(name):
            self._check_stop()
            with autocast(self.precision.bfloat16):
                parts.append(hidden_features(self.model, pictures).float())
        return torch.cat(parts).numpy() if parts else np.empty((0, 1), np.float32)

    def _fit_familiarity(self, features: dict[str, np.ndarray]) -> None:
        rows = self.data.table.iloc[self.data.rows("train")]
        root = Path(self.config.data)
        read = map_in_threads(
            lambda picture: colour_statistics(read_picture(root / picture)), list(rows["picture"])
        )
        fitted = fit_familiarity(
            np.stack(list(read)), rows["patient"].to_numpy(str), features["train"], features["val"]
        )
        workspace.write_json(self.folder / files.FAMILIARITY, fitted.to_json())


def _score(validated: Evaluation) -> tuple[float, float]:
    """Rank an epoch by balanced accuracy, ties by loss; without validation the later one wins."""
    if not len(validated.labels):
        return (0.0, 0.0)
    truth = validated.labels.numpy()
    predicted = validated.logits.argmax(dim=1).numpy()
    recall = recall_score(
        truth, predicted, labels=np.unique(truth), average="macro", zero_division=0
    )
    return (float(recall), -validated.loss)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV through a temporary name; floats keep every digit."""
    workspace.write_atomically(path, lambda temporary: table.to_csv(temporary, index=False))


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Load a checkpoint; it cannot execute code.

    Raises
    ------
    RunError
        When it is missing or damaged.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise RunError(f"The run has no {path.name} yet; let it finish an epoch first.") from error
    except Exception as error:  # torch raises pickle, zip, runtime and value errors alike.
        raise RunError(
            f"{path.name} of this run is damaged or not a checkpoint; train it again."
        ) from error


def load_model(folder: Path) -> tuple[BackboneHead, TrainConfig]:
    """Load a run's best model, in evaluation mode, with the run's configuration."""
    config = TrainConfig.from_json(workspace.read_json(folder / files.CONFIG))
    model = build_model(config.model, len(config.classes))
    model.load_state_dict(load_checkpoint(folder / files.BEST)["model"])
    return model.eval(), config
