"""Draw the synthetic demonstration set: H&E-like pictures of CLL, FL and MCL.

No pixel here comes from a real slide. Every picture is built as tissue is seen: a layout of
follicles, strands and vessels, cell nuclei scattered on it, the optical densities of
haematoxylin, eosin and blood composed by the Beer-Lambert law, and a camera with its own lamp
and focus. The counts and the splitting into patients are those of the true set.
"""

import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree

from lymph import workspace
from lymph.data.parallel import map_in_threads
from lymph.errors import DataError
from lymph.facts import MARKER, PATIENT_PICTURES

WIDTH, HEIGHT = 417, 312  # the true pictures reduced to 30 % of 1388x1040
STEP = 3  # layout is smooth, so it is computed on every third pixel only
DRAWING = 2  # goes up when the same seed gives other pictures; a set is drawn anew only on request
YEAR = "99"  # no true slide has this year: a synthetic name is known at sight
HALF = 5  # half a nucleus's window: holds the largest radius of 4.4 px
EDGE = np.float32(1.1)  # px over which a nucleus fades out
MAKING, OLD = "-making", "-old"  # ends of the hidden names beside a set while it is drawn
MARGIN = 8  # canvas beyond the frame so that nuclei are cut by the frame

Field = NDArray[np.floating]

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
BLOOD = (0.16, 1.02, 0.98)  # red cells: eosin over the iron colour of haemoglobin
LAMP = (0.82, 0.87, 0.80)  # empty glass is faintly green in the true pictures


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


VAGUE = 0.65  # how pale the nodules of a follicular lymphoma are where its follicles are not seen
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


@dataclass
class Layout:
    """Where things lie: fields of shape (312, 417) and values from 0 to 1."""

    pale: Field
    dense: Field
    large: Field
    stroma: Field
    fibres: Field
    pink: Field
    blood: Field
    empty: Field


@dataclass
class Nuclei:
    """Columns of one value a nucleus; positions and radii in px."""

    x: Field
    y: Field
    radius: Field
    long: Field
    angle: Field
    bend: Field
    ink: Field
    vesicular: Field


def make_demo(
    folder: Path, seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Make the synthetic set of 374 pictures of 29 patients.

    Parameters
    ----------
    folder : Path
        Root of the set; made, or replaced if it is empty or an earlier synthetic set.
    seed : int
        Same seed, same bytes; each picture depends on seed, patient and its own number only.
    progress : callable, optional
        Called as ``progress(done, total)`` from the calling thread.

    Returns
    -------
    Path
        `folder`, holding CLL, FL, MCL and the marker file.

    Raises
    ------
    DataError
        If `folder` holds something that is not a synthetic set.
    DiskError
        If the disk is full or the place is closed to writing; nothing is left behind.
    """
    folder = Path(folder).absolute()
    _refuse_foreign(folder)
    making = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}{MAKING}")
    try:
        with workspace.writing(folder.parent):
            _draw_all(making, seed, progress)
            (making / MARKER).write_text(_marker_text(seed), encoding="utf-8")
            _put_in_place(making, folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def drawing_of(folder: Path) -> int:
    """Return which version of the drawing made a set; 0 of one that does not say."""
    try:
        text = (folder / MARKER).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return 0
    found = re.search(r"^Drawing: (\d{1,9})$", text, re.MULTILINE)
    return int(found[1]) if found else 0


def number_of_pictures() -> int:
    """Return how many pictures the set has."""
    return sum(count for *_, count in slides())


def pictures_drawn(folder: Path) -> int:
    """Count the pictures of a set that someone is drawing just now."""
    return sum(1 for _ in folder.parent.glob(f".{folder.name}-*{MAKING}/*/*.png"))


def clear_leftovers(folder: Path) -> None:
    """Delete what a killed drawing left beside a set, and put a set back that it had moved away.

    Only for one who knows that nobody is drawing the set.
    """
    for old in folder.parent.glob(f".{folder.name}-*{OLD}"):
        if not folder.exists():
            old.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    for making in folder.parent.glob(f".{folder.name}-*{MAKING}"):
        shutil.rmtree(making, ignore_errors=True)


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


def draw_picture(patient: Patient, seed: int, block: str, picture: int) -> NDArray[np.uint8]:
    """Draw one picture.

    Parameters
    ----------
    patient : Patient
        Stain and habits, from `patients`.
    seed, block, picture
        With the patient's number they fix every random choice.

    Returns
    -------
    ndarray of uint8, shape (312, 417, 3)
        Red, green and blue.
    """
    key = [seed, int(patient.number), int(block[1:] or 0), picture]
    rng = np.random.default_rng(key)
    patient = _vary(rng, _of_block(patient, seed, block))
    layout = _layout(rng, patient)
    densities = _densities(rng, patient, layout)
    return _photograph(rng, patient, densities)


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


def _of_block(patient: Patient, seed: int, block: str) -> Patient:
    # A second block was cut and stained on another day: the same stain, a little off.
    if block == BLOCKS.get(patient.number, ("",))[0]:
        return patient
    rng = np.random.default_rng([seed, int(patient.number), int(block[1:])])
    habit = dict(patient.habit)
    for name in ("strength", "redness"):
        habit[name] *= 1 + rng.choice([-1, 1]) * rng.uniform(0.03, 0.07)
    return replace(patient, habit=habit)


def _vary(rng: np.random.Generator, patient: Patient) -> Patient:
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


# --- layout -----------------------------------------------------------------------------------


def _noise(rng: np.random.Generator, scale: float, step: int = STEP) -> Field:
    # Smooth noise of unit scatter; `scale` is the size of its clouds in px.
    height, width = HEIGHT // step, WIDTH // step
    rows, columns = (int(np.ceil(n * step / scale)) + 3 for n in (height, width))
    coarse = rng.standard_normal((rows, columns), dtype=np.float32)
    left, top = rng.uniform(0, 1, 2)
    box = (left, top, left + width * step / scale, top + height * step / scale)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC, box=box)
    return np.asarray(image) / np.float32(0.72)


def _smooth(values: Field, low: float, high: float) -> Field:
    share = np.clip((values - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def _grid() -> tuple[Field, Field]:
    y, x = np.mgrid[0:HEIGHT:STEP, 0:WIDTH:STEP].astype(np.float32)
    return x, y


def _distance(
    rng: np.random.Generator, centres: Field, radii: Field, rough: float
) -> tuple[Field, NDArray[np.intp]]:
    # Distance to the nearest centre in units of its radius, with a rough outline, and which.
    x, y = _grid()
    angle = rng.uniform(0, np.pi, len(radii))[:, None, None]
    squash = rng.uniform(1.0, 1.25, len(radii))[:, None, None]
    dx, dy = x - centres[:, 0, None, None], y - centres[:, 1, None, None]
    along = (np.cos(angle) * dx + np.sin(angle) * dy) / squash
    across = (np.cos(angle) * dy - np.sin(angle) * dx) * squash
    far = np.sqrt(along**2 + across**2) / radii[:, None, None]
    return (far.min(0) + rough * _noise(rng, 45)).astype(np.float32), far.argmin(0)


def _packed(rng: np.random.Generator, pitch: float, shift: float) -> Field:
    # Staggered rows, turned at random and jittered, reaching beyond the frame: shape (n, 2).
    reach = 0.5 * np.hypot(WIDTH, HEIGHT) + pitch
    j, i = np.mgrid[-int(reach / (0.87 * pitch)) - 1 : reach / (0.87 * pitch) + 1,
                    -int(reach / pitch) - 1 : reach / pitch + 1]  # fmt: skip
    points = np.stack([(i + 0.5 * (j % 2)).ravel(), 0.87 * j.ravel()], 1)
    points += rng.uniform(-shift, shift, points.shape) + rng.uniform(-0.5, 0.5, 2)
    angle = rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = points @ turn * pitch + (WIDTH / 2, HEIGHT / 2)
    near = np.abs(points - (WIDTH / 2, HEIGHT / 2)) < (WIDTH / 2 + pitch, HEIGHT / 2 + pitch)
    return points[near.all(1)].astype(np.float32)


@dataclass(frozen=True)
class Centres:
    """Centres of one class: from-to of their distance and radius in px, jitter and roughness."""

    pitch: tuple[float, float]
    radius: tuple[float, float]
    jitter: float
    rough: float


CENTRES = {
    "CLL": Centres(pitch=(135, 190), radius=(36, 60), jitter=0.30, rough=0.15),
    "FL": Centres(pitch=(85, 145), radius=(32, 54), jitter=0.22, rough=0.10),
    "MCL": Centres(pitch=(125, 170), radius=(17, 26), jitter=0.25, rough=0.10),
}


def _architecture(rng: np.random.Generator, patient: Patient) -> tuple[Field, Field, Field]:
    # Pale, dense and large-celled places, each centre as plain as it happens to be cut.
    kind = CENTRES[patient.label]
    centres = _packed(rng, rng.uniform(*kind.pitch), kind.jitter)
    far, nearest = _distance(rng, centres, rng.uniform(*kind.radius, len(centres)), kind.rough)
    shown = rng.uniform(0, 1, len(centres)) < rng.uniform(0.55, 1.0)
    plain = gaussian_filter(shown[nearest].astype(np.float32), 4) * patient.habit["architecture"]
    if patient.label == "FL":
        # Follicles: pale and large-celled inside, small dark cells between them.
        pale, dense = 1 - _smooth(far, 0.88, 1.02), _smooth(far, 0.96, 1.10)
    elif patient.label == "CLL":
        # Proliferation centres: vague paler clouds without a rim.
        pale, dense = np.exp(-(np.clip(far, 0, 3) ** 3)), np.zeros_like(far)
    else:
        # Mantle zone pattern: a broad dark ring about a small pale residual germinal centre.
        pale = 1 - _smooth(far, 0.85, 1.10)
        dense = _smooth(far, 0.95, 1.2) * (1 - _smooth(far, 2.5, 3.3))
        plain *= 1.0 if patient.mantle else 0.6
    pale, dense = pale * plain, dense * plain
    if patient.label == "FL":
        # Where no follicle is seen, large pale cells still lie together in vague nodules.
        pale = np.maximum(pale, VAGUE * _smooth(_noise(rng, 32), 0.0, 1.0))
    return pale, dense, pale


def _layout(rng: np.random.Generator, patient: Patient) -> Layout:
    habit = patient.habit
    pale, dense, large = _architecture(rng, patient)
    stroma, fibres = _strands(rng, habit["stroma"])
    spill = _noise(rng, 80) + 0.4 * _noise(rng, 16)
    start = 2.4 - 1.5 * max(0.0, habit["bleeding"])
    blood = _smooth(_full(spill), start, start + 1.2) * _smooth(_full(_noise(rng, 7)), -0.6, 0.8)
    wall, lumen = _vessels(rng, habit["vessels"])
    empty = _cracks(rng, habit["fissures"])
    inside = np.maximum(wall, lumen)
    filled = rng.random() < 0.5
    return Layout(
        pale=_full(pale),
        dense=_full(dense),
        large=_full(large),
        stroma=np.maximum(stroma * (1 - inside), wall),
        fibres=fibres,
        pink=_histiocytes(rng, CELLS[patient.label].histiocytes),
        blood=np.maximum(blood * (1 - inside), lumen * filled),
        empty=np.maximum(empty * (1 - wall), lumen * (0.45 if filled else 0.9)),
    )


def _histiocytes(rng: np.random.Generator, mean: float) -> Field:
    # Scattered single cells with broad pink bodies, typical of mantle cell lymphoma.
    spots = np.zeros((HEIGHT // STEP, WIDTH // STEP), dtype=np.float32)
    count = int(rng.poisson(mean))
    spots[rng.integers(0, spots.shape[0], count), rng.integers(0, spots.shape[1], count)] = 1
    return _smooth(_full(gaussian_filter(spots, 1.3)), 0.025, 0.06)


def _strands(rng: np.random.Generator, amount: float) -> tuple[Field, Field]:
    # Contours of a noise are curved bands; its finer contours run along them like fibres.
    line = _full(_noise(rng, 110) + 0.25 * _noise(rng, 28))
    where = _full(_noise(rng, 80))
    width = (0.02 + 0.12 * amount) * np.clip(0.6 + 0.5 * where, 0.15, 1.5)
    strand = 1 - _smooth(np.abs(line) / width, 0.5, 1.0)
    start = 1.1 - 1.7 * amount
    fibres = 0.5 + 0.5 * np.cos(75 * line + 3.0 * _full(_noise(rng, 12)))
    return strand * _smooth(where, start, start + 0.5), fibres


def _vessels(rng: np.random.Generator, mean: float) -> tuple[Field, Field]:
    # Small vessels cut at any angle: a pink wall about a lumen.
    wall, lumen = np.zeros((2, HEIGHT, WIDTH), dtype=np.float32)
    for _ in range(min(int(rng.poisson(mean)), 6)):
        x, y = int(rng.uniform(0, WIDTH)), int(rng.uniform(0, HEIGHT))
        window = (slice(max(0, y - 26), min(HEIGHT, y + 27)),
                  slice(max(0, x - 26), min(WIDTH, x + 27)))  # fmt: skip
        dy, dx = np.mgrid[window].astype(np.float32)
        radius, thick = rng.uniform(3.5, 9), rng.uniform(2.0, 4.0)
        far = _bent_ellipse(rng, dx - x, dy - y)
        hollow = 1 - _smooth(far, radius - thick - 0.6, radius - thick + 0.6)
        body = 1 - _smooth(far, radius - 0.8, radius + 0.8)
        lumen[window] = np.maximum(lumen[window], hollow)
        wall[window] = np.maximum(wall[window], body) * (1 - hollow)
    return wall, lumen


def _bent_ellipse(rng: np.random.Generator, dx: Field, dy: Field) -> Field:
    squash, angle = rng.uniform(1.0, 1.9), rng.uniform(0, np.pi)
    along = np.cos(angle) * dx + np.sin(angle) * dy
    across = np.cos(angle) * dy - np.sin(angle) * dx + along * along / 170
    return np.sqrt((along / squash) ** 2 + across**2 * squash).astype(np.float32)


def _cracks(rng: np.random.Generator, amount: float) -> Field:
    # Few long cracks, and a small chance of a round hole such as a fat cell leaves.
    line = _full(_noise(rng, 95) + 0.15 * _noise(rng, 20)) + 0.03 * _noise(rng, 6, 1)
    where = _full(_noise(rng, 70))
    crack = _smooth(where, 2.1 - amount, 2.4 - amount) * (1 - _smooth(np.abs(line), 0.015, 0.05))
    if rng.random() < 0.15:
        centre = rng.uniform(0, (WIDTH, HEIGHT), (1, 2)).astype(np.float32)
        far = _full(_distance(rng, centre, rng.uniform(6, 14, 1).astype(np.float32), 0.03)[0])
        crack = np.maximum(crack, 1 - _smooth(far, 0.88, 1.02))
    return crack


# --- nuclei -----------------------------------------------------------------------------------


def _at(field: Field, points: Field) -> Field:
    column = np.clip(points[:, 0], 0, WIDTH - 1).astype(int)
    row = np.clip(points[:, 1], 0, HEIGHT - 1).astype(int)
    return field[row, column]


def _full(field: Field) -> Field:
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))


def _population(
    rng: np.random.Generator,
    points: Field,
    kind: Cells,
    habit: dict[str, float],
    share_large: Field,
) -> Nuclei:
    count = len(points)
    scatter = rng.standard_normal((4, count), dtype=np.float32)
    big = rng.random(count, dtype=np.float32) < 0.85 * share_large
    radius = kind.radius * habit["size"] * (1 + kind.spread * scatter[0])
    radius = np.clip(radius * np.where(big, kind.large, 1), 1.3, 4.4).astype(np.float32)
    long = 1 + (kind.long + habit["slender"]) * np.abs(scatter[1])
    ink = (1 + habit["mixed"] * scatter[2]) * np.where(big, 0.72, 1)
    vesicular = np.where(big, 0.40, 0.0).astype(np.float32) + np.float32(habit["chromatin"])
    angle = rng.uniform(0, np.pi, count).astype(np.float32)
    bend = kind.bend * scatter[3]
    x, y = points.T
    return Nuclei(x, y, radius, long, angle, bend, np.clip(ink, 0.4, 1.5), vesicular)


def _scatter(rng: np.random.Generator, patient: Patient, layout: Layout) -> Nuclei:
    # Tumour cells on one packing, small lymphocytes of rims on a denser one.
    habit, kind = patient.habit, CELLS[patient.label]
    free = 1 - np.clip(
        0.85 * layout.stroma + 0.9 * layout.pink + 2.0 * layout.empty + 0.5 * layout.blood, 0, 1
    )
    parts = []
    for cells, wanted, loose in (
        (kind, free * (1 - 0.85 * layout.dense) * (1 - 0.22 * layout.pale), 2.50),
        (LYMPHOCYTE, free * layout.dense, 2.30),
    ):
        pitch = cells.radius * habit["size"] * habit["crowding"] * loose
        points = _packed(rng, pitch, 0.45)
        points = points[rng.random(len(points)) < _at(wanted, points)]
        large = _at(layout.large, points) if cells is kind else np.zeros(len(points))
        part = _population(rng, points, cells, habit, large)
        part.ink *= 1 - 0.37 * _at(layout.pale, points) + 0.40 * _at(layout.dense, points)
        parts.append(part)
    joined = {n: np.concatenate([vars(p)[n] for p in parts]) for n in vars(parts[0])}
    return _push_apart(Nuclei(**joined))


def _push_apart(nuclei: Nuclei) -> Nuclei:
    # Two steps of repulsion turn random overlaps into the close packing of real tissue.
    for _ in range(2):
        points = np.stack([nuclei.x, nuclei.y], 1)
        a, b = KDTree(points).query_pairs(5.5, output_type="ndarray").T
        gap = points[b] - points[a]
        far = np.maximum(np.sqrt((gap**2).sum(1)), 0.3)
        push = np.clip(1.16 * (nuclei.radius[a] + nuclei.radius[b]) - far, 0, 2) * 0.45 / far
        for name, column in (("x", 0), ("y", 1)):
            move = push * gap[:, column]
            total = np.bincount(b, move, len(points)) - np.bincount(a, move, len(points))
            setattr(nuclei, name, (getattr(nuclei, name) + total).astype(np.float32))
    return nuclei


def _stamp(nuclei: Nuclei, squeeze: float) -> Field:
    # Densities of all nuclei added up on the frame, each computed in its own small window.
    x, y = nuclei.x + MARGIN, nuclei.y + MARGIN
    wide, high = WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN
    kept = (x > HALF + 1) & (y > HALF + 1) & (x < wide - HALF - 2) & (y < high - HALF - 2)
    n = Nuclei(**{name: v[kept, None].astype(np.float32) for name, v in vars(nuclei).items()})
    left, top = np.floor(n.x + MARGIN).astype(int), np.floor(n.y + MARGIN).astype(int)
    oy, ox = (o.reshape(1, -1) for o in np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1])
    dx = ox.astype(np.float32) + (left - MARGIN - n.x).astype(np.float32)
    dy = oy.astype(np.float32) + (top - MARGIN - n.y).astype(np.float32)
    ink = _nucleus(n, dx, dy * np.float32(squeeze))
    place = (top * wide + left) + (oy * wide + ox)
    canvas = np.bincount(place.ravel(), ink.ravel(), wide * high).reshape(high, wide)
    return canvas[MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.float32)


def _nucleus(n: Nuclei, dx: Field, dy: Field) -> Field:
    # Turned ellipse, bent to a kidney where the nucleus is cleaved; a vesicular nucleus has
    # its chromatin at the membrane and a pale middle.
    cos, sin, stretch = np.cos(n.angle), np.sin(n.angle), np.sqrt(n.long)
    along = (cos * dx + sin * dy) / stretch
    across = (cos * dy - sin * dx) * stretch
    across += n.bend / n.radius * along * along
    square = along * along + across * across
    cover = np.clip((n.radius - np.sqrt(square)) / EDGE + np.float32(0.5), 0, 1)
    cover *= n.ink * (1 - n.vesicular) + n.ink * n.vesicular / n.radius**2 * square
    return cover


# --- densities and camera ---------------------------------------------------------------------


def _densities(rng: np.random.Generator, patient: Patient, layout: Layout) -> Field:
    # Amounts of haematoxylin, eosin and blood, shape (3, 312, 417).
    gaps = patient.habit["gaps"]
    nuclei = _stamp(_scatter(rng, patient, layout), patient.habit["squeeze"])
    grain = 2.2 * gaussian_filter(rng.standard_normal((HEIGHT, WIDTH), dtype=np.float32), 0.7)
    body = 1 - np.exp(-1.6 * nuclei)
    h = 1.15 * body * (1 + 0.14 * grain)
    # Cells shrink in the fixative: the ground is clear close to nuclei, pink where they are few.
    close = _smooth(gaussian_filter(nuclei, 1.5), 0.05, 0.55)
    clear = gaps * close * (1 - 0.7 * layout.stroma) * (1 - 0.6 * layout.pink)
    e = (0.75 + 0.12 * grain + 0.15 * _noise(rng, 7, 1) - 0.25 * layout.pale) * (1 - clear)
    e += layout.stroma * (0.45 + 0.5 * layout.fibres) * (1 - 0.5 * body)
    red = _red_cells(rng, layout) * (1 - 0.8 * body)
    tissue = 1 - _smooth(layout.empty, 0.25, 0.75)
    h += 0.16 * (1 - clear)
    return np.stack([h * tissue, np.clip(e, 0.03, 3) * tissue, red])


def _red_cells(rng: np.random.Generator, layout: Layout) -> Field:
    points = _packed(rng, 3.4, 0.45)
    points = points[rng.random(len(points)) < _at(0.9 * layout.blood, points)]
    kind = Cells(radius=1.6, spread=0.15, long=0.4, bend=0.0, large=1.0, histiocytes=0)
    habit = {"size": 1.0, "slender": 0.0, "mixed": 0.22, "chromatin": 0.12}
    cells = _population(rng, points, kind, habit, np.zeros(len(points)))
    return np.minimum(_stamp(cells, 1.0), 1.1)


def _photograph(rng: np.random.Generator, patient: Patient, amounts: Field) -> NDArray[np.uint8]:
    # Beer-Lambert: densities add, light falls with their exponential.
    habit, stain = patient.habit, patient.stain
    thick = 1 + habit["mottle"] * _full(_noise(rng, 120)) + habit["tilt"] * _slope(rng)
    amounts = amounts * (habit["strength"] * thick)
    amounts[0] *= stain.h / habit["redness"] ** 0.5
    amounts[1] *= stain.e * habit["redness"]
    vectors = np.array([stain.haematoxylin, stain.eosin, BLOOD], dtype=np.float32)
    white = 255 * habit["light"] * np.array(LAMP) * (1 + habit["warmth"] * np.array([1, 0, -1]))
    noise = rng.standard_normal((HEIGHT, WIDTH), dtype=np.float32) * np.float32(habit["noise"])
    lens = 1 - np.float32(habit["shading"]) * _corners()
    picture = np.empty((HEIGHT, WIDTH, 3), dtype=np.uint8)
    for channel in range(3):
        density = sum(a * v for a, v in zip(amounts, vectors[:, channel], strict=True))
        light = np.exp(-density) * lens * np.float32(white[channel])
        light = gaussian_filter(light, habit["focus"])
        light += habit["sharpen"] * (light - gaussian_filter(light, 1.2))
        picture[..., channel] = np.clip(light + noise + 0.5, 0, 255)
    return picture


def _slope(rng: np.random.Generator) -> Field:
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32) * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, HEIGHT, dtype=np.float32) * np.float32(np.sin(angle))
    return x[None, :] + y[:, None]


def _corners() -> Field:
    # From 0 in the middle of the frame to 1 in its corners, as the light of a lens falls off.
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)
    y = np.linspace(-1, 1, HEIGHT, dtype=np.float32)
    return (x[None, :] ** 2 + y[:, None] ** 2) / 2


# --- files ------------------------------------------------------------------------------------


def _draw_all(root: Path, seed: int, progress: Callable[[int, int], None] | None) -> None:
    # Threads, not processes: numpy and Pillow let go of the interpreter while they work, and a
    # spawned process would run the Streamlit script a second time.
    known = patients(seed)
    jobs = []
    for label, number, block, count in slides():
        (root / label).mkdir(parents=True, exist_ok=True)
        name = f"sj-{YEAR}-{number}{'-' if block else ''}{block}"
        for picture in range(1, count + 1):
            path = root / label / f"{name}_{picture:03d}.png"
            jobs.append((known[number], seed, block, picture, path))
    for _ in map_in_threads(lambda job: _draw_file(*job), jobs, progress):
        pass


def _draw_file(patient: Patient, seed: int, block: str, picture: int, path: Path) -> None:
    image = Image.fromarray(draw_picture(patient, seed, block, picture))
    image.save(path, compress_level=1)


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists() or (folder / MARKER).is_file():
        return
    if not folder.is_dir() or any(folder.iterdir()):
        raise DataError(f"{folder} holds files that are not a synthetic set; name an empty folder.")


def _put_in_place(made: Path, folder: Path) -> None:
    # Rename is the last step, so a set under its own name is always whole.
    old = made.with_name(made.name.removesuffix(MAKING) + OLD)
    if folder.exists():
        folder.rename(old)
    try:
        made.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _marker_text(seed: int) -> str:
    return (
        "All pictures in this folder are drawn by a computer program (lymph.data.demo).\n"
        "They show no patient and no tissue; names, patients and classes are made up to have\n"
        "the counts of the true set. Use them to teach and to try the program, never to judge\n"
        f"disease.\nDrawing: {DRAWING}\nSeed: {seed}\n"
    )
