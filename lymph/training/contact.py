"""What a run tells those who follow it, and the wish to stop that it hears from them."""

import time
from pathlib import Path

import torch

from lymph.jobs.status import change_status
from lymph.jobs.worker import Stopped
from lymph.parallel import Progress
from lymph.training import folder as files
from lymph.training.processes import Processes
from lymph.training.state import State
from lymph.training.steps import Steps

# How often progress within an epoch is told.
TELL_SECONDS = 1.0


class Contact:
    """A run's contact with the page and the command line, by files in its folder.

    Of several processes the first one tells; all of them agree on when to stop.

    Parameters
    ----------
    folder : Path
        Of the run.
    outer : Path
        Of the cross-validation that the run is a fold of, else the same: it is told of progress and
        says when to stop.
    done_before : int
        Epochs of the cross-validation that came before this fold.
    """

    def __init__(
        self,
        folder: Path,
        outer: Path,
        done_before: int,
        processes: Processes,
        device: torch.device,
    ) -> None:
        self.is_fold = outer != folder
        self.outer = outer
        self.done_before = done_before
        self.processes = processes
        self.device = device
        self.steps = Steps(self._tell_step)
        self.told = time.monotonic()

    def following_download(self) -> Progress:
        """Return what follows a download, which a stop ends at once."""
        told = self.steps.following("Downloading the ImageNet weights", " MB")

        def progress(done: int, total: int) -> None:
            self.end_if_wished()
            told(done, total)

        return progress

    def _tell_step(self, words: str, share: float, left: float) -> None:
        """Tell what is done beside epochs, whose number stays as it is."""
        if self.processes.is_main:
            change_status(self.outer, step=words, step_share=share, step_left=left)

    def tell(self, state: State, warnings: list[str], epoch: int, share: float = 0.0) -> None:
        """Tell of finished epochs, and of the share that is done of the next."""
        if self.processes.is_main:
            seconds = {"best_epoch": state.best_epoch, "seconds": state.spent}
            change_status(
                self.outer,
                epoch=self.done_before + epoch,
                share=share,
                step="",
                notes=state.notes,
                warnings=warnings,
                **({} if self.is_fold else seconds),
            )
        self.told = time.monotonic()

    def tell_now_and_then(
        self, state: State, warnings: list[str], epoch: int, share: float
    ) -> None:
        """Tell of an epoch in progress, counted from 1: it counts as finished once it is written.

        ``share`` is what is done of it.
        """
        if time.monotonic() - self.told > TELL_SECONDS:
            unkept = state.unkept
            self.tell(state, warnings, epoch - 1 - unkept, min(1.0, unkept + share))

    def stop_is_wished(self) -> bool:
        """Tell whether anybody wants the run to stop; every process hears it."""
        wish = self.processes.is_main and (self.outer / files.STOP).exists()
        return self.processes.any(wish, self.device)

    def end_if_wished(self) -> None:
        """End where the run is alone; several processes must agree, which they do at each step.

        Raises
        ------
        Stopped
        """
        if self.processes.world_size == 1 and self.stop_is_wished():
            raise Stopped
