"""``python -m bench.ready``: make the two runs that come with lymph.

Draws the demonstration set, trains the small CNN on it with its default settings, once with
patients apart and once with pictures assigned at random, and keeps of each run what pages read.
Checkpoints to go on from are left out: the runs are finished.
"""

import os
import shutil
import tempfile
from pathlib import Path

from lymph import workspace
from lymph.data.source import PictureSource
from lymph.data.sources import make_demonstration
from lymph.evaluation import report
from lymph.runs import About, create_run, train_here, write_about
from lymph.runs.ready import FILES, NAMES, READY
from lymph.splits import split_by_patient, split_by_picture
from lymph.training import folder as files
from lymph.training.config import TrainConfig

SPLITS = {"by-patient": split_by_patient, "by-picture": split_by_picture}


def make(place: Path) -> None:
    """Train both runs in a workspace of their own and keep them in the package."""
    source = PictureSource(str(make_demonstration().path)).look().source
    for name, split in SPLITS.items():
        run = create_run(TrainConfig(source), split(source.usable()), place / name)
        status = train_here(run)
        if status.state != "finished":
            raise SystemExit(f"The run is {status.state}: {status.error}")
        write_about(run, About(NAMES[name]))
        shutil.rmtree(READY / name, ignore_errors=True)
        (READY / name).mkdir(parents=True)
        for file in FILES:
            shutil.copyfile(run.path / file, READY / name / file)
        forget_machine(READY / name)
        size = sum(file.stat().st_size for file in (READY / name).iterdir())
        accuracy = report(run.predictions())["pictures"]["accuracy"]
        print(f"{name}: {100 * accuracy:.0f} % of the test pictures, {size / 1000:.0f} kB")


def forget_machine(run: Path) -> None:
    """Take out what tells of the machine that trained it: paths, process, host, kernel."""
    changes = {
        files.CONFIG: lambda kept: {**kept, "source": {**kept["source"], "root": ""}},
        files.STATUS: lambda kept: {**kept, "pid": 0, "process_started": 0.0, "host": ""},
        files.ENVIRONMENT: lambda kept: {**kept, "platform": kept["platform"].split("-")[0]},
    }
    for name, change in changes.items():
        workspace.write_json(run / name, change(workspace.read_json(run / name)))


def main() -> None:
    """Make them."""
    with tempfile.TemporaryDirectory() as place:
        os.environ["LYMPH_HOME"] = place
        make(Path(place))


if __name__ == "__main__":
    main()
