"""Pictures that stand in a data set twice: the same pixels, or nearly the same."""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from lymph import workspace
from lymph.data.overlaps import MOST_COMPARED, overlapping
from lymph.data.stamps import cache_folder
from lymph.errors import DiskError

# Two hashes of 256 bits with at most 24 different bits share at least one of 25 bands whole, so
# that looking inside the bands misses nothing. Different pictures differ in 88 bits or more on the
# real and on the synthetic lymphoma set; copies in another size or quality in fewer than ten.
NEAR_BITS = 24
BANDS = 25
BAND_BITS = 10

# Of more pictures than this with one band in common only neighbours are compared: a set of pictures
# that all look alike would take time with the square of their number.
MAX_STEPS = 2000

# Hashes of pictures without any structure are noise, and all alike.
MIN_CONTRAST = 3.0


def same_content(measures: pd.DataFrame) -> list[tuple[int, int]]:
    """Return pairs of rows with the very same pixels: every later one with the first."""
    known = measures.loc[measures["content"] != "", "content"]
    firsts = known.drop_duplicates()
    first_of = pd.Series(firsts.index, index=firsts.to_numpy())
    later = known[known.duplicated()]
    return [(int(first_of[one]), int(row)) for row, one in zip(later.index, later, strict=True)]


def near_pairs(measures: pd.DataFrame) -> list[tuple[int, int]]:
    """Return pairs of rows whose pictures look alike but are not the same, the earlier first.

    Alike as they stand, once one of them is turned or mirrored, or in most of their field; the
    last is asked of :data:`lymph.data.overlaps.MOST_COMPARED` pictures at most.

    Parameters
    ----------
    measures : DataFrame
        As :func:`lymph.data.measure.measure_all`, numbered from 0.
    """
    structured = (measures["content"] != "") & (measures["contrast"] >= MIN_CONTRAST)
    rows = np.flatnonzero(structured & ~measures["content"].duplicated())
    if len(rows) < 2:
        return []
    found = _near(measures["fingerprint"].iloc[rows])
    found |= _near(measures["upright_fingerprint"].iloc[rows])
    near = {(int(rows[i]), int(rows[j])) for i, j in found}
    if len(measures) <= MOST_COMPARED:
        mapped = rows[(measures["field"].iloc[rows] != "").to_numpy()]
        alike = overlapping(list(measures["field"].iloc[mapped]))
        near |= {(int(mapped[i]), int(mapped[j])) for i, j in alike}
    return sorted(near)


def cached_near_pairs(root: Path | str, measures: pd.DataFrame) -> list[tuple[int, int]]:
    """Return :func:`near_pairs`; those of pictures that have not changed are looked up.

    Comparing a few hundred pictures takes seconds, and every server and process asks for it.
    """
    columns = ["content", "contrast", "fingerprint", "upright_fingerprint", "field"]
    compared = measures[columns].to_json(orient="values")
    digest = hashlib.sha256(compared.encode()).hexdigest()
    file = cache_folder(Path(root)) / "near.json"
    kept = workspace.read_json_or(file, {})
    if isinstance(kept, dict) and kept.get("of") == digest:
        return [(first, later) for first, later in kept["pairs"]]
    pairs = near_pairs(measures)
    with contextlib.suppress(DiskError):  # a workspace that may only be read
        workspace.write_json(file, {"of": digest, "pairs": pairs})
    return pairs


def _near(fingerprints: pd.Series) -> set[tuple[int, int]]:
    """Return the pairs of places whose fingerprints differ in a few bits at most."""
    text = "".join(fingerprints)
    hashes = np.frombuffer(bytes.fromhex(text), np.uint8).reshape(len(fingerprints), -1)
    words = np.ascontiguousarray(hashes).view(np.uint64)
    found: set[tuple[int, int]] = set()
    for left, right in _candidates(hashes):
        # A quarter of the bits rules out nearly all candidates, at a quarter of the cost.
        first = np.bitwise_count(words[left, 0] ^ words[right, 0]) <= NEAR_BITS
        left, right = left[first], right[first]
        different = np.bitwise_count(words[left] ^ words[right]).sum(axis=1)
        near = different <= NEAR_BITS
        pairs = np.sort(np.stack([left[near], right[near]], axis=1), axis=1)
        found.update(map(tuple, pairs.tolist()))
    return found


def _candidates(hashes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs (left < right) that agree in a whole band, neighbours at a fixed distance."""
    bits = np.unpackbits(hashes, axis=1)
    weights = (1 << np.arange(BAND_BITS)).astype(np.int32)
    for band in range(BANDS):
        keys = bits[:, band * BAND_BITS : (band + 1) * BAND_BITS].astype(np.int32) @ weights
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        # Equal keys stand side by side: those a step apart, two steps apart, until none is left.
        for step in range(1, min(len(order), MAX_STEPS)):
            equal = np.flatnonzero(ordered[step:] == ordered[:-step])
            if not len(equal):
                break
            yield order[equal], order[equal + step]
