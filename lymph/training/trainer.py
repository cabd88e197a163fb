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
from torch import Tensor

from lymph import __version__, workspace
from lymph.data.depth import read_of, white_of
from lymph.data.parallel import map_in_threads
from lymph.data.pixels import load_pixels
from lymph.data.sources import is_synthetic
from lymph.errors import RunError
from lymph.jobs.status import change_status
from lymph.jobs.worker import Stopped
from lymph.models.familiarity import colour_statistics, fit_familiarity
from lymph.models.features import digest, hidden_features
from lymph.models.networks import build_model
from lymph.models.specs import MODELS
from lymph.models.weights import load_backbone
from lymph.predictions import make_predictions, write_predictions
from lymph.splits import SET_NAMES, Split
from lymph.training import folder as files
from lymph.training.checkpoint import load_checkpoint, load_values, save_checkpoint
from lymph.training.class_weights import class_weights
from lymph.training.config import TrainConfig
from lymph.training.dataset import Batches, FeatureBatches
from lymph.training.devices import device_here, make_repeatable
from lymph.training.features import feature_file, keep_features, read_features
from lymph.training.loop import Evaluation, Rows, autocast, evaluate, train_one_epoch
from lymph.training.losses import weighted_loss
from lymph.training.phases import Phase, phase_of, plan_phases, rate_factor
from lymph.training.precision import Precision, precision_of
from lymph.training.processes import ALONE, Processes, share_layers
from lymph.training.signs import signs_before, signs_of

log = logging.getLogger("lymph")

# How often progress within an epoch is told, and how long short epochs wait to be written down.
TELL_SECONDS = 1.0
KEEP_SECONDS = 1.0
# What a checkpoint must hold for its run to go on from it.
GONE_ON_FROM = [
    "model",
    "optimiser",
    "epoch",
    "history",
    "best",
    "best_epoch",
    "notes",
    "spent",
    "random",
]


@dataclass
class RunData:
    """Table, sets, labels and pixels of a run; row i of each is the same picture.

    ``white`` is the raw value that is white in deep pictures, 0 where there are none.
    """

    table: pd.DataFrame
    sets: np.ndarray
    labels: np.ndarray
    pixels: np.ndarray
    white: int = 0

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
    table = config.source.usable()
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
    return RunData(table, sets, labels, pixels, white_of(config.data))


class Trainer:
    """A run in progress: model, optimiser, history, and the folder that keeps them.

    Parameters
    ----------
    folder : Path
        Run folder with configuration and split; a checkpoint there is gone on from.
    config : TrainConfig
    split : Split
        With sets.
    processes : Processes
        Those that train together; the first one alone writes.
    outer : Path, optional
        Folder of the cross-validation that this is a fold of: it is told of progress and says
        when to stop. ``done_before`` epochs of it came before this fold.
    """

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        split: Split,
        processes: Processes = ALONE,
        outer: Path | None = None,
        done_before: int = 0,
    ) -> None:
        self.folder = folder
        self.outer = outer or folder
        self.done_before = done_before
        self.config = config
        self.processes = processes
        self.device = device_here()
        make_repeatable(self.device)
        self.spec = MODELS[config.model]
        self.phases = plan_phases(config)
        # A backbone that never learns makes the same features from beginning to end.
        self.always_frozen = all(phase.name == "head" for phase in self.phases)
        # A fold on ready features takes seconds, less than writing its whole network would.
        self.keeps_model = not (outer and self.always_frozen)
        self.data = load_run_data(config, split)
        rows = self.data.table[self.data.sets == "train"]
        self.weights = class_weights(rows, config.class_weights, config.classes)
        self.loss_function = weighted_loss(self.weights).to(self.device)
        self.history: list[dict[str, Any]] = []
        self.best: tuple[float, float] = (-math.inf, -math.inf)
        self.best_epoch = 0
        self.best_values: dict[str, Tensor] = {}
        self.best_unsaved = False
        self.notes: list[str] = []
        # Parts of the backbone that start from random values: nothing in them is worth keeping.
        self.fresh: list[str] = []
        self.warnings = signs_before(len(rows), config.batch_size)
        self.spent = 0.0
        self.kept = self.told = time.monotonic()
        self.unkept = 0
        self.precision = self._prepare_environment()
        torch.manual_seed(config.seed)
        self.model = build_model(config.model, len(config.classes))
        self.optimiser: torch.optim.Optimizer | None = None

    # ---- beginning -----------------------------------------------------------------------------

    def _prepare_environment(self) -> Precision:
        """Choose the number format, or take the one with which the run began."""
        file = self.folder / files.ENVIRONMENT
        if kept := files.read_environment(self.folder).get("precision"):
            return Precision(**{name: kept[name] for name in Precision._fields})
        precision = Precision(
            *self.processes.tell(list(precision_of(self.config)) if self.processes.first else None)
        )
        environment = {
            "lymph": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "platform": platform.platform(),
            "device": self.device.type,
            "threads": torch.get_num_threads(),
            "processes": self.processes.world,
            "precision": precision._asdict(),
            "class_weights": self.weights,
        }
        if self.processes.first:
            workspace.write_json(file, environment)
        return precision

    def begin(self) -> int:
        """Load the last checkpoint or the first values; return the number of finished epochs."""
        last = self.folder / files.LAST
        checkpoint = load_checkpoint(last, GONE_ON_FROM) if last.exists() else None
        if checkpoint:
            load_values(self.model, checkpoint, files.LAST)
        else:
            report = load_backbone(self.model, self.config.weights)
            if report:
                self.fresh = report.missing
                self.notes.append(report.sentence)
            elif self.config.model != "cnn":
                self.notes.append("The whole network starts from random values, not ImageNet's.")
        share_layers(self.model, self.processes)
        layout = torch.channels_last if self.precision.channels_last else torch.contiguous_format
        self.model.to(self.device, memory_format=layout)
        return self._go_on(checkpoint) if checkpoint else 0

    def _go_on(self, checkpoint: dict[str, Any]) -> int:
        self.history = checkpoint["history"]
        self.best = tuple(checkpoint["best"])
        self.best_epoch = checkpoint["best_epoch"]
        self.notes = checkpoint["notes"]
        self.fresh = checkpoint.get("fresh", [])
        self.spent = checkpoint["spent"]
        epoch = checkpoint["epoch"]
        phase = phase_of(self.phases, epoch)
        if epoch < phase.last_epoch:
            self.optimiser = self._new_optimiser(phase)
            self.optimiser.load_state_dict(checkpoint["optimiser"])
        torch.set_rng_state(checkpoint["random"])
        if self.device.type == "cuda" and "random_cuda" in checkpoint:
            torch.cuda.set_rng_state(checkpoint["random_cuda"], self.device)
        log.info("Going on after epoch %d.", epoch)
        return epoch

    # ---- training ------------------------------------------------------------------------------

    def train(self) -> None:
        """Train every epoch that is still to do, then predict."""
        done = self.begin()
        self._tell(done)
        for phase in self.phases:
            if done < phase.last_epoch:
                self._train_phase(phase, done)
                done = phase.last_epoch
        self._finish()

    def _new_optimiser(self, phase: Phase) -> torch.optim.Optimizer:
        groups = [{"params": list(self.model.head.parameters()), "peak": phase.head_rate}]
        if phase.name == "whole":
            for name, part in self.model.backbone.named_children():
                rate = phase.head_rate if name in self.fresh else phase.backbone_rate
                groups.append({"params": list(part.parameters()), "peak": rate})
            groups = [group for group in groups if group["params"]]
        return torch.optim.AdamW(
            groups, lr=phase.head_rate, weight_decay=self.config.weight_decay, fused=True
        )

    def _train_phase(self, phase: Phase, done: int) -> None:
        """Train the epochs of a phase; with patience it ends when validation gets no better."""
        self.model.freeze_backbone(phase.name == "head")
        optimiser = self.optimiser or self._new_optimiser(phase)
        self.optimiser = None
        module, train, val = self._material(phase)
        self.kept = time.monotonic()
        for epoch in range(max(done + 1, phase.first_epoch), phase.last_epoch + 1):
            row, validated = self._one_epoch(phase, epoch, module, train, val, optimiser)
            self._after_epoch(row, validated, module)
            over = epoch == phase.last_epoch or self._out_of_patience(phase, epoch)
            wish = self._stop_is_wished()
            if over or wish or self._keeping_is_due():
                self._keep(phase.last_epoch if over else epoch, optimiser)
            if wish:
                raise Stopped
            if over:
                break

    def _one_epoch(
        self,
        phase: Phase,
        epoch: int,
        module: torch.nn.Module,
        train: Batches | FeatureBatches,
        val: Batches | FeatureBatches,
        optimiser: torch.optim.Optimizer,
    ) -> tuple[dict[str, Any], Evaluation]:
        """Train and validate once; return the row of ``metrics.csv`` and the validation."""
        start = time.perf_counter()
        # A head on ready features is so little work that every process does all of it.
        processes = self.processes if phase.name == "whole" else ALONE
        bfloat16 = self.precision.bfloat16 and phase.name == "whole"
        trained = train_one_epoch(
            module,
            train.of_epoch(epoch),
            self.loss_function,
            optimiser,
            self._before_step(optimiser, phase, epoch, len(train)),
            bfloat16,
            processes,
        )
        validated = evaluate(self._plain(module), val, self.loss_function, bfloat16, processes)
        return {
            "epoch": epoch,
            "phase": phase.name,
            "train_loss": trained.loss,
            "train_accuracy": trained.accuracy,
            "val_loss": validated.loss,
            "val_accuracy": validated.accuracy,
            "learning_rate": optimiser.param_groups[0]["lr"],
            "seconds": time.perf_counter() - start,
        }, validated

    def _plain(self, module: torch.nn.Module) -> torch.nn.Module:
        """Return what learns without the wrapping that adds gradients up over processes."""
        return self.model.head if module is self.model.head else self.model

    def _material(
        self, phase: Phase
    ) -> tuple[torch.nn.Module, Batches | FeatureBatches, Batches | FeatureBatches]:
        """Return what learns and its batches; a frozen backbone runs once for the whole phase."""
        if phase.name == "whole":
            model = self.processes.wrap(self.model)
            return model, self._batches("train", training=True), self._batches("val")
        log.info("The backbone is frozen: its features are computed once for this phase.")
        features = self._phase_features(phase)
        train = self._feature_batches(features, "train", training=True)
        return self.model.head, train, self._feature_batches(features, "val")

    def _batches(self, name: str, training: bool = False) -> Batches:
        rows = self.data.rows(name)
        return Batches(
            self.data.pixels,
            rows if training else rows[self.processes.rank :: self.processes.world],
            self.data.labels,
            self.spec,
            self.config.batch_size,
            training=training,
            augmentation=self.config.augmentation if training else (),
            channels_last=self.precision.channels_last,
            device=self.device,
            processes=self.processes if training else ALONE,
            seed=self.config.seed,
        )

    def _feature_batches(
        self, features: dict[str, Tensor], name: str, training: bool = False
    ) -> FeatureBatches:
        return FeatureBatches(
            features[name].to(self.device),
            torch.from_numpy(self.data.labels[self.data.rows(name)]).to(self.device),
            self.config.batch_size,
            training,
            self.config.seed,
        )

    def _phase_features(self, phase: Phase) -> dict[str, Tensor]:
        """Return the features of each set, N x D, from the backbone as it stands.

        Before anything has trained the backbone they are the same for every run from these values,
        every fold and every resumption: they are kept with the pixels.
        """
        if phase is not self.phases[0]:
            return {name: self._features(name) for name in ("train", "val")}
        every = self._kept_features()
        return {name: every[self.data.rows(name)] for name in SET_NAMES}

    def _kept_features(self) -> Tensor:
        bfloat16 = self.precision.bfloat16
        pixels = self.data.pixels
        file = feature_file(self.config.data, pixels, self.model.backbone, bfloat16)
        kept = self.processes.tell(read_features(file, len(pixels)))
        if kept is not None:
            return kept
        everything = replace(
            self._batches("train"),
            rows=np.arange(len(pixels))[self.processes.rank :: self.processes.world],
        )
        made = self._run_backbone(everything)
        if self.processes.first:
            keep_features(file, made)
        return made

    def _features(self, name: str) -> Tensor:
        return self._run_backbone(self._batches(name))

    def _run_backbone(self, batches: Batches) -> Tensor:
        """Return the backbone's features, float32, of the pictures that all processes share."""
        return self.processes.gather(self._of_pictures(batches, self.model.backbone))

    @torch.no_grad()
    def _of_pictures(self, batches: Batches, make: Callable[[Tensor], Tensor]) -> Tensor:
        """Return what is made of each picture, float32, N x D."""
        self.model.eval()
        made = Rows()
        for pictures, _ in batches:
            self._end_if_wished()
            with autocast(self.precision.bfloat16, self.device.type):
                made.add(make(pictures).float())
        return made.whole()

    def _before_step(
        self, optimiser: torch.optim.Optimizer, phase: Phase, epoch: int, in_epoch: int
    ) -> Callable[[], None]:
        """Return what happens before each step: learning rates, the wish to stop, progress."""
        step = 0
        first, steps = (epoch - phase.first_epoch) * in_epoch, phase.epochs * in_epoch

        def before_step() -> None:
            nonlocal step
            # Epochs that are not written yet were short: this one ends before the run does.
            if not self.unkept and self._stop_is_wished():
                raise Stopped
            for group in optimiser.param_groups:
                factor = rate_factor(first + step, steps, self.config.warm_up)
                group["lr"] = group["peak"] * factor
            self._tell_sometimes(epoch - 1, step / in_epoch)
            step += 1

        return before_step

    def _end_if_wished(self) -> None:
        """End where the run is alone; several processes must agree, which they do at each step."""
        if self.processes.world == 1 and self._stop_is_wished():
            raise Stopped

    def _stop_is_wished(self) -> bool:
        wish = self.processes.first and (self.outer / files.STOP).exists()
        return self.processes.any(wish, self.device)

    def _out_of_patience(self, phase: Phase, epoch: int) -> bool:
        patience = self.config.patience
        if not patience or not len(self.data.rows("val")):
            return False
        if epoch - max(self.best_epoch, phase.first_epoch) < patience:
            return False
        if epoch < phase.last_epoch:
            self.notes.append(
                f"Stopped early at epoch {epoch}: validation got no better for {patience} epochs."
            )
        return True

    # ---- keeping -------------------------------------------------------------------------------

    def _after_epoch(
        self, row: dict[str, Any], validated: Evaluation, module: torch.nn.Module
    ) -> None:
        """Judge an epoch: is it sound, is it the best, are there signs of trouble."""
        measured = [row["train_loss"], *([row["val_loss"]] if len(validated.labels) else [])]
        if not all(map(math.isfinite, measured)):
            raise RunError(
                f"The loss is no longer a finite number in epoch {row['epoch']}; the state before"
                " it is kept. Train again with a lower learning rate."
            )
        self.history.append(row)
        self.unkept += 1
        self.spent += row["seconds"]
        score = _score(validated)
        if score >= self.best:
            self.best, self.best_epoch, self.best_unsaved = score, row["epoch"], True
            # It may change again before it is written.
            frozen = module is self.model.head
            values = module.state_dict(prefix="head.") if frozen else self.model.state_dict()
            self.best_values = {name: value.clone() for name, value in values.items()}
        self.warnings = signs_before(
            int((self.data.sets == "train").sum()), self.config.batch_size
        ) + signs_of(self.history, validated, self.config.classes)
        log.info(
            "Epoch %d (%s): loss %.3f, validation loss %.3f, accuracy %.1f %%",
            row["epoch"],
            row["phase"],
            row["train_loss"],
            row["val_loss"],
            100 * row["val_accuracy"],
        )

    def _keeping_is_due(self) -> bool:
        """Tell whether to write now: some epochs are shorter than writing is."""
        return self.processes.tell(time.monotonic() - self.kept > KEEP_SECONDS)

    def _keep(self, epoch: int, optimiser: torch.optim.Optimizer) -> None:
        """Write all that is finished: what the folder tells is always what can be gone on from."""
        if self.processes.first:
            if self.keeps_model:
                if self.best_unsaved:
                    self._save_best()
                self._save_last(epoch, optimiser)
            metrics = pd.DataFrame(self.history, columns=files.METRIC_COLUMNS)
            write_table(self.folder / files.METRICS, metrics)
        self._tell(epoch)
        self.kept, self.unkept = time.monotonic(), 0

    def _best_state(self) -> dict[str, Tensor]:
        return {**self.model.state_dict(), **self.best_values}

    def _save_best(self) -> None:
        content = {"model": self._best_state(), "epoch": self.best_epoch}
        content |= {"name": self.config.model, "classes": list(self.config.classes)}
        save_checkpoint(self.folder / files.BEST, content)
        self.best_unsaved = False

    def _save_last(self, epoch: int, optimiser: torch.optim.Optimizer) -> None:
        content = {
            "model": self.model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "epoch": epoch,
            "history": self.history,
            "best": list(self.best),
            "best_epoch": self.best_epoch,
            "notes": self.notes,
            "fresh": self.fresh,
            "spent": self.spent,
            "random": torch.get_rng_state(),
        }
        if self.device.type == "cuda":
            content["random_cuda"] = torch.cuda.get_rng_state(self.device)
        save_checkpoint(self.folder / files.LAST, content)

    def _tell_sometimes(self, epoch: int, share: float) -> None:
        """Tell progress, now and then; an epoch counts as finished once it is written."""
        if time.monotonic() - self.told > TELL_SECONDS:
            self._tell(epoch - self.unkept, min(1.0, self.unkept + share))

    def _tell(self, epoch: int, share: float = 0.0) -> None:
        self.told = time.monotonic()
        if not self.processes.first:
            return
        own = {}
        if self.outer == self.folder:
            own = {"best_epoch": self.best_epoch, "seconds": self.spent}
        change_status(
            self.outer,
            epoch=self.done_before + epoch,
            share=share,
            notes=self.notes,
            warnings=self.warnings,
            **own,
        )

    # ---- the end -------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Predict every picture with the best state, and fit the check for strange pictures."""
        self.processes.tell(None)  # The first process may still be writing the best state.
        if self.keeps_model:
            load_values(self.model, load_checkpoint(self.folder / files.BEST), files.BEST)
        else:
            self.model.load_state_dict(self._best_state())
        parts = [self._predict(name) for name in SET_NAMES if len(self.data.rows(name))]
        if not self.processes.first:
            return
        if self.outer == self.folder:
            self._fit_familiarity(self._keep_features())
        if not len(self.data.rows("val")):
            self.notes.append("No validation pictures: the last epoch's model is used.")
        self._tell(self.config.epochs)
        write_predictions(pd.concat(parts), self.folder / files.PREDICTIONS)

    def _predict(self, name: str) -> pd.DataFrame:
        if self.always_frozen:
            features = {name: self._kept_features()[self.data.rows(name)]}
            batches = self._feature_batches(features, name)
            found = evaluate(self.model.head, batches, self.loss_function)
        else:
            found = evaluate(
                self.model,
                self._batches(name),
                self.loss_function,
                self.precision.bfloat16,
                self.processes,
            )
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

    def _hidden_features(self, name: str) -> np.ndarray:
        # Only the first process explains, so it takes the others' share too.
        batches = replace(self._batches(name), rows=self.data.rows(name))
        made = self._of_pictures(batches, lambda p: hidden_features(self.model, p))
        return made.numpy() if made.numel() else np.empty((0, 1), np.float32)

    def _fit_familiarity(self, features: dict[str, np.ndarray]) -> None:
        rows = self.data.table.iloc[self.data.rows("train")]
        root, white = Path(self.config.data), self.data.white
        read = map_in_threads(
            lambda picture: colour_statistics(read_of(root, picture, white)), list(rows["picture"])
        )
        fitted = fit_familiarity(
            np.stack(list(read)), rows["patient"].to_numpy(str), features["train"], features["val"]
        )
        # A picture that is to be classified is scaled as these were, and told what they were.
        document = {**fitted.to_json(), "white": white, "drawn": is_synthetic(root)}
        workspace.write_json(self.folder / files.FAMILIARITY, document)


def _score(validated: Evaluation) -> tuple[float, float]:
    """Rank an epoch by balanced accuracy, ties by loss; without validation the later one wins."""
    if not len(validated.labels):
        return (0.0, 0.0)
    truth = validated.labels.numpy()
    right = truth == validated.logits.argmax(dim=1).numpy()
    recalls = [right[truth == label].mean() for label in np.unique(truth)]
    return (float(np.mean(recalls)), -validated.loss)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV through a temporary name; floats keep every digit."""
    workspace.write_atomically(path, lambda temporary: table.to_csv(temporary, index=False))
