"""Smooth noise, distances and packings on the frame of a picture: what drawings are built of."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT = 417, 312  # the true pictures reduced to 30 % of 1388x1040


STEP = 3  # layout is smooth, so it is computed on every third pixel only


Field = NDArray[np.floating]


def clouds(rng: np.random.Generator, scale: float, step: int = STEP) -> Field:
    # Smooth noise of unit scatter; `scale` is the size of its clouds in px.
    height, width = HEIGHT // step, WIDTH // step
    rows, columns = (int(np.ceil(n * step / scale)) + 3 for n in (height, width))
    coarse = rng.standard_normal((rows, columns), dtype=np.float32)
    left, top = rng.uniform(0, 1, 2)
    box = (left, top, left + width * step / scale, top + height * step / scale)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC, box=box)
    return np.asarray(image) / np.float32(0.72)


def smooth_step(values: Field, low: float, high: float) -> Field:
    share = np.clip((values - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def _grid() -> tuple[Field, Field]:
    y, x = np.mgrid[0:HEIGHT:STEP, 0:WIDTH:STEP].astype(np.float32)
    return x, y


def distance_to_centres(
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
    return (far.min(0) + rough * clouds(rng, 45)).astype(np.float32), far.argmin(0)


def packed_points(rng: np.random.Generator, pitch: float, shift: float) -> Field:
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


def values_at(field: Field, points: Field) -> Field:
    column = np.clip(points[:, 0], 0, WIDTH - 1).astype(int)
    row = np.clip(points[:, 1], 0, HEIGHT - 1).astype(int)
    return field[row, column]


def enlarged(field: Field) -> Field:
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
