"""A set in which colour tells the patient and nothing tells the class, and all lessons on it.

Every phenomenon is asserted on the same short runs.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lymph.lessons.catalogue import LESSONS
from lymph.lessons.data import LessonData, load_lesson_data

PATIENTS, PICTURES, SIDE = 5, 6, 64

# Options of each lesson's run, small enough for a second or two on two cores.
FAST: dict[str, dict[str, Any]] = {
    "leak": {"epochs": 12},
    "stale-optimiser": {"epochs": 3},
    "broadcast": {"epochs": 3},
    "mode": {"epochs": 3},
    "class-weights": {"epochs": 3},
    "freeze": {"epochs": 4, "pretraining": 1, "textures": 160},
    "luck": {"epochs": 6, "seeds": 4, "splits": 4},
    "colour": {"epochs": 2},
    "depth": {"epochs": 2},
    "control": {"draws": 2},
    "patient-names": {},
    "coverage": {"tests": 200},
    "selection": {"deals": 5},
    "confidence": {"redraws": 20, "sizes": (2, 8)},
}

# Short enough that five seeds of all lessons take seconds.
SHORT: dict[str, dict[str, Any]] = {
    "leak": {"epochs": 1},
    "stale-optimiser": {"epochs": 2},
    "broadcast": {"epochs": 2},
    "mode": {"epochs": 2},
    "class-weights": {"epochs": 1},
    "freeze": {"epochs": 2, "pretraining": 1, "textures": 64},
    "luck": {"epochs": 1, "seeds": 2, "splits": 2},
    "colour": {"epochs": 1},
    "depth": {"epochs": 2},
}


def write_fingerprints(
    root: Path, pictures: int = PICTURES, of_first: int = 0, stripes: float = 0.0
) -> Path:
    """Write noise pictures of three classes, five patients each, each in a colour of its own.

    ``pictures`` is the number of each patient's, ``of_first`` that of the first class's where it
    differs; ``stripes`` gives the classes stripes of that height in grey levels, each in a
    direction of its own.
    """
    rng = np.random.default_rng(0)
    colours = rng.permutation(3 * PATIENTS)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    waves = [np.sin(way / 2)[..., None] for way in (rows, columns, rows + columns)]
    for place, label in enumerate(("CLL", "FL", "MCL")):
        (root / label).mkdir(parents=True)
        for patient in range(PATIENTS):
            hue = 2 * np.pi * colours[PATIENTS * place + patient] / (3 * PATIENTS)
            colour = 150 + 60 * np.cos(hue + np.array([0.0, 2.1, 4.2]))
            for picture in range(pictures if place or not of_first else of_first):
                noisy = colour + stripes * waves[place] + rng.normal(0, 15, (SIDE, SIDE, 3))
                pixels = np.clip(noisy, 0, 255)
                name = f"sj-99-{10 * (place + 1) + patient}_{picture:03}.png"
                Image.fromarray(pixels.astype(np.uint8)).save(root / label / name)
    return root


@pytest.fixture(scope="module")
def fingerprints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LessonData]:
    """Return the set, with a workspace of its own that lasts as long."""
    home = tmp_path_factory.mktemp("lessons")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYMPH_HOME", str(home / "workspace"))
        yield load_lesson_data(write_fingerprints(home / "fingerprints"))


@pytest.fixture(scope="module")
def all_figures(fingerprints: LessonData) -> dict[str, Any]:
    """Return the figures of all lessons, run shortly.

    The third runs where most pictures are of the first class, which the model then calls most; the
    seventh where the class can be learned, more or less.
    """
    lopsided = write_fingerprints(fingerprints.root.parent / "lopsided", of_first=3 * PICTURES)
    data = {lesson.slug: fingerprints for lesson in LESSONS}
    data["broadcast"] = load_lesson_data(lopsided)
    striped = write_fingerprints(fingerprints.root.parent / "striped", stripes=30.0)
    data["luck"] = load_lesson_data(striped)
    return {
        lesson.slug: lesson.module().run(data[lesson.slug], **FAST[lesson.slug])
        for lesson in LESSONS
    }
