"""The notebook's first task: grey pictures N x M x M, labels and patients N x 1."""

from pathlib import Path

import numpy as np
import pytest

from lymph.data.arrays import load_arrays
from lymph.data.pixels import shrink
from lymph.data.read import read_picture
from lymph.data.walk import walk
from lymph.errors import DataError


def test_shapes_types_and_values(tiny_root: Path) -> None:
    """Grey uint8 pictures, labels counted from 1 in class order, patients beside them."""
    arrays = load_arrays(str(tiny_root), size=16)
    assert arrays.pictures.shape == (36, 16, 16) and arrays.pictures.dtype == np.uint8
    assert arrays.labels.shape == (36, 1) and arrays.labels.dtype == np.int64
    assert arrays.patients.shape == (36, 1) and arrays.patients.dtype.kind == "U"
    assert arrays.classes == ["CLL", "FL", "MCL"]
    for i, name in enumerate(walk(tiny_root).pictures):
        assert arrays.classes[arrays.labels[i, 0] - 1] == name.split("/")[0]
        assert arrays.patients[i, 0] == f"99-{name.split('-')[2].split('_')[0]}"
        expected = shrink(read_picture(tiny_root / name), (16, 16), grey=True)
        np.testing.assert_array_equal(arrays.pictures[i], expected)


def test_problems_are_left_out_of_all_three(tiny_root: Path) -> None:
    """A broken file takes its label and its patient with it; the size is 128 unless told."""
    (tiny_root / "CLL" / "sj-99-11_001.png").write_bytes(b"broken")
    arrays = load_arrays(tiny_root)
    assert arrays.pictures.shape == (35, 128, 128)
    assert np.bincount(arrays.labels[:, 0]).tolist() == [0, 11, 12, 12]
    assert (arrays.patients == "99-11").sum() == 2


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    """The error is the user's, not an index out of range."""
    with pytest.raises(DataError, match="two class folders"):
        load_arrays(tmp_path)
