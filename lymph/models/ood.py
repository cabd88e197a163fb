"""Does a picture look like those the model learnt from? Two checks: its colours, its features.

Each measures a Mahalanobis distance to the training pictures (Lee et al. 2018, arXiv 1807.03888,
do so for features) with Ledoit and Wolf's covariance (2004). Each threshold comes from pictures of
patients that were kept out, never by hand; how often it errs is measured.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from lymph.data.stain import channel_moments, optical_density

SIDE = 96

# Of pictures of patients left out of the fit, this share passes each check.
FAMILIAR_SHARE = 0.995

# Yet this share of new patients' pictures is flagged, by the number of training patients: few of
# them do not tell how far the next one lies. ``python -m bench.confidence``: small CNN, 6 epochs,
# one validation patient per class, 5 models per number; neighbours that did not fall are pooled.
# The real lymphoma pictures at a third of their size, at 3, 6, 9, 12 and 16 patients.
FALSE_ALARMS = {3: 0.056, 8: 0.041, 14: 0.026}
# The drawn set, at 3, 6, 9, 12, 15 and 20 patients; 10 epochs, 10 models per number.
FALSE_ALARMS_DRAWN = {3: 0.094, 6: 0.063, 9: 0.020, 14: 0.010, 20: 0.003}

# Directions in feature space that are kept; what lies beside them counts as one distance.
COMPONENTS = 8

COLOUR_REASON = "Its colours and grain are not those of the stained tissue that the model learned."
FEATURE_REASON = "What the model sees in it lies far from everything that it learned from."


def colour_statistics(pixels: np.ndarray) -> np.ndarray:
    """Describe colour and grain of an RGB picture in 14 numbers.

    Means, deviations and correlations of the channels' optical densities (Beer-Lambert: stains
    add up there), the logarithm of the fine grain of each channel, the share of bare glass, and
    the logarithm of how far the channels differ: a grey picture has no stain at all.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    ndarray of float64, shape (14,)
    """
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX)
    density = optical_density(np.asarray(small, np.float64))
    flat = density.reshape(-1, 3)
    mean, deviations, pairs = channel_moments(flat)
    grain = np.log(np.abs(np.diff(density, axis=1)).mean(axis=(0, 1)) + 1e-4)
    bare = (flat.max(axis=1) < 0.15).mean()
    chroma = np.log(flat.std(axis=1).mean() + 1e-3)
    return np.concatenate([mean, deviations, pairs, grain, [bare, chroma]])


@dataclass(frozen=True)
class MahalanobisDetector:
    """A Mahalanobis distance on standard scales, and the distance that still passes."""

    mean: np.ndarray
    std: np.ndarray
    centre: np.ndarray
    precision: np.ndarray
    threshold: float

    def distances(self, values: np.ndarray) -> np.ndarray:
        """Return the distance of each row, in units of the threshold: up to 1 is familiar."""
        scaled = (values - self.mean) / self.std
        return _distances(scaled, self.centre, self.precision) / self.threshold


def _fit(scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Loaded late: scikit-learn takes a second, and only the end of a training needs it.
    from sklearn.covariance import LedoitWolf

    fitted = LedoitWolf().fit(scaled)
    return fitted.location_, fitted.precision_


def _distances(scaled: np.ndarray, centre: np.ndarray, precision: np.ndarray) -> np.ndarray:
    away = scaled - centre
    return np.sqrt(np.maximum(np.einsum("ni,ij,nj->n", away, precision, away), 0.0))


def _fit_detector(
    values: np.ndarray, patients: np.ndarray, held_out: np.ndarray
) -> MahalanobisDetector:
    """Fit on training rows; each patient's rows are measured by a fit without that patient.

    The threshold is the larger of what those and the ``held_out`` rows ask for: a network knows
    its training patients, so only the others tell how far a new patient lies.
    """
    mean, std = values.mean(axis=0), values.std(axis=0) + 1e-6
    scaled = (values - mean) / std
    centre, precision = _fit(scaled)
    apart = []
    known = np.unique(patients)
    for patient in known if len(known) > 2 else []:
        own = patients == patient
        apart.append(_distances(scaled[own], *_fit(scaled[~own])))
    samples = [np.concatenate(apart) if apart else _distances(scaled, centre, precision)]
    if len(held_out):
        samples.append(_distances((held_out - mean) / std, centre, precision))
    threshold = max(float(np.quantile(sample, FAMILIAR_SHARE)) for sample in samples)
    return MahalanobisDetector(mean, std, centre, precision, max(threshold, 1e-6))


@dataclass(frozen=True)
class OODDetector:
    """Both checks, with the directions of feature space that the second one measures along."""

    colours: MahalanobisDetector
    features: MahalanobisDetector
    origin: np.ndarray
    axes: np.ndarray

    def reason(self, statistics: np.ndarray, features: np.ndarray) -> str:
        """Say why a picture is strange; an empty text when it is not.

        Parameters
        ----------
        statistics : ndarray, shape (14,)
            :func:`colour_statistics` of the picture.
        features : ndarray, shape (D,)
            The network's hidden features of it.
        """
        if self.colours.distances(statistics[None])[0] > 1:
            return COLOUR_REASON
        if self.features.distances(_along(features[None], self.origin, self.axes))[0] > 1:
            return FEATURE_REASON
        return ""

    def to_json(self) -> dict[str, Any]:
        """Return plain types for a JSON file."""
        return {
            "colours": _plain(vars(self.colours)),
            "features": _plain(vars(self.features)),
            **_plain({"origin": self.origin, "axes": self.axes}),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "OODDetector":
        """Make a check from :meth:`to_json`'s document.

        Raises
        ------
        KeyError, TypeError, ValueError
            When the document is none.
        """
        parts = {name: dict(document[name]) for name in ("colours", "features")}
        detectors = [MahalanobisDetector(**_arrays(part)) for part in parts.values()]
        along = _arrays({name: document[name] for name in ("origin", "axes")})
        made = cls(detectors[0], detectors[1], along["origin"], along["axes"])
        wide = (len(made.colours.mean), len(made.axes) + 1)
        shapes = [made.axes.shape[1:] == made.origin.shape]
        for detector, width in zip(detectors, wide, strict=True):
            rows = (detector.mean, detector.std, detector.centre)
            shapes += [row.shape == (width,) for row in rows]
            shapes.append(detector.precision.shape == (width, width) and detector.threshold > 0)
        if not all(shapes):
            raise ValueError("its arrays do not belong together")
        return made


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in values.items()}


def _arrays(values: dict[str, Any]) -> dict[str, Any]:
    return {k: np.asarray(v, np.float64) if isinstance(v, list) else v for k, v in values.items()}


def _along(features: np.ndarray, origin: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return features along the kept axes, and the logarithm of how far they lie beside them."""
    away = features - origin
    kept = away @ axes.T
    beside = np.linalg.norm(away - kept @ axes, axis=1, keepdims=True)
    return np.concatenate([kept, np.log(beside + 1e-6)], axis=1)


def false_alarm_rate(patients: int | None, drawn: bool = False) -> float | None:
    """Return the share of new patients' pictures that the check flags in error, 0 to 1.

    ``drawn`` tells whether the training pictures were computer drawn.
    Between the measured numbers of training patients it is interpolated, beyond them the nearest is
    taken; None where nobody knows how many patients there were.
    """
    if patients is None:
        return None
    measured = FALSE_ALARMS_DRAWN if drawn else FALSE_ALARMS
    return float(np.interp(patients, list(measured), list(measured.values())))


def fit_ood_detector(
    statistics: np.ndarray, patients: np.ndarray, features: np.ndarray, held_out: np.ndarray
) -> OODDetector:
    """Fit both checks on the training pictures.

    Parameters
    ----------
    statistics : ndarray, shape (N, 14)
        :func:`colour_statistics` of the training pictures.
    patients : ndarray of str, shape (N,)
    features : ndarray, shape (N, D)
        The trained network's hidden features of the same pictures.
    held_out : ndarray, shape (M, D)
        Those of the validation patients, whom the network did not learn; may have no rows.
    """
    from sklearn.decomposition import PCA

    colours = _fit_detector(statistics, patients, statistics[:0])
    analysis = PCA(min(COMPONENTS, *features.shape), random_state=0).fit(features)
    origin, axes = analysis.mean_, analysis.components_
    others = _along(held_out, origin, axes) if len(held_out) else np.empty((0, len(axes) + 1))
    detector = _fit_detector(_along(features, origin, axes), patients, others)
    return OODDetector(colours, detector, origin, axes)
