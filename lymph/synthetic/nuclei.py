"""Cell nuclei, scattered on the layout, pushed apart and drawn."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from lymph.synthetic.field import HEIGHT, WIDTH, Field, packed_points, values_at
from lymph.synthetic.layout import Layout
from lymph.synthetic.patients import CELLS, LYMPHOCYTE, Cells, Patient

HALF = 5  # half a nucleus's window: holds the largest radius of 4.4 px


EDGE = np.float32(1.1)  # px over which a nucleus fades out


MARGIN = 8  # canvas beyond the frame so that nuclei are cut by the frame


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


def nuclei_at(
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


def scatter_nuclei(rng: np.random.Generator, patient: Patient, layout: Layout) -> Nuclei:
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
        points = packed_points(rng, pitch, 0.45)
        points = points[rng.random(len(points)) < values_at(wanted, points)]
        large = values_at(layout.large, points) if cells is kind else np.zeros(len(points))
        part = nuclei_at(rng, points, cells, habit, large)
        part.ink *= (
            1 - 0.37 * values_at(layout.pale, points) + 0.40 * values_at(layout.dense, points)
        )
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


def stamp(nuclei: Nuclei, squeeze: float) -> Field:
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
