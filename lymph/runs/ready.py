"""The two runs that come with lymph, so that a new workspace has results before its first training.

Made by ``python -m bench.ready`` on the demonstration set: the small CNN with patients apart, and
its leaky twin, with pictures assigned at random.
"""

import shutil
import uuid
from pathlib import Path

from lymph import workspace
from lymph.evaluation import patient_results
from lymph.runs.run import Run
from lymph.training import folder as files

READY = Path(__file__).parent / "ready"

HONEST, LEAKY = "by-patient", "by-picture"
NAMES = {
    HONEST: "Came with lymph, patients apart",
    LEAKY: "Came with lymph, pictures assigned at random",
}
# What pages read of a finished run.
FILES = (
    files.CONFIG,
    files.SPLIT,
    files.METRICS,
    files.BEST,
    files.PREDICTIONS,
    files.ENVIRONMENT,
    files.SUMMARY,
    files.OOD,
    files.FEATURES,
    files.STATUS,
    files.ABOUT,
)
# Its file in the workspace says that they were taken in once: who deletes them is rid of them.
TAKEN_IN = ".ready"


def ready_run(name: str) -> Run:
    """Return a run that came with lymph, as it lies in the workspace; it may have been deleted."""
    return Run(workspace.runs_home() / name)


def shown_first() -> list[str]:
    """Return the test pictures of the honest run that comes with lymph, as its results list them.

    They are paths below the root of the demonstration set.
    """
    predicted = Run(READY / HONEST).predictions()
    tested = predicted[predicted["set"] == "test"]
    own = tested.groupby("patient")["picture"]
    return [
        path for patient in patient_results(tested)["patient"] for path in own.get_group(patient)
    ]


def take_in_ready_runs(pictures: Path) -> None:
    """Copy the runs that come with lymph into the workspace, the first time only.

    Parameters
    ----------
    pictures : Path
        Where the demonstration set lies, or will.

    Raises
    ------
    DiskError
        When the disk is full or the workspace is closed to writing.
    """
    home = workspace.runs_home()
    with workspace.turn(home / TAKEN_IN):
        if (home / TAKEN_IN).exists():
            return
        for name in NAMES:
            if not (home / name).exists():
                _copy(READY / name, home / name, pictures)
        workspace.write_text(home / TAKEN_IN, "The runs that come with lymph were taken in.\n")


def _copy(run: Path, to: Path, pictures: Path) -> None:
    """Copy a run under another name first: a run is whole or not there."""
    making = to.with_name(f".{to.name}.{uuid.uuid4().hex[:8]}")
    try:
        with workspace.writing(to.parent):
            making.mkdir(parents=True)
            for file in FILES:
                shutil.copyfile(run / file, making / file)
            config = workspace.read_json(making / files.CONFIG)
            config["source"]["root"] = str(pictures)
            workspace.write_json(making / files.CONFIG, config)
            making.rename(to)
    finally:
        shutil.rmtree(making, ignore_errors=True)
