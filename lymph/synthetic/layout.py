"""Where things lie in a picture: follicles, strands, vessels, blood and cracks."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from lymph.synthetic.field import (
    HEIGHT,
    STEP,
    WIDTH,
    Field,
    clouds,
    distance_to_centres,
    enlarged,
    packed_points,
    smooth_step,
)
from lymph.synthetic.patients import CELLS, Patient

VAGUE = 0.65  # how pale the nodules of a follicular lymphoma are where its follicles are not seen


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
    centres = packed_points(rng, rng.uniform(*kind.pitch), kind.jitter)
    far, nearest = distance_to_centres(
        rng, centres, rng.uniform(*kind.radius, len(centres)), kind.rough
    )
    shown = rng.uniform(0, 1, len(centres)) < rng.uniform(0.55, 1.0)
    plain = gaussian_filter(shown[nearest].astype(np.float32), 4) * patient.habit["architecture"]
    if patient.label == "FL":
        # Follicles: pale and large-celled inside, small dark cells between them.
        pale, dense = 1 - smooth_step(far, 0.88, 1.02), smooth_step(far, 0.96, 1.10)
    elif patient.label == "CLL":
        # Proliferation centres: vague paler clouds without a rim.
        pale, dense = np.exp(-(np.clip(far, 0, 3) ** 3)), np.zeros_like(far)
    else:
        # Mantle zone pattern: a broad dark ring about a small pale residual germinal centre.
        pale = 1 - smooth_step(far, 0.85, 1.10)
        dense = smooth_step(far, 0.95, 1.2) * (1 - smooth_step(far, 2.5, 3.3))
        plain *= 1.0 if patient.mantle else 0.6
    pale, dense = pale * plain, dense * plain
    if patient.label == "FL":
        # Where no follicle is seen, large pale cells still lie together in vague nodules.
        pale = np.maximum(pale, VAGUE * smooth_step(clouds(rng, 32), 0.0, 1.0))
    return pale, dense, pale


def lay_out(rng: np.random.Generator, patient: Patient) -> Layout:
    habit = patient.habit
    pale, dense, large = _architecture(rng, patient)
    stroma, fibres = _strands(rng, habit["stroma"])
    spill = clouds(rng, 80) + 0.4 * clouds(rng, 16)
    start = 2.4 - 1.5 * max(0.0, habit["bleeding"])
    blood = smooth_step(enlarged(spill), start, start + 1.2) * smooth_step(
        enlarged(clouds(rng, 7)), -0.6, 0.8
    )
    wall, lumen = _vessels(rng, habit["vessels"])
    empty = _cracks(rng, habit["fissures"])
    inside = np.maximum(wall, lumen)
    filled = rng.random() < 0.5
    return Layout(
        pale=enlarged(pale),
        dense=enlarged(dense),
        large=enlarged(large),
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
    return smooth_step(enlarged(gaussian_filter(spots, 1.3)), 0.025, 0.06)


def _strands(rng: np.random.Generator, amount: float) -> tuple[Field, Field]:
    # Contours of a noise are curved bands; its finer contours run along them like fibres.
    line = enlarged(clouds(rng, 110) + 0.25 * clouds(rng, 28))
    where = enlarged(clouds(rng, 80))
    width = (0.02 + 0.12 * amount) * np.clip(0.6 + 0.5 * where, 0.15, 1.5)
    strand = 1 - smooth_step(np.abs(line) / width, 0.5, 1.0)
    start = 1.1 - 1.7 * amount
    fibres = 0.5 + 0.5 * np.cos(75 * line + 3.0 * enlarged(clouds(rng, 12)))
    return strand * smooth_step(where, start, start + 0.5), fibres


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
        hollow = 1 - smooth_step(far, radius - thick - 0.6, radius - thick + 0.6)
        body = 1 - smooth_step(far, radius - 0.8, radius + 0.8)
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
    line = enlarged(clouds(rng, 95) + 0.15 * clouds(rng, 20)) + 0.03 * clouds(rng, 6, 1)
    where = enlarged(clouds(rng, 70))
    crack = smooth_step(where, 2.1 - amount, 2.4 - amount) * (
        1 - smooth_step(np.abs(line), 0.015, 0.05)
    )
    if rng.random() < 0.15:
        centre = rng.uniform(0, (WIDTH, HEIGHT), (1, 2)).astype(np.float32)
        far = enlarged(
            distance_to_centres(rng, centre, rng.uniform(6, 14, 1).astype(np.float32), 0.03)[0]
        )
        crack = np.maximum(crack, 1 - smooth_step(far, 0.88, 1.02))
    return crack
