"""Starting, finding and going on with comparisons: each is one job, as a training run is."""

import contextlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from filelock import FileLock

from lymph import workspace
from lymph.data.source import PictureSource
from lymph.errors import LymphError, RunError
from lymph.jobs import files
from lymph.jobs.start import Begin, enter_queue, start_job
from lymph.jobs.status import Status
from lymph.jobs.worker import run_job
from lymph.recipes.comparison import UNITS, Cell, Comparison, ComparisonConfig, comparisons_home
from lymph.text import counted

WORKER = "lymph.recipes.worker"


def _create(config: ComparisonConfig) -> Comparison:
    """Make a comparison's folder; nothing is measured yet."""
    path = workspace.new_folder(comparisons_home(), f"{datetime.now():%Y-%m-%d-%H%M%S}-1")
    workspace.write_json(path / files.CONFIG, config.to_json())
    return Comparison(path)


def _title(config: ComparisonConfig) -> str:
    """Name a comparison for those who wait for it."""
    return f"Comparison of {counted(len(config.recipes), 'recipe')}, {config.folds} folds"


def _begin() -> Begin:
    return lambda before: before or Status("queued", epochs=UNITS)


def _kept(config: ComparisonConfig) -> Comparison | None:
    """Return the newest comparison of the same recipes on the same pictures, or None."""
    known = list_comparisons(config.source)
    return next((one for one in known if one.config.alike(config)), None)


@contextlib.contextmanager
def _starting():  # noqa: ANN202 - a context
    comparisons_home().mkdir(parents=True, exist_ok=True)
    with FileLock(comparisons_home() / files.START_LOCK):
        yield


def start_comparison(config: ComparisonConfig) -> Comparison:
    """Compare in a process of its own, or return the comparison of these pictures that goes on.

    Of many who ask at once one starts it, and all follow that one. One that was stopped or killed
    goes on where it was.

    Raises
    ------
    RunError
        When the machine starts no more processes.
    """
    with _starting():
        for known in list_comparisons(config.source):
            if known.status().going:
                return known
        comparison = _kept(config)
        if comparison is None or comparison.status().state == "finished":
            # What was measured before is taken over where the pictures are still the same.
            comparison = _create(config)
        start_job(comparison.path, WORKER, _title(config), _begin())
    return comparison


def compare_here(
    config: ComparisonConfig, finished: Callable[[Cell], None] | None = None
) -> Comparison:
    """Compare in this process; how it ended stands in the status. One that was stopped goes on.

    Parameters
    ----------
    config : ComparisonConfig
    finished : callable, optional
        Called with each cell that is done.

    Raises
    ------
    RunError
        When these recipes are being compared already.
    """
    from lymph.recipes.worker import work

    with _starting():
        comparison = _kept(config)
        if comparison is None or comparison.status().state == "finished":
            comparison = _create(config)
        if not enter_queue(comparison.path, _title(config), _begin()):
            raise RunError(
                "These recipes are being compared already; wait for that, or stop it on the Train"
                " page."
            )
    run_job(comparison.path, partial(work, finished=finished))
    return comparison


def resume_comparison(comparison: Comparison) -> None:
    """Go on with a comparison that was stopped, killed or has failed.

    Raises
    ------
    RunError
        When it goes on or is finished.
    """
    status = comparison.status()
    config = comparison.config
    if not status.over or status.state == "finished":
        raise RunError(f"The comparison cannot be resumed: it is {status.state}.")
    if not start_job(comparison.path, WORKER, _title(config), _begin()):
        raise RunError("The comparison goes on already.")


def stop_comparison(comparison: Comparison) -> None:
    """Ask a comparison to stop soon; what is finished is kept."""
    if comparison.status().going:
        (comparison.path / files.STOP).touch()


def list_comparisons(source: PictureSource) -> list[Comparison]:
    """Return the comparisons on these pictures, the newest first; damaged ones are left out.

    Parameters
    ----------
    source : PictureSource
        As :meth:`PictureSource.look` returns it.
    """
    return [one for path in _folders() if (one := Comparison(path)) and _is_of(one, source)]


def _folders() -> list[Path]:
    return sorted((p for p in comparisons_home().glob("*") if p.is_dir()), reverse=True)


def _is_of(comparison: Comparison, source: PictureSource) -> bool:
    try:
        return comparison.config.source.tells_as(source) and bool(comparison.status())
    except (OSError, LymphError):
        return False
