"""Optical densities of the dyes, and the camera that photographs them."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from lymph.synthetic.field import (
    HEIGHT,
    WIDTH,
    Field,
    clouds,
    enlarged,
    packed_points,
    smooth_step,
    values_at,
)
from lymph.synthetic.layout import Layout, lay_out
from lymph.synthetic.nuclei import nuclei_at, scatter_nuclei, stamp
from lymph.synthetic.patients import Cells, Patient, of_block, vary

BLOOD = (0.16, 1.02, 0.98)  # red cells: eosin over the iron colour of haemoglobin


LAMP = (0.82, 0.87, 0.80)  # empty glass is faintly green in the true pictures


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
    patient = vary(rng, of_block(patient, seed, block))
    layout = lay_out(rng, patient)
    densities = _densities(rng, patient, layout)
    return _photograph(rng, patient, densities)


def _densities(rng: np.random.Generator, patient: Patient, layout: Layout) -> Field:
    # Amounts of haematoxylin, eosin and blood, shape (3, 312, 417).
    gaps = patient.habit["gaps"]
    nuclei = stamp(scatter_nuclei(rng, patient, layout), patient.habit["squeeze"])
    grain = 2.2 * gaussian_filter(rng.standard_normal((HEIGHT, WIDTH), dtype=np.float32), 0.7)
    body = 1 - np.exp(-1.6 * nuclei)
    h = 1.15 * body * (1 + 0.14 * grain)
    # Cells shrink in the fixative: the ground is clear close to nuclei, pink where they are few.
    close = smooth_step(gaussian_filter(nuclei, 1.5), 0.05, 0.55)
    clear = gaps * close * (1 - 0.7 * layout.stroma) * (1 - 0.6 * layout.pink)
    e = (0.75 + 0.12 * grain + 0.15 * clouds(rng, 7, 1) - 0.25 * layout.pale) * (1 - clear)
    e += layout.stroma * (0.45 + 0.5 * layout.fibres) * (1 - 0.5 * body)
    red = _red_cells(rng, layout) * (1 - 0.8 * body)
    tissue = 1 - smooth_step(layout.empty, 0.25, 0.75)
    h += 0.16 * (1 - clear)
    return np.stack([h * tissue, np.clip(e, 0.03, 3) * tissue, red])


def _red_cells(rng: np.random.Generator, layout: Layout) -> Field:
    points = packed_points(rng, 3.4, 0.45)
    points = points[rng.random(len(points)) < values_at(0.9 * layout.blood, points)]
    kind = Cells(radius=1.6, spread=0.15, long=0.4, bend=0.0, large=1.0, histiocytes=0)
    habit = {"size": 1.0, "slender": 0.0, "mixed": 0.22, "chromatin": 0.12}
    cells = nuclei_at(rng, points, kind, habit, np.zeros(len(points)))
    return np.minimum(stamp(cells, 1.0), 1.1)


def _photograph(rng: np.random.Generator, patient: Patient, amounts: Field) -> NDArray[np.uint8]:
    # Beer-Lambert: densities add, light falls with their exponential.
    habit, stain = patient.habit, patient.stain
    thick = 1 + habit["mottle"] * enlarged(clouds(rng, 120)) + habit["tilt"] * _slope(rng)
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
