"""The audit of published splits: what people write, who is on both sides, and exit codes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lymph.cli import main
from lymph.errors import DataError, LymphError, SplitError
from lymph.splits import (
    Split,
    audit_files,
    audit_lists,
    make_folds,
    read_published,
    split_by_patient,
    split_by_picture,
    to_csv,
)

from .conftest import NAMES, even_table

FOLDS = NAMES.parent / "published_folds"

# Patients 1396 and 852 train; 852 is tested as well.
TRAIN = [f"sj-05-1396-R1_{i:03}" for i in range(1, 5)] + [f"sj-03-852_{i:03}" for i in range(1, 4)]
TEST = ["sj-03-852-R2_009", "sj-03-852-R2_010", "sj-05-6124-R4_016"]
APART = ["sj-05-6124-R4_016", "sj-05-6124-R4_017"]

Write = Callable[[str, Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes lines, text or bytes to a file."""

    def write_it(name: str, content: list[str] | str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        text = "\n".join(content) if isinstance(content, list) else content
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_it


def names_in(content: str | bytes) -> list[str]:
    """Return the images that a list names."""
    data = content if isinstance(content, bytes) else content.encode()
    return [row.image for row in read_published(data, "list.txt").rows]


def audited(arguments: list[object], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["audit", *map(str, arguments)])
    return code, *capsys.readouterr()


# ---- the published folds -------------------------------------------------------------------------


def published() -> list[str]:
    if not FOLDS.is_dir():
        pytest.skip("the published folds (../shared/data/published_folds) are not here")
    return [str(FOLDS / f"{side}_{i}.txt") for side in ("train", "test") for i in range(1, 6)]


def test_the_published_folds_leak_every_image(capsys: pytest.CaptureFixture[str]) -> None:
    """Each of the 374 test pictures has its patient in training, however the files are given."""
    files = published()
    patterns = [f"{FOLDS}/train_*.txt", f"{FOLDS}/test_*.txt"]
    for arguments in (files, patterns, [FOLDS], ["--folds", *files[5:]]):
        code, out, _ = audited([*arguments, "--json"], capsys)
        found = json.loads(out)
        assert code == 1
        assert (found["test_images"], found["leaked_test_images"]) == (374, 374)
        assert found["leaked_test_share"] == 1
        assert len(found["leaked_patients"]) == found["patients_train"] == 29
        assert found["patients_test"] == 29
        assert [fold["test_images"] for fold in found["folds"]] == [75, 75, 74, 75, 75]
        assert found["images_on_both_sides"] == found["doubts"] == []
        assert found["sentence"].startswith(
            "374 of 374 test pictures come from a patient who also trains"
        )


def test_one_published_fold_is_no_list_of_folds(capsys: pytest.CaptureFixture[str]) -> None:
    files = published()
    code, out, _ = audited([files[0], files[5], "--json"], capsys)
    found = json.loads(out)
    assert (code, found["test_images"], found["folds"]) == (1, 75, [])
    assert "(?P<number>" in found["patient_pattern"]


# ---- the command ---------------------------------------------------------------------------------


def test_exit_codes_and_what_is_printed(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """A leak is 1, none is 0, an error is 2 and one line."""
    train, test = write("train.txt", TRAIN), write("test.txt", TEST)
    code, out, _ = audited([train, test], capsys)
    assert code == 1
    assert out.startswith("2 of 3 test pictures come from a patient who also trains.\n")
    row = out.split("Patients on both sides:\n")[1].split("\n")[1]
    assert row.split() == ["03-852", "3", "2"]
    assert "Split by patient" in out

    code, out, _ = audited([train, write("apart.txt", APART)], capsys)
    assert (code, out) == (0, "None of 2 test pictures comes from a patient who also trains.\n")

    code, out, told = audited([train, write("empty.txt", " \n")], capsys)
    assert (code, out) == (2, "")
    assert told.startswith("lymph: empty.txt is empty") and told.count("\n") == 1


def test_the_table_counts_only_what_was_listed(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """Regression: lists of patients gave “train images 0, test images 0”, beside “pictures”."""
    train, test = write("train.csv", "patient\np1\np2\n"), write("test.csv", "patient\np2\np3\n")
    code, out, _ = audited([train, test], capsys)
    assert code == 1
    assert out.split("Patients on both sides:\n")[1].split()[:2] == ["Patient", "p2"]
    out = audited([write("train.txt", TRAIN), write("test.txt", TEST)], capsys)[1]
    assert "Patient  Training pictures  Test pictures\n" in out and "images" not in out


def test_the_document(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [write("train.txt", TRAIN), write("test.txt", TEST), "--json"]
    found = json.loads(audited(arguments, capsys)[1])
    assert found.pop("patient_pattern")
    assert found == {
        "sentence": "2 of 3 test pictures come from a patient who also trains.",
        "test_images": 3,
        "leaked_test_images": 2,
        "leaked_test_share": 2 / 3,
        "leaked_patients": ["03-852"],
        "patients_train": 2,
        "patients_test": 2,
        "images_on_both_sides": [],
        "folds": [],
        "doubts": [],
    }


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"PK\x03\x04 a spreadsheet",
        b'{"version": 1, "by": "pati',
        b'{"version": 99, "by": "patient", "sets": {}}',
        b'{"version": 1, "by": "patient", "sets": {"train": [1, 2]}}',
        b'["a.png", {"image": 2}]',
        b"{}",
        b"[]",
        b"null\0",
        "a.png\n".encode("utf-16-le"),
        b"# only a comment\n",
        b",,\n;;\n",
        b"image,set\n",
        b'image,set\n"a,train\n',
        b"image,set\na,train,b,c\n",
        b"label,set\na,train\n",
        b"image,set\n,\n",
        b"",
    ],
)
def test_damaged_files_end_in_a_sentence(
    write: Write, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    train = write("train.txt", TRAIN)
    for arguments in ([train, write("bad", content)], [write("bad", content)]):
        code, out, told = audited(arguments, capsys)
        assert (code, out) == (2, "")
        assert told.startswith("lymph: ") and told.count("\n") == 1 and len(told) < 400


def test_missing_files_and_sides(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = write("train.txt", TRAIN)
    for arguments, words in (
        ([train, tmp_path / "no.txt"], "There is no file"),
        ([tmp_path / "no_*.txt", train], "There are no lists in"),
        ([train], "names no sets"),
        ([train, write("lists/a.txt", TEST), write("lists/b.txt", TEST)], "add --folds"),
    ):
        code, _, told = audited(arguments, capsys)
        assert code == 2
        assert words in told


# ---- lists as people write them ------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "{}.tif",
        "{}",
        "CLL/{}.png",
        "./CLL/{}.png",
        "/home/someone/data/CLL/{}.png",
        "C:\\data\\CLL\\{}.png",
        '"CLL/{}.png"',
        "'CLL/{}.png',",
        "  ['CLL/{}.png'],  ",
        "{}.png 0",
        "{} 0",
        "{}.png\tCLL",
        "CLL/{}.png,CLL",
        "CLL,{}.png",
        "{};CLL;3",
        '"{}.png",CLL',
        "my images/{}.png CLL",
        "{}_12_34.png",
        "{}.ome.tiff",
        "{}.svs\r",
    ],
)
def test_lists_of_any_shape(line: str) -> None:
    """Whatever surrounds a name, its patient is read, and a patient is on both sides."""
    train, test = ("\n".join(line.format(name) for name in names) for names in (TRAIN, TEST))
    files = [read_published(text.encode(), name) for text, name in ((train, "a"), (test, "b"))]
    found = audit_lists(files[:1], files[1:])
    assert found.table.to_numpy().tolist() == [["03-852", 3, 2, 1]]
    assert found.doubts == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_comments_and_blank_lines(encoding: str, end: str) -> None:
    text = end.join(
        ["# test pictures", "", "Müller/a_1.png", "   ", "% more", "Müller/a_2.png", ""]
    )
    assert names_in(text.encode(encoding)) == ["Müller/a_1.png", "Müller/a_2.png"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a_1.png, a_2.png, b_1.png", ["a_1.png", "a_2.png", "b_1.png"]),
        ('["x/a_1.png", "x/b_1.png"]', ["x/a_1.png", "x/b_1.png"]),
        ("image\na_1\nb_1", ["a_1", "b_1"]),
        # Blanks that belong to the names.
        ("case 1 image 1\ncase 1 image 2\ncase 2 image 1", None),
        ("case 1 (2).png 0\ncase 1 (3).png 1", ["case 1 (2).png", "case 1 (3).png"]),
        ("a_1.png\na_1.png\n", ["a_1.png"]),
    ],
)
def test_what_a_name_is(text: str, names: list[str] | None) -> None:
    assert names_in(text) == (names or text.split("\n"))


def test_names_that_tell_no_patient_are_counted() -> None:
    extra = ["Thumbs.db", *TRAIN]
    files = [read_published("\n".join(names).encode(), "x") for names in (extra, TEST)]
    found = audit_lists(files[:1], files[1:], pattern=r"sj-\d+-(?P<patient>\d+)")
    assert found.doubts == [
        "1 of 11 names tells no patient, such as Thumbs.db: not compared by patient."
    ]
    assert found.table["patient"].tolist() == ["852"]


# ---- images on both sides ------------------------------------------------------------------------


def compare(train: list[str], test: list[str], pattern: str = "") -> Any:
    files = [read_published("\n".join(names).encode(), "x") for names in (train, test)]
    return audit_lists(files[:1], files[1:], pattern)


def test_an_image_on_both_sides_is_said() -> None:
    """Folders of sets and suffixes do not hide it."""
    train = [f"data/train/CLL/{name}.tif" for name in TRAIN]
    found = compare(train, ["data/test/CLL/sj-03-852_002.png", *APART])
    assert found.folds[0].shared == ["data/test/CLL/sj-03-852_002.png"]
    assert found.sentence == (
        "1 of 3 test pictures comes from a patient who also trains. 1 test picture is a training"
        " picture itself."
    )


def test_numbers_that_restart_in_each_folder_are_no_images_on_both_sides() -> None:
    pattern = r"(?P<patient>\d+)"
    found = compare(["CLL/1.png", "FL/2.png"], ["FL/1.png", "CLL/3.png"], pattern)
    assert found.folds[0].shared == []
    bare = compare(["CLL/1.png", "FL/1.png"], ["1.png"], pattern)
    assert bare.folds[0].shared == []


def test_a_shared_image_leaks_where_no_patient_is_told() -> None:
    found = compare([*TRAIN, "odd.png"], [*APART, "odd.png"])
    assert found.leaks
    assert found.to_json()["leaked_test_images"] == 1
    assert found.sentence == (
        "None of 3 test pictures comes from a patient who also trains. The patient of 1 test"
        " picture is unknown. 1 test picture is a training picture itself."
    )


# ---- tables and split files ----------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_with_sets_stands_alone(write: Write, delimiter: str) -> None:
    """The patients are those of the table, where it tells them."""
    rows = ["filename,patient_id,split", "a.png,P1,Training", "b.png,P2,train", "c.png,P1,TEST"]
    found = audit_files([write("all.csv", [row.replace(",", delimiter) for row in rows])])
    assert (found.pattern, found.table["patient"].tolist()) == ("", ["P1"])
    assert found.sentence == "1 of 1 test picture comes from a patient who also trains."


def test_a_table_may_use_an_image_twice(write: Write) -> None:
    rows = ["image,patient,set", "a.png,P1,train", "b.png,P2,train", "a.png,P1,test"]
    assert audit_files([write("all.csv", rows)]).folds[0].shared == ["a.png"]


def test_a_table_of_patients_alone(write: Write) -> None:
    rows = ["patient,set", "P1,train", "P2,train", "P3,val", "P1,test", "P4,test"]
    found = audit_files([write("all.csv", rows)])
    assert found.sentence == "1 of 2 test patients also trains."
    assert found.to_json()["test_images"] is None
    assert found.to_json()["leaked_patients"] == ["P1"]
    assert found.doubts == ["Not audited: the set val."]


def test_tables_on_each_side(write: Write) -> None:
    train = write("train.csv", ["id,image,diagnosis", *(f"{i},{n},x" for i, n in enumerate(TRAIN))])
    test = write("test.tsv", ["image\tlabel", *(f"{name}\tx" for name in TEST)])
    assert audit_files([train, test]).table["patient"].tolist() == ["03-852"]


@pytest.mark.parametrize("column", ["1", "fold_1", "1.0"])
def test_a_table_of_folds(write: Write, column: str) -> None:
    rows = [f"{name},{column if i % 2 else column.replace('1', '2', 1)}" for i, name in
            enumerate(TRAIN)]  # fmt: skip
    found = audit_files([write("folds.csv", ["image,fold", *rows])])
    assert [fold.name for fold in found.folds] == ["fold 1", "fold 2"]
    assert (
        found.sentence == "7 of 7 test pictures come from a patient who also trains, over 2 folds."
    )


def test_a_validation_set_stands_in_for_a_test_set(write: Write) -> None:
    rows = [*(f"{name},train" for name in TRAIN), *(f"{name},val" for name in TEST)]
    found = audit_files([write("x.csv", ["image,set", *rows])])
    assert found.to_json()["leaked_test_images"] == 2
    assert "validation set was audited instead" in found.doubts[0]


def test_split_files(tmp_path: Path) -> None:
    """A split by patient passes, in sets and folds; one by picture does not; CSVs say the same."""
    table = even_table(2, 6, 4)
    makers = {
        "honest": (split_by_patient(table), False),
        "folds": (make_folds(table, 3), False),
        "leaky": (split_by_picture(table, seed=1), True),
    }
    for name, (split, leaks) in makers.items():
        path = tmp_path / f"{name}.json"
        split.save(path)
        (tmp_path / f"{name}.csv").write_text(to_csv(table, split))
        assert audit_files([path]).leaks == leaks
        found = audit_files([path.with_suffix(".csv")])
        assert found.leaks == leaks
        assert found.to_json()["test_images"] == len(table) if name == "folds" else True


def test_a_split_by_patient_beside_a_list_of_images(tmp_path: Path, write: Write) -> None:
    sets = {"train": ["03-852", "05-1396"], "val": [], "test": ["05-6124"]}
    path = tmp_path / "split.json"
    Split("patient", 0, sets).save(path)
    more = [*TEST, *APART, "sj-03-852_001"]
    found = audit_files([path, write("test.txt", more)])
    assert found.table["patient"].tolist() == ["03-852"]
    assert found.to_json()["leaked_test_images"] == 3
    assert audit_files([path, path]).sentence == "None of 1 test patient also trains."


def test_json_of_lists_by_set() -> None:
    text = json.dumps({"training": TRAIN, "test": TEST})
    found = audit_lists([read_published(text.encode(), "x.json")], [])
    assert found.table["patient"].tolist() == ["03-852"]


# ---- several files -------------------------------------------------------------------------------


def test_lists_by_class_are_put_together(write: Write) -> None:
    """They share no row, so they are no folds."""
    train = [write("train_CLL.txt", TRAIN[:4]), write("train_FL.txt", TRAIN[4:])]
    test = [write("test_CLL.txt", TEST[:1]), write("test_FL.txt", TEST[1:])]
    found = audit_files([*train, *test])
    assert len(found.folds) == 1
    assert found.to_json()["leaked_test_images"] == 2


def test_folds_in_folders_of_their_own(write: Write, tmp_path: Path) -> None:
    for number, (train, test) in enumerate([(TRAIN, APART), (APART, TRAIN)], start=1):
        write(f"fold{number}/train.txt", train)
        write(f"fold{number}/test.txt", test)
    found = audit_files([f"{tmp_path}/fold*/train.txt", f"{tmp_path}/fold*/test.txt"])
    assert [(fold.name, fold.test_images) for fold in found.folds] == [("fold 1", 2), ("fold 2", 7)]
    assert not found.leaks


def test_folds_without_a_partner_are_refused(write: Write) -> None:
    train = [write(f"train_{i}.txt", TRAIN) for i in (1, 2, 3)]
    test = [write(f"test_{i}.txt", TEST) for i in (1, 2)]
    with pytest.raises(SplitError, match="do not pair up"):
        audit_files([*train, *test])


def test_files_that_seem_swapped_or_idle_are_doubted(write: Write) -> None:
    train, test = write("train.txt", TRAIN), write("test.txt", TEST)
    assert "say the opposite" in audit_files([test, train]).doubts[0]
    idle = audit_files([train, write("val.txt", APART), test])
    assert idle.doubts == ["Neither training nor test by name, so not audited: val.txt."]
    assert idle.table["patient"].tolist() == ["03-852"]


# ---- patients ------------------------------------------------------------------------------------


def test_no_pattern_that_fits_names_the_remedy() -> None:
    """Images on both sides are told all the same."""
    with pytest.raises(LymphError, match=r"--pattern.*1 test picture is a training picture itself"):
        compare(["alpha", "beta", "gamma"], ["beta", "delta"])


def test_one_image_per_patient_is_read_all_the_same() -> None:
    train = [f"TCGA-AA-{i}-01A-01-TS1.svs" for i in range(3000, 3020)]
    found = compare(train, ["TCGA-AA-3001-01Z-00-DX1.svs", "TCGA-AB-3001-01Z-00-DX1.svs"])
    assert found.table["patient"].tolist() == ["TCGA-AA-3001"]


def test_tiles_in_folders_named_after_the_slide() -> None:
    """The file name tells a place only; a ready or a typed pattern may fit the folder."""
    slides = (("TCGA-AA-3675-01A-01-TS1", "TCGA-AA-3676-01A"), ("TCGA-AA-3675-01Z-00-DX1",))
    names = [[f"{slide}/512_{i}.png" for slide in side for i in range(3)] for side in slides]
    assert compare(*names).table.to_numpy().tolist() == [["TCGA-AA-3675", 3, 3, 1]]
    own = [[name.replace("TCGA-AA-", "case") for name in side] for side in names]
    found = compare(*own, pattern=r"(?P<patient>case\d+)")
    assert found.table["patient"].tolist() == ["case3675"]


def test_a_pattern_of_ones_own() -> None:
    found = compare(["x1-a", "x2-b"], ["x3-a"], pattern=r"\w+-(?P<patient>\w)")
    assert found.table["patient"].tolist() == ["a"]
    assert found.pattern == r"\w+-(?P<patient>\w)"
    with pytest.raises(DataError, match="names no patient"):
        compare(["a"], ["b"], pattern=".*")
    with pytest.raises(SplitError, match="No test name tells a patient"):
        compare(TRAIN, ["odd", "names"], pattern=r"sj-(?P<patient>\d+)")


def test_a_guessed_pattern_is_doubted() -> None:
    train = [f"case{i}_{j}.png" for i in range(11, 15) for j in range(6)]
    found = compare(train, [f"case{i}_{j}.png" for i in (14, 15) for j in range(6, 10)])
    assert found.table["patient"].tolist() == ["case14"]
    assert "belongs to patient case11. Is that right?" in found.doubts[0]
