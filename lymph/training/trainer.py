"""The loop of one run, from its folder's configuration to its predictions; goes on if stopped."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch

from lymph.jobs.worker import Stopped
from lymph.models.networks import ProbeHead
from lymph.models.weights import first_values
from lymph.predictions import write_predictions
from lymph.splits import Split
from lymph.training import folder as files
from lymph.training.checkpoint import check_stages, load_checkpoint, load_values, network_of
from lymph.training.class_weights import class_weights
from lymph.training.config import TrainConfig
from lymph.training.contact import Contact
from lymph.training.dataset import FeatureBatches, MapBatches
from lymph.training.devices import device_here, make_repeatable
from lymph.training.diagnostics import diagnose, diagnose_before
from lymph.training.environment import prepare_environment
from lymph.training.frozen_features import Supply, what_learns
from lymph.training.loop import Evaluation, evaluate, set_rates, train_one_epoch
from lymph.training.losses import weighted_loss
from lymph.training.older import LINEAR_PROBE
from lymph.training.optimisers import let_learn, new_optimiser
from lymph.training.outputs import keep_features_and_check, predict_all, write_table
from lymph.training.phases import Phase, phase_of, plan_phases
from lymph.training.processes import ALONE, Processes, share_layers
from lymph.training.run_data import Material, load_run_data, tile_notes
from lymph.training.state import State, last_checkpoint, restore_random
from lymph.training.validation import Answering

if TYPE_CHECKING:
    from lymph.training.probe import HeadFit

log = logging.getLogger("lymph")

# How long short epochs wait to be written down.
KEEP_SECONDS = 1.0
# Steps that the fit of a head makes in an epoch where its few epochs are followed by others.
FIT_STEPS = 6


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
        self.config = config
        self.processes = processes
        self.device = device_here()
        make_repeatable(self.device)
        self.phases = plan_phases(config)
        # A backbone that never learns makes the same features from beginning to end.
        self.always_frozen = all(phase.name == LINEAR_PROBE for phase in self.phases)
        # A fold on ready features takes seconds, less than writing its whole network would.
        self.keeps_model = not (outer and self.always_frozen)
        self.contact = Contact(folder, outer or folder, done_before, processes, self.device)
        steps = self.contact.steps
        steps.begin("Reading pictures")
        self.data = load_run_data(config, split, steps.following("Reading pictures"))
        steps.begin("Preparing the network")
        rows = self.data.table[self.data.sets == "train"]
        self.weights = class_weights(rows, config.class_weights, config.classes)
        self.loss_function = weighted_loss(self.weights).to(self.device)
        self.state = State()
        self.frozen = config.spec.frozen
        self.chooses = config.chooses_by_validation
        self.warnings = self._diagnose_before()
        self.kept = time.monotonic()
        self.precision = prepare_environment(folder, config, self.weights, self.device, processes)
        torch.manual_seed(config.seed)
        self.model = network_of(config)
        computes = self.precision, self.device, processes
        features = steps.following("Computing features, once", " pictures")
        self.material = Material(config, self.data, self.model, *computes, features)
        val = self.data.rows("val")
        pictures, labels = list(self.data.table["picture"].iloc[val]), self.data.labels[val]
        self.answers = Answering.of(pictures, labels, len(config.classes), config.epochs)
        self.fit: HeadFit | None = None
        self.optimiser_state: dict[str, Any] = {}

    # ---- beginning -----------------------------------------------------------------------------

    def begin(self) -> int:
        """Load the last checkpoint or the first values; return the number of finished epochs."""
        checkpoint = last_checkpoint(self.folder, self.model)
        if not checkpoint:
            check_stages(self.config)
            values = self.config.weights, self.frozen, self.config.encoder
            self.state.fresh, note = first_values(
                self.model, *values, self.contact.following_download()
            )
            self.state.notes += [note] if self.config.model != "cnn" else []
            self.state.notes += tile_notes(self.config.spec, self.data)
        share_layers(self.model, self.processes)
        layout = torch.channels_last if self.precision.channels_last else torch.contiguous_format
        self.model.to(self.device).to(memory_format=layout)
        return self._go_on(checkpoint) if checkpoint else 0

    def _go_on(self, checkpoint: dict[str, Any]) -> int:
        self.state = State.of(checkpoint)
        epoch = checkpoint["epoch"]
        phase = phase_of(self.phases, epoch)
        if epoch < phase.last_epoch:
            self.optimiser_state = checkpoint["optimiser"]
        restore_random(checkpoint, self.device)
        self.answers.go_on(self.folder, epoch)
        log.info("Going on after epoch %d.", epoch)
        return epoch

    # ---- training ------------------------------------------------------------------------------

    def train(self) -> None:
        """Train every epoch that is still to do, then predict."""
        done = self.begin()
        self.contact.tell(self.state, self.warnings, done)
        for phase in self.phases:
            if done < phase.last_epoch:
                self._train_phase(phase, done)
                done = phase.last_epoch
        self._finish()

    def _optimiser_of(self, phase: Phase, train: Supply) -> torch.optim.Optimizer:
        self.fit = None
        if phase.name != LINEAR_PROBE or not isinstance(self.model.head, ProbeHead):
            return new_optimiser(self.model, phase, self.state.fresh, self.config.weight_decay)
        assert isinstance(train, FeatureBatches)
        # Loaded late: scikit-learn takes a second, and most trainings need none before their end.
        from lymph.training.probe import begin_fit

        self.fit, choice = begin_fit(self.folder, self.material, train, self.weights)
        if choice.sentence not in self.state.notes:
            self.state.notes.append(choice.sentence)
        return self.fit.optimiser()

    def _train_phase(self, phase: Phase, done: int) -> None:
        """Train the epochs of a phase; with patience it ends when validation gets no better."""
        let_learn(self.model, phase)
        first = phase is self.phases[0]
        module, train, val = what_learns(self.material, phase, first, self.contact.end_if_wished)
        optimiser = self._optimiser_of(phase, train)
        if self.optimiser_state:
            optimiser.load_state_dict(self.optimiser_state)
            self.optimiser_state = {}
        self.kept = time.monotonic()
        for epoch in range(max(done + 1, phase.first_epoch), phase.last_epoch + 1):
            row, validated = self._one_epoch(phase, epoch, module, train, val, optimiser)
            self._after_epoch(row, validated, module)
            over = epoch == phase.last_epoch or self._is_out_of_patience(phase, epoch)
            wish = self.contact.stop_is_wished()
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
        train: Supply,
        val: Supply,
        optimiser: torch.optim.Optimizer,
    ) -> tuple[dict[str, Any], Evaluation]:
        """Train and validate once; return the row of ``metrics.csv`` and the validation."""
        start = time.perf_counter()
        # What is ready is so little work that every process does all of it.
        ready = isinstance(train, (FeatureBatches, MapBatches))
        processes = ALONE if ready else self.processes
        bfloat16 = self.precision.bfloat16 and not ready
        if self.fit:
            for _ in range(1 if self.frozen else FIT_STEPS):
                self.fit.step(optimiser)
            trained = evaluate(module, train, self.loss_function)
        else:
            before_step = self._before_step(optimiser, phase, epoch, len(train))
            batches, loss = train.of_epoch(epoch), self.loss_function
            trained = train_one_epoch(
                module, batches, loss, optimiser, before_step, bfloat16, processes
            )
        # What learns, without the wrapping that adds gradients up over processes.
        plain = module if ready else self.model
        validated = evaluate(plain, val, self.loss_function, bfloat16, processes)
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

    def _before_step(
        self, optimiser: torch.optim.Optimizer, phase: Phase, epoch: int, in_epoch: int
    ) -> Callable[[], None]:
        """Return what happens before each step: learning rates, the wish to stop, progress."""
        step = 0
        first, steps = (epoch - phase.first_epoch) * in_epoch, phase.epochs * in_epoch

        def before_step() -> None:
            nonlocal step
            # Epochs that are not written yet were short: this one ends before the run does.
            if not self.state.unkept and self.contact.stop_is_wished():
                raise Stopped
            set_rates(optimiser, first + step, steps, self.config.warm_up)
            self.contact.tell_now_and_then(self.state, self.warnings, epoch, step / in_epoch)
            step += 1

        return before_step

    def _is_out_of_patience(self, phase: Phase, epoch: int) -> bool:
        patience = self.config.patience if len(self.data.rows("val")) else 0
        return self.state.is_out_of_patience(patience, phase, epoch)

    # ---- keeping -------------------------------------------------------------------------------

    def _after_epoch(
        self, row: dict[str, Any], validated: Evaluation, module: torch.nn.Module
    ) -> None:
        """Judge an epoch: is it sound, is it the best, are there signs of trouble."""
        self.state.judge(row, validated, self.model, module, latest=not self.chooses)
        if len(validated.labels):
            self.answers.take(row["epoch"], validated.logits, self.state.best_epoch)
        found = diagnose(self.state.history, validated, self.config.classes, not self.chooses)
        self.warnings = self._diagnose_before() + found

    def _diagnose_before(self) -> list[str]:
        count = int((self.data.sets == "train").sum())
        return [] if self.frozen else diagnose_before(count, self.config.batch_size)

    def _keeping_is_due(self) -> bool:
        """Tell whether to write now: some epochs are shorter than writing is."""
        return self.processes.broadcast(time.monotonic() - self.kept > KEEP_SECONDS)

    def _keep(self, epoch: int, optimiser: torch.optim.Optimizer) -> None:
        """Write all that is finished: what the folder tells is always what can be gone on from."""
        if self.processes.is_main:
            if self.keeps_model:
                self.state.save(self.folder, self.config, self.model, optimiser, epoch)
            metrics = pd.DataFrame(self.state.history, columns=files.METRIC_COLUMNS)
            # Who reads the metrics finds the answers of the same epochs.
            self.answers.write(self.folder)
            write_table(self.folder / files.METRICS, metrics)
        self.contact.tell(self.state, self.warnings, epoch)
        self.kept, self.state.unkept = time.monotonic(), 0

    # ---- the end -------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Predict every picture with the best state, and fit the check for strange pictures."""
        self.processes.broadcast(None)  # The first process may still be writing the best state.
        self.contact.steps.begin("Predicting every picture with the model that is kept")
        if self.keeps_model:
            load_values(self.model, load_checkpoint(self.folder / files.BEST), files.BEST)
        else:
            self.model.load_state_dict(self.state.best_state(self.model))
        ends = self.contact.end_if_wished
        predictions = predict_all(self.material, self.loss_function, self.always_frozen, ends)
        if not self.processes.is_main:
            return
        if not self.contact.is_fold:
            keep_features_and_check(self.folder, self.material, ends)
            if not len(self.data.rows("val")):
                self.state.notes.append("No validation pictures: the last epoch's model is used.")
        self.contact.tell(self.state, self.warnings, self.config.epochs)
        write_predictions(predictions, self.folder / files.PREDICTIONS)
