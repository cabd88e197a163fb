"""Does a picture look like those the model learnt from? A check on its colours and grain."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from sklearn.covariance import LedoitWolf

SIDE = 96

# Of pictures of patients left out of the fit, this share counts as familiar.
FAMILIAR_SHARE = 0.98


def colour_statistics(pixels: np.ndarray) -> np.ndarray:
    """Describe colour and grain of an RGB picture in 13 numbers.

    Means, deviations and correlations of the channels' optical densities (Beer-Lambert: stains
    add up there), the logarithm of the fine grain of each channel, and the share of bare glass.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    ndarray of float64, shape (13,)
    """
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX)
    density = -np.log((np.asarray(small, np.float64) + 1.0) / 256.0)
    flat = density.reshape(-1, 3)
    deviations = flat.std(axis=0)
    normal = (flat - flat.mean(axis=0)) / (deviations + 1e-3)
    pairs = [(normal[:, i] * normal[:, j]).mean() for i, j in ((0, 1), (0, 2), (1, 2))]
    grain = np.log(np.abs(np.diff(density, axis=1)).mean(axis=(0, 1)) + 1e-4)
    bare = (flat.max(axis=1) < 0.15).mean()
    return np.concatenate([flat.mean(axis=0), deviations, pairs, grain, [bare]])


def _fit(statistics: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit centre and precision with Ledoit and Wolf's shrinkage (2004), on standard scales."""
    fitted = LedoitWolf().fit(statistics)
    return fitted.location_, fitted.precision_


def _distances(statistics: np.ndarray, centre: np.ndarray, precision: np.ndarray) -> np.ndarray:
    away = statistics - centre
    return np.sqrt(np.maximum(np.einsum("ni,ij,nj->n", away, precision, away), 0.0))


@dataclass(frozen=True)
class Familiarity:
    """Mahalanobis distance to the training pictures, and the distance that is still familiar."""

    scale_mean: np.ndarray
    scale_std: np.ndarray
    centre: np.ndarray
    precision: np.ndarray
    threshold: float

    def distance(self, pixels: np.ndarray) -> float:
        """Return the Mahalanobis distance of an RGB picture from the training pictures."""
        scaled = (colour_statistics(pixels) - self.scale_mean) / self.scale_std
        return float(_distances(scaled[None], self.centre, self.precision)[0])

    def is_familiar(self, pixels: np.ndarray) -> bool:
        """Tell whether an RGB picture looks like the training pictures."""
        return self.distance(pixels) <= self.threshold

    def to_json(self) -> dict[str, Any]:
        """Return plain types for a JSON file."""
        return {
            key: value.tolist() if isinstance(value, np.ndarray) else value
            for key, value in vars(self).items()
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Familiarity":
        """Make a check from :meth:`to_json`'s document."""
        arrays = {key: np.asarray(value, np.float64) for key, value in document.items()}
        return cls(**{**arrays, "threshold": float(document["threshold"])})


def fit_familiarity(statistics: np.ndarray, patients: np.ndarray) -> Familiarity:
    """Fit the check on training pictures; the threshold comes from patients left out in turn.

    Each patient's pictures are measured by a fit without that patient, since a new patient is
    what the check will meet.

    Parameters
    ----------
    statistics : ndarray, shape (N, 13)
        :func:`colour_statistics` of the training pictures.
    patients : ndarray of str, shape (N,)
    """
    mean, std = statistics.mean(axis=0), statistics.std(axis=0) + 1e-6
    scaled = (statistics - mean) / std
    centre, precision = _fit(scaled)
    left_out = [_distances(scaled, centre, precision)]
    for patient in np.unique(patients):
        own = patients == patient
        if len(np.unique(patients)) > 2:
            left_out.append(_distances(scaled[own], *_fit(scaled[~own])))
    threshold = float(np.quantile(np.concatenate(left_out[1:] or left_out), FAMILIAR_SHARE))
    return Familiarity(mean, std, centre, precision, threshold)
