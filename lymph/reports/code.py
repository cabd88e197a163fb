"""The code behind a run: a script that repeats it through lymph and compares the figures."""

from pprint import pformat

from lymph.evaluation import report
from lymph.runs import Run

LEVELS = ("pictures", "patients")
MEASURES = ("accuracy", "balanced_accuracy", "macro_f1", "kappa")

SCRIPT = '''"""Repeat a run of lymph and compare its figures: python repeat_run.py [PICTURES]

PICTURES is the folder with one sub-folder per class, where it has moved. Run this where `lymph` can
be imported. The same figures come back on the same kind of computer with the same versions; other
ones may differ in the last digits, and training amplifies that.
"""

import sys

from lymph.data.source import PictureSource
from lymph.evaluation import report
from lymph.runs import create_run, train_here
from lymph.splits import Split
from lymph.training.config import TrainConfig

# Everything that the run was told.
CONFIG = {config}

# Who trains, validates and tests.
SPLIT = {split}

# What the run scored, and on what kind of computer.
RECORDED = {recorded}
ENVIRONMENT = {environment}


def main() -> None:
    config = dict(CONFIG)
    if len(sys.argv) > 1:
        config["source"] = PictureSource.from_json(config["source"]).moved_to(sys.argv[1])
    run = create_run(TrainConfig(**config), Split.from_json(SPLIT))
    status = train_here(run)
    if status.state != "finished":
        raise SystemExit(f"The run is {{status.state}}: {{status.error}}")
    figures = report(run.predictions(), RECORDED["set"])
    for warning in figures["warnings"]:
        print("With care:", warning)
    same = True
    for level in ("pictures", "patients"):
        for name, recorded in RECORDED[level].items():
            same &= figures[level][name] == recorded
            print(f"{{level}} {{name}}: {{figures[level][name]}}, recorded {{recorded}}")
    print("The same figures." if same else "Other figures: compare ENVIRONMENT with yours.")
    print("The run is kept in", run.path)


if __name__ == "__main__":
    main()
'''


def code_of(run: Run, set_name: str = "test") -> str:
    """Write a script that repeats a run and prints its figures beside the recorded ones.

    Parameters
    ----------
    run : Run
        A finished run.
    set_name : str
        The set whose figures are compared.

    Returns
    -------
    str
        Python; names and paths stand in it as literals only.
    """
    figures = report(run.predictions(), set_name)
    recorded = {level: {name: figures[level][name] for name in MEASURES} for level in LEVELS}
    parts = {
        "config": run.config.to_json(),
        "split": run.split().to_json(),
        "recorded": {"set": set_name, **recorded},
        "environment": run.environment(),
    }
    literals = {name: pformat(part, width=99, sort_dicts=False) for name, part in parts.items()}
    return SCRIPT.format(**literals)
