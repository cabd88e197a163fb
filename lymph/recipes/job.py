"""Starting, finding and going on with comparisons: each is one job, as a training run is."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from filelock import FileLock

from lymph import workspace
from lymph.data.source import PictureSource
from lymph.errors import LymphError, RunError
from lymph.jobs import files
from lymph.jobs.start import Begin, enter_queue, start_job
from lymph.jobs.status import Status, write_status
from lymph.jobs.worker import run_job
from lymph.recipes.comparison import (
    UNITS,
    Cell,
    Comparison,
    ComparisonConfig,
    comparisons_home,
    digest_of,
)
from lymph.text import counted

WORKER = "lymph.recipes.recipes_worker"


def _open(config: ComparisonConfig) -> Comparison:
    """Return the comparison of these very recipes and pictures, or a new one, not begun yet.

    Of a new one each cell is taken over that an earlier one has measured on the same pictures.
    """
    digest = digest_of(config.source.usable())
    for known in list_comparisons(config.source):
        if known.config.alike(config) and known.pictures in ("", digest):
            return known
    path = workspace.new_folder(comparisons_home(), f"{datetime.now():%Y-%m-%d-%H%M%S}-1")
    workspace.write_json(path / files.CONFIG, config.to_json())
    write_status(path, Status("queued", epochs=UNITS))
    return Comparison(path)


def _title(config: ComparisonConfig) -> str:
    """Name a comparison for those who wait for it."""
    return f"Comparison of {counted(len(config.recipes), 'recipe')}, {config.folds} folds"


def _begin(comparison: Comparison) -> Begin:
    status = comparison.status()
    return lambda before: before or status


@contextlib.contextmanager
def _starting() -> Iterator[None]:
    comparisons_home().mkdir(parents=True, exist_ok=True)
    with FileLock(comparisons_home() / files.START_LOCK):
        yield


def start_comparison(config: ComparisonConfig) -> Comparison:
    """Compare in a process of its own, or return the comparison of these pictures that goes on.

    Of many who ask at once one starts it, and all follow that one. One of the same recipes that was
    stopped or killed goes on where it was; one that is finished is returned as it is.

    Raises
    ------
    RunError
        When the machine starts no more processes.
    """
    with _starting():
        for known in list_comparisons(config.source):
            if known.status().going:
                return known
        comparison = _open(config)
        if not comparison.complete:
            start_job(comparison.path, WORKER, _title(config), _begin(comparison))
    return comparison


def compare_here(
    config: ComparisonConfig, finished: Callable[[Cell], None] | None = None
) -> Comparison:
    """Compare in this process, as :func:`start_comparison`; how it ended stands in the status.

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
    from lymph.recipes.recipes_worker import work

    with _starting():
        comparison = _open(config)
        if comparison.complete:
            return comparison
        if not enter_queue(comparison.path, _title(config), _begin(comparison)):
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
    state = comparison.status().state
    if comparison.complete:
        raise RunError("The comparison is finished; there is nothing to go on with.")
    if not start_job(comparison.path, WORKER, _title(comparison.config), _begin(comparison)):
        raise RunError(f"The comparison is {state} already.")


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
