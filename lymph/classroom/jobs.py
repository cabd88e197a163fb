"""Starting and changing runs, measurements and lessons, as far as they are a visitor's own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lymph import runs, workspace
from lymph.classroom.owners import check_may_change, disown, own, owners, thing_of
from lymph.classroom.settings import class_settings
from lymph.classroom.who import Visitor
from lymph.errors import ClassError
from lymph.jobs import queue
from lymph.models.encoder_table import ENCODER_TABLE
from lymph.splits import Split
from lymph.training.config import NAMED_VALUES, TrainConfig

if TYPE_CHECKING:
    from lymph.leak import Measurement, MeterConfig
    from lymph.recipes import Comparison, ComparisonConfig

T = TypeVar("T")

# Of one visitor at once: one that runs and two that wait.
MOST_JOBS = 3


def start_training(
    who: Visitor, config: TrainConfig, split: Split, looked: runs.Looked | None = None
) -> runs.Run:
    """Create and start a run that is this visitor's own; see :func:`lymph.runs.create_run`.

    Raises
    ------
    ClassError
        When they have jobs enough already, or the weights are not among the lecturer's.
    LymphError
        As :func:`lymph.runs.create_run`.
    """
    check_weights(who, config.weights)
    with _starting(who):
        run = runs.create_run(config, split, looked=looked)
        own(who, run.path)
        runs.start_run(run)
    return run


def start_measurement(who: Visitor, config: "MeterConfig") -> "Measurement":
    """Start a measurement, or follow the one that is being made; whose that is stays so.

    Raises
    ------
    ClassError
        As :func:`start_training`.
    """
    from lymph import leak  # which loads scikit-learn, for those who measure

    check_weights(who, config.weights)
    if config.encoder not in ENCODER_TABLE:
        check_weights(who, config.encoder)
    with _starting(who):
        before = {job.folder for job in queue.going()}
        measurement = leak.start_measurement(config)
        if measurement.path not in before:
            own(who, measurement.path)
    return measurement


def start_comparison(who: Visitor, config: "ComparisonConfig") -> "Comparison":
    """Start a comparison of recipes, or follow the one that goes on; whose that is stays so.

    Raises
    ------
    ClassError
        As :func:`start_training`, of every recipe's weights.
    """
    from lymph import recipes  # which loads scikit-learn, for those who compare

    trainings = [
        recipes.training_of(name, config.source, config.weights, config.seed)
        for name in config.recipes
    ]
    for training in filter(None, trainings):
        check_weights(who, training.weights)
    with _starting(who):
        before = {job.folder for job in queue.going()}
        comparison = recipes.start_comparison(config)
        if comparison.path not in before and comparison.status().going:
            own(who, comparison.path, anew=True)
    return comparison


def start_job(who: Visitor, folder: Path, start: Callable[..., T], *given: object) -> T:
    """Start a job whose folder many share, as a lesson's; it is then the visitor's who started it.

    Parameters
    ----------
    who : Visitor
    folder : Path
        The job's.
    start : callable
        Returns False where somebody else had started it already.
    *given
        What ``start`` is called with.

    Raises
    ------
    ClassError
        When they have jobs enough already.
    """
    with _starting(who):
        result = start(*given)
        if result is not False:
            own(who, folder, anew=True)
    return result


def restart_job(who: Visitor, folder: Path, start: Callable[..., T], *given: object) -> T:
    """Resume or repeat a job; only who started it may, and the lecturer.

    Raises
    ------
    ClassError
        When it is somebody else's, or they have jobs enough already.
    """
    check_may_change(who, folder)
    with _starting(who):
        return start(*given)


def change_job(
    who: Visitor, folder: Path, action: Callable[..., T], *given: object, **options: object
) -> T:
    """Stop, name, archive or delete a job; only who started it may, and the lecturer.

    Parameters
    ----------
    who : Visitor
    folder : Path
        The job's.
    action : callable
        What changes it.
    *given, **options
        What ``action`` is called with.

    Raises
    ------
    ClassError
        When it is somebody else's; the sentence names them.
    """
    check_may_change(who, folder)
    result = action(*given, **options)
    if not folder.exists() and not who.free:
        disown(folder)
    return result


def check_weights(who: Visitor, weights: str) -> None:
    """Refuse weights in a class that are not among those that the lecturer named.

    Raises
    ------
    ClassError
        The sentence names the files there are.
    """
    settings = class_settings()
    if who.free or settings is None or weights in (*NAMED_VALUES, *settings.weights):
        return
    named = ", ".join(Path(file).name for file in settings.weights) or "none"
    raise ClassError(f"Weights come from the lecturer's files here ({named}); choose one of them.")


@contextmanager
def _starting(who: Visitor) -> Iterator[None]:
    """Let one start of a visitor go after the other, while there is room for it."""
    if who.may_all:
        yield
        return
    with workspace.turn(workspace.home() / "class" / who.id), queue.started_by(who.id):
        _check_room(who)
        yield


def _check_room(who: Visitor) -> None:
    own_things = {thing for thing, owner in owners().items() if owner == who.id}
    if sum(thing_of(job.folder) in own_things for job in queue.going()) >= MOST_JOBS:
        raise ClassError(
            "You already have three jobs, and each visitor may have one running and two waiting."
            " Stop one of them, or wait until one has finished."
        )
