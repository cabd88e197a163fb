"""The split file: what goes in comes out, and what is no split is refused in plain words."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lymph.errors import SplitError
from lymph.splits import Split, make_folds, split_by_patient, split_by_picture

from .conftest import even_table, tables

SETS = {"train": ["a"], "val": ["b"], "test": ["c"]}
DOCUMENT = {"version": 1, "by": "patient", "seed": 3, "sets": SETS}


def file_with(tmp_path: Path, document: Any) -> Path:
    """Write a document to a split file."""
    file = tmp_path / "split.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=tables(min_patients=2), seed=st.integers(0, 10**6))
def test_what_is_saved_is_loaded(tmp_path: Path, table: pd.DataFrame, seed: int) -> None:
    """Splits by patient, by picture and folds come back equal, strange names too."""
    file = tmp_path / "split.json"
    for split in (
        split_by_patient(table, (0.7, 0.3, 0.0), seed=seed),
        split_by_picture(table, seed=seed),
        make_folds(table, 2, seed=seed),
    ):
        split.save(file)
        assert Split.load(file) == split


def test_the_file_is_that_of_the_contract(tmp_path: Path) -> None:
    """The document has exactly the keys of the design, for sets and for folds."""
    Split("patient", 3, SETS).save(tmp_path / "s.json")
    assert json.loads((tmp_path / "s.json").read_text(encoding="utf-8")) == DOCUMENT
    Split("picture", 0, folds=[["é"], ["b"]]).save(tmp_path / "f.json")
    assert json.loads((tmp_path / "f.json").read_text(encoding="utf-8")) == {
        "version": 1, "by": "picture", "seed": 0, "folds": [["é"], ["b"]],
    }  # fmt: skip


def test_a_split_names_the_set_of_every_row() -> None:
    """Rows get their patient's set; a patient outside the split gets none."""
    table = pd.DataFrame({"picture": list("wxyz"), "patient": ["a", "d", "c", "a"]})
    split = Split("patient", 0, {"train": ["a"], "val": [], "test": ["c"]})
    assert split.assign(table).tolist() == ["train", "", "test", "train"]
    folds = Split("picture", 0, folds=[["w", "z"], ["x"]])
    assert folds.assign(table).tolist() == ["fold 1", "fold 2", "", "fold 1"]


def test_a_split_of_other_data_is_refused() -> None:
    """Members that the table does not have are counted and one is named."""
    table = even_table(2, 5, 2)
    split = split_by_patient(table)
    other = table[table["patient"] != "1-003"]
    with pytest.raises(SplitError, match=r"other data: 1 of its 10 patients.*such as 1-003"):
        split.assign(other)
    with pytest.raises(SplitError, match="3 of its 3 pictures"):
        Split("picture", 0, SETS).assign(table)


@pytest.mark.parametrize(
    "groups",
    [
        {"sets": {"train": ["a", "b"], "val": [], "test": ["a"]}},
        {"sets": {"train": ["a", "a"], "val": [], "test": ["b"]}},
        {"folds": [["a", "b"], ["c", "a"]]},
    ],
)
def test_a_patient_twice_is_refused(tmp_path: Path, groups: dict[str, Any]) -> None:
    """A patient on two sides, by hand or from a file, is refused by name."""
    with pytest.raises(SplitError, match="a is in the split twice"):
        Split("patient", 0, **groups)
    document = {"version": 1, "by": "patient", "seed": 0, **groups}
    with pytest.raises(SplitError, match="a is in the split twice"):
        Split.load(file_with(tmp_path, document))


@pytest.mark.parametrize(
    "change",
    [
        {"by": "slide"},
        {"by": None},
        {"by": ["patient"]},
        {"seed": "x"},
        {"seed": None},
        {"sets": None},
        {"sets": [["a"], ["b"], ["c"]]},
        {"sets": {"train": ["a"], "test": ["b"]}},
        {"sets": {**SETS, "holdout": ["d"]}},
        {"sets": {**SETS, "val": None}},
        {"sets": {**SETS, "val": 5}},
        {"sets": {**SETS, "val": [["b"]]}},
        {"folds": [["a"], ["b"]]},
        {"sets": None, "folds": 5},
    ],
    ids=str,
)
def test_malformed_documents(tmp_path: Path, change: dict[str, Any]) -> None:
    """Each is a SplitError, never a KeyError or a split that fails later."""
    with pytest.raises(SplitError):
        Split.load(file_with(tmp_path, {**DOCUMENT, **change}))


@pytest.mark.parametrize(
    "change",
    [
        {"sets": {**SETS, "val": [6124, "x"]}},
        {"sets": {**SETS, "val": [None]}},
        {"sets": {**SETS, "val": "bde"}},
        {"sets": {"train": [], "val": [], "test": []}},
        {"sets": None, "folds": []},
        {"sets": None, "folds": [[], []]},
        {"sets": None, "folds": {"1": ["a"], "2": ["b"]}},
    ],
    ids=str,
)
def test_members_are_lists_of_names(tmp_path: Path, change: dict[str, Any]) -> None:
    """Regression: numbers, text for a list and empty splits loaded, and failed when used."""
    with pytest.raises(SplitError, match=r"lists of patients|not a split file"):
        Split.load(file_with(tmp_path, {**DOCUMENT, **change}))


@pytest.mark.parametrize("document", [None, [], 5, "split", {}, {"version": 1}], ids=str)
def test_documents_that_are_no_split(tmp_path: Path, document: Any) -> None:
    """Other JSON is told to be no split, with the command that makes one."""
    with pytest.raises(SplitError, match=r"(not a split file|named values); .*make one"):
        Split.load(file_with(tmp_path, document))


def test_files_that_are_no_json(tmp_path: Path) -> None:
    """Missing, empty, cut and binary files, and a folder, are the user's errors."""
    with pytest.raises(SplitError, match="There is no split file"):
        Split.load(tmp_path / "missing.json")
    for i, content in enumerate((b"", b'{"version": 1, "by"', b"\x89PNG\xff\xfe")):
        (tmp_path / f"{i}.json").write_bytes(content)
        with pytest.raises(SplitError, match=r"cannot be read: .*make one"):
            Split.load(tmp_path / f"{i}.json")
    with pytest.raises(SplitError, match="directory"):
        Split.load(tmp_path)


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    """A file of a later program says which version it has and what to do."""
    with pytest.raises(SplitError, match=r"version 2, this program reads 1; update"):
        Split.load(file_with(tmp_path, {**DOCUMENT, "version": 2}))
