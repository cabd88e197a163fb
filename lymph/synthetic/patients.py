"""Who is in the set: the stain and the habits of each patient, and the cells of each class."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lymph.facts import PATIENT_PICTURES
from lymph.synthetic.field import Field

# Blocks as in the true names: most patients one block or none, 6124 two.
BLOCKS: dict[str, tuple[str, ...]] = {
    "852": ("R2",), "1396": ("R3",), "3874": ("R2",), "5269": ("R10",),
    "1467": ("R1",), "1881": ("R1",), "4881": ("R3",), "5311": ("R1",), "5389": ("R1",),
    "588": ("R1",), "6124": ("R3", "R4"), "894": ("R3",),
    "3077": ("R2",), "4525": ("R4",), "4967": ("R2",), "6010": ("R3",), "3362": ("R2",),
    "4179": ("R1",), "5326": ("R1",), "901": ("R1",),
}  # fmt: skip


FIRST_BLOCK_PICTURES = {"6124": 15}  # the other 16 are of block R4


@dataclass(frozen=True)
class Stain:
    """Colours and strengths of one staining run.

    Attributes
    ----------
    haematoxylin, eosin : tuple of float
        Optical density of the dye in red, green and blue light at strength one.
    h, e : float
        Strength of haematoxylin in nuclei and of eosin in the ground.
    """

    haematoxylin: tuple[float, float, float]
    eosin: tuple[float, float, float]
    h: float
    e: float


# Six runs, from pale to dark and from blue to red, span what laboratories deliver. They are
# dealt whatever the class: colour tells the patient, and the class by chance alone.
STAINS = (
    Stain((0.68, 0.70, 0.40), (0.14, 0.62, 0.44), 1.20, 0.48),  # blue-grey, pale
    Stain((0.60, 0.70, 0.34), (0.12, 0.74, 0.42), 1.40, 0.60),  # clear violet
    Stain((0.64, 0.72, 0.40), (0.16, 0.86, 0.42), 1.65, 0.60),  # deep violet
    Stain((0.58, 0.76, 0.46), (0.13, 0.95, 0.50), 1.50, 0.72),  # magenta
    Stain((0.60, 0.72, 0.50), (0.10, 0.82, 0.62), 1.20, 0.92),  # brick red
    Stain((0.64, 0.76, 0.56), (0.16, 0.74, 0.60), 1.55, 0.68),  # brown, dark
)


@dataclass(frozen=True)
class Ranges:
    """From-to of every habit of a patient, dealt whatever the class.

    All but the last are the shortcut: they tell the patient at a glance and carry no class.
    `architecture` decides how well the class is seen; below one it fades, so that in many
    pictures little but the nuclei speaks for the class.
    """

    strength: tuple[float, float] = (0.80, 1.26)  # factor on both dyes: section thickness
    redness: tuple[float, float] = (0.74, 1.34)  # eosin against haematoxylin
    light: tuple[float, float] = (0.88, 1.04)  # exposure of the camera
    warmth: tuple[float, float] = (-0.05, 0.05)  # white balance, red up and blue down
    shading: tuple[float, float] = (0.0, 0.10)  # light lost towards the corners
    focus: tuple[float, float] = (0.50, 1.05)  # blur, standard deviation in px
    sharpen: tuple[float, float] = (0.20, 0.90)  # the camera's own edge enhancement
    noise: tuple[float, float] = (1.0, 5.0)  # grey levels
    uneven: tuple[float, float] = (0.4, 1.7)  # how much its fields differ in stain
    size: tuple[float, float] = (0.86, 1.18)  # factor on nuclear radius
    crowding: tuple[float, float] = (0.92, 1.10)  # distance between nuclei
    slender: tuple[float, float] = (0.0, 0.35)  # nuclei drawn out, by the fixative
    chromatin: tuple[float, float] = (0.0, 0.45)  # pale middle of the nuclei
    mixed: tuple[float, float] = (0.12, 0.34)  # scatter of darkness between nuclei
    gaps: tuple[float, float] = (0.06, 0.50)  # white shrinkage between the cells
    fissures: tuple[float, float] = (0.0, 1.0)  # white cracks
    stroma: tuple[float, float] = (0.0, 1.0)  # pink strands
    vessels: tuple[float, float] = (0.2, 2.2)  # mean number in a picture
    bleeding: tuple[float, float] = (-1.6, 1.0)  # red patches, in every third patient
    squeeze: tuple[float, float] = (1.0, 1.3)  # cells flattened by the knife
    tilt: tuple[float, float] = (0.01, 0.10)  # section thicker on one side
    mottle: tuple[float, float] = (0.01, 0.06)  # clouds of uneven staining
    architecture: tuple[float, float] = (0.75, 1.35)  # how plainly the class shows


# Relative scatter of a habit between the fields of a patient of unevenness one.
FIELD_SCATTER = {
    "strength": 0.10,
    "redness": 0.10,
    "light": 0.02,
    "focus": 0.06,
    "gaps": 0.25,
    "size": 0.02,
    "crowding": 0.02,
    "mottle": 0.25,
    "tilt": 0.25,
}


FAINT = {"CLL": 0.3, "FL": 0.4, "MCL": 0.3}  # share of fields that hardly show the class


@dataclass(frozen=True)
class Cells:
    """Nuclear picture of one class.

    Attributes
    ----------
    radius, spread : float
        Mean radius in px and its relative scatter within a picture.
    long, bend : float
        Mean elongation above one, and indentation (cleft) of the nucleus.
    large : float
        Radius of the large pale cells of its centres, relative to `radius`.
    histiocytes : float
        Pink histiocytes without dark nuclei, mean number in a picture.
    """

    radius: float
    spread: float
    long: float
    bend: float
    large: float
    histiocytes: float


CELLS = {
    "CLL": Cells(radius=1.98, spread=0.10, long=0.10, bend=0.05, large=1.30, histiocytes=2),
    "FL": Cells(radius=2.20, spread=0.16, long=0.28, bend=0.32, large=1.28, histiocytes=6),
    "MCL": Cells(radius=2.15, spread=0.11, long=0.17, bend=0.15, large=1.25, histiocytes=36),
}


LYMPHOCYTE = Cells(radius=1.90, spread=0.09, long=0.05, bend=0.02, large=1.0, histiocytes=0)


@dataclass(frozen=True)
class Patient:
    """Everything that stays the same from picture to picture of a slide."""

    label: str
    number: str
    stain: Stain
    mantle: bool
    habit: dict[str, float]


def slides() -> Iterator[tuple[str, str, str, int]]:
    """List the slides of the set.

    Yields
    ------
    tuple
        Class, patient number, block (empty if none) and number of pictures.
    """
    for label, counts in PATIENT_PICTURES.items():
        for number, count in counts.items():
            blocks = BLOCKS.get(number, ("",))
            first = FIRST_BLOCK_PICTURES.get(number, count)
            for block, pictures in zip(blocks, (first, count - first), strict=False):
                yield label, number, block, pictures


def patients(seed: int) -> dict[str, Patient]:
    """Deal stains and habits to the 29 patients.

    Parameters
    ----------
    seed : int
        Seed of the set.

    Returns
    -------
    dict
        Patient by number. Each habit is spread evenly over its range, in an order of its own,
        whatever the class. Evenly within each class would be worse than fair: the patients left
        out would be those that the others of their class least resemble, and a model that has
        learned habits would be wrong about them more often than by chance.
    """
    rng = np.random.default_rng([seed, 7_000_000])
    known = [(label, n) for label, counts in PATIENT_PICTURES.items() for n in counts]
    dealt = {name: _deal(rng, len(known), *ends) for name, ends in vars(Ranges()).items()}
    runs = _deal(rng, len(known), 0, len(STAINS)).astype(int)
    mantle = rng.permutation(len(known)) % 5 > 0
    made = {}
    for i, (label, number) in enumerate(known):
        habit = {name: float(values[i]) for name, values in dealt.items()}
        habit["light"] = _exposure(STAINS[runs[i]], habit)
        made[number] = Patient(label, number, STAINS[runs[i]], bool(mantle[i]), habit)
    return made


def _deal(rng: np.random.Generator, count: int, low: float, high: float) -> Field:
    share = (rng.permutation(count) + rng.uniform(0.1, 0.9, count)) / count
    return (low + (high - low) * share).astype(np.float32)


def _exposure(stain: Stain, habit: dict[str, float]) -> float:
    # Dark slides are given more light, as anyone at a microscope does, up to the camera's white.
    dark = 0.40 * stain.h / habit["redness"] ** 0.5 + 0.42 * stain.e * habit["redness"]
    return min(habit["light"] * float(np.exp(0.3 * (habit["strength"] * dark - 0.83))), 1.14)


def of_block(patient: Patient, seed: int, block: str) -> Patient:
    # A second block was cut and stained on another day: the same stain, a little off.
    if block == BLOCKS.get(patient.number, ("",))[0]:
        return patient
    rng = np.random.default_rng([seed, int(patient.number), int(block[1:])])
    habit = dict(patient.habit)
    for name in ("strength", "redness"):
        habit[name] *= 1 + rng.choice([-1, 1]) * rng.uniform(0.03, 0.07)
    return replace(patient, habit=habit)


def vary(rng: np.random.Generator, patient: Patient) -> Patient:
    # Fields of one slide differ: in thickness and stain, in how far the cells shrank, in what
    # else lies there, and above all in how plainly they show the class.
    habit = dict(patient.habit)
    for name, scatter in FIELD_SCATTER.items():
        habit[name] *= float(np.exp(scatter * habit["uneven"] * rng.standard_normal()))
    habit["warmth"] += 0.012 * habit["uneven"] * float(rng.standard_normal())
    for name in ("fissures", "stroma", "bleeding"):
        habit[name] *= rng.uniform(0.3, 1.6)
    shown = (
        rng.uniform(0.0, 0.3) if rng.random() < FAINT[patient.label] else rng.uniform(0.75, 1.25)
    )
    habit["architecture"] = min(habit["architecture"] * shown, 1.0)
    return replace(patient, habit=habit)
