"""What most notebooks need, in one place; ``import lymph`` offers it and loads it on first use.

import lymph

table = lymph.scan("pictures")
split = lymph.split_by_patient(table)
run = lymph.train("pictures", split, model="cnn", epochs=5)
lymph.evaluate(run)["patients"]["accuracy"]
lymph.classify(run, "new-pictures")
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lymph import splits
from lymph.data.scan import usable
from lymph.data.source import PictureSource, source_of
from lymph.data.sources import is_synthetic
from lymph.errors import RunError
from lymph.evaluation import report
from lymph.runs import Run, create_run, open_run, run_folder, train_here
from lymph.splits import FRACTIONS, Audit, Split, audit_files
from lymph.training.config import TrainConfig

if TYPE_CHECKING:
    from lymph.inference import Answer

Data = str | Path | PictureSource


def _source(data: Data) -> PictureSource:
    return data if isinstance(data, PictureSource) else source_of(data)


def scan(data: Data) -> pd.DataFrame:
    """Return the picture table of a folder: one row per image.

    Parameters
    ----------
    data : str, Path or PictureSource
        A folder, read as it was corrected in the app; a ``PictureSource`` says what tells classes
        and patients.

    Returns
    -------
    DataFrame
        Columns ``picture label patient slide width height mode bytes problem``; ``problem`` is
        empty for a sound image.

    Raises
    ------
    DataError
        When the folder, a table or the pattern cannot serve.
    """
    return _source(data).table()


def split_by_patient(
    table: pd.DataFrame, fractions: tuple[float, float, float] = FRACTIONS, seed: int = 0
) -> Split:
    """Split the sound images of a picture table so that each patient belongs to one set only.

    See :func:`lymph.splits.split_by_patient`.

    Raises
    ------
    LymphError
        When fewer than two classes have a sound image, or no split can be made.
    """
    return splits.split_by_patient(usable(table), fractions, seed)


def train(
    data: Data,
    split: Split | str | Path,
    model: str = "cnn",
    run: str | Path | None = None,
    **settings: Any,
) -> Run:
    """Train a run in this process and return it.

    Parameters
    ----------
    data : str, Path or PictureSource
        As for :func:`scan`.
    split : Split, str or Path
        A split, or its file.
    model : str
        One of :data:`lymph.models.specs.MODELS`.
    run : str or Path, optional
        A name for the run in the workspace, or with a slash its folder; by default it gets a name
        of its own.
    **settings
        Other settings of :class:`lymph.training.config.TrainConfig`, such as ``epochs=5``.

    Raises
    ------
    LymphError
        When a setting is impossible, the data cannot be used, or the training fails.
    """
    config = TrainConfig(source=_source(data), model=model, **settings)
    split = split if isinstance(split, Split) else Split.load(Path(split))
    made = create_run(config, split, None if run is None else run_folder(run))
    status = train_here(made)
    if status.state == "failed":
        raise RunError(status.error)
    return made


def evaluate(run: Run | str | Path, set_name: str = "test") -> dict[str, Any]:
    """Return the figures of one set of a finished run, with what may be stated of them.

    Parameters
    ----------
    run : Run, str or Path
        A run, its name in the workspace, or its folder.
    set_name : str
        ``test``, ``train``, ``val`` or ``out-of-fold``.

    Returns
    -------
    dict
        See :func:`lymph.evaluation.report`; ``caveat`` is there where patients are unknown.

    Raises
    ------
    LymphError
        When the run has no predictions, or the set is empty.
    """
    run = _run(run)
    source = run.config.source
    # Drawings say nothing of real slides.
    figures = report(run.predictions(), set_name, is_synthetic(source.root))
    return {**figures, **({"caveat": source.caveat} if source.caveat else {})}


def classify(run: Run | str | Path, pictures: str | Path | Sequence[str | Path]) -> "list[Answer]":
    """Classify images with a finished run.

    Parameters
    ----------
    run : Run, str or Path
        As for :func:`evaluate`.
    pictures : str, Path or sequence of them
        Files; a folder stands for the images below it.

    Returns
    -------
    list of Answer
        Dictionaries, one per file, see :class:`lymph.inference.Answer`; a file that cannot be read
        has its ``problem``.

    Raises
    ------
    LymphError
        When the run keeps no model, or there is no image.
    """
    # Loaded late: torch stands behind it.
    from lymph.inference import classify_files, load_classifier, picture_files

    named = [pictures] if isinstance(pictures, (str, Path)) else pictures
    files = picture_files([Path(name) for name in named])
    return list(classify_files(load_classifier(_run(run)), files))


def audit(*files: str | Path, pattern: str = "", folds: bool = False) -> Audit:
    """Say which patients of a published split both train and test.

    Parameters
    ----------
    *files : str or Path
        Lists or tables of names, training first; see :func:`lymph.splits.audit_files`.
    pattern : str
        Regular expression that reads the patient from a name; the one that fits best by default.
    folds : bool
        Each file lists the test images of one fold.

    Raises
    ------
    LymphError
        When a file cannot be read, the sides are unclear, or nothing tells the patients.
    """
    return audit_files(files, pattern, folds)


def _run(run: Run | str | Path) -> Run:
    return run if isinstance(run, Run) else open_run(run)
