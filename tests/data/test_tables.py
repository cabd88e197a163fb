"""Tables of labels, patients and sets: how they are written, and which picture a row means."""

import contextlib
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lymph.data.tables import (
    MAX_BYTES,
    find_table,
    is_table,
    match_table,
    read_columns,
    read_table,
)
from lymph.errors import DataError

PLAIN = "picture,label,patient,set\nCLL/a.png,CLL,007,train\nFL/ü.png,FL,1.0,\n"
ROWS = [["CLL/a.png", "CLL", "007", "train"], ["FL/ü.png", "FL", "1.0", ""]]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_writing_gives_the_same_table(encoding: str, ends: str, delimiter: str) -> None:
    """Encodings, line ends and delimiters do not change what a table says; ids stay as written."""
    text = PLAIN.replace(",", delimiter).replace("\n", ends)
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    table = read_table((mark + text).encode(encoding), "labels.csv")
    assert list(table) == ["picture", "label", "patient", "set"]
    assert table.to_numpy().tolist() == ROWS
    assert all(pandas_type == "str" for pandas_type in table.dtypes)


@pytest.mark.parametrize(
    "text",
    [
        'sep=;\r\nPicture ; LABEL\r\n"CLL/a.png";"CLL"\r\n',
        "sep=\t\npicture\tlabel\nCLL/a.png\tCLL\n",
        '"sep=,"\npicture,label\nCLL/a.png,CLL\n',
        '\n\n"picture", "label"\n\n CLL/a.png , "CLL"\n,,\n\n',
        "picture,label,\nCLL/a.png,CLL,\n",
        "\ufeffIMAGE-NAME,Class,note\nCLL/a.png,CLL\n",
        'note,File Name,dx\n"one, ""two""\nthree",CLL/a.png,CLL\n',
        ",label,image_id,age\n0,CLL,CLL/a.png,50\n",
    ],
)
def test_what_spreadsheets_add_is_understood(text: str) -> None:
    """Excel's first line, quotes, blanks, empty rows, short rows and other columns."""
    assert read_table(text.encode()).to_dict("records") == [
        {"picture": "CLL/a.png", "label": "CLL"}
    ]


@pytest.mark.parametrize(
    ("header", "meanings"),
    [
        ("lesion_id,image_id,dx,dx_type,age", {"patient": 0, "picture": 1, "label": 2}),
        ("image_name,patient_id,sex,diagnosis,target", {"picture": 0, "patient": 1, "label": 3}),
        ("id,file_name,Type,Usage", {"picture": 1, "label": 2, "set": 3}),
        ("id,type,class", {"picture": 0, "label": 2}),
        ("name,id,case", {"picture": 0, "patient": 2}),
        ("Image Index,Patient ID,fold", {"picture": 0, "patient": 1, "set": 2}),
        ("donor,PATH,partition,label,image", {"patient": 0, "picture": 4, "set": 2, "label": 3}),
        ("picture,picture,label,label", {"picture": 0, "label": 2}),
    ],
)
def test_columns_have_many_names(header: str, meanings: dict[str, int]) -> None:
    """Usual names are known, and the best of several is taken by the stated order."""
    cells = [f"v{place}" for place in range(header.count(",") + 1)]
    table = read_table(f"{header}\n{','.join(cells)}\n".encode())
    assert table.iloc[0].to_dict() == {name: cells[place] for name, place in meanings.items()}


def test_one_hot_columns_are_labels() -> None:
    """As the ISIC challenges write them; a row with two 1s makes them something else."""
    text = "image,MEL,NV,BCC,age\na,1.0,0.0,0,50\nb,0,1,0,60\nc,0,0,1,\n,,,,\n"
    assert read_table(text.encode()).to_numpy().tolist() == [
        ["a", "MEL"],
        ["b", "NV"],
        ["c", "BCC"],
    ]
    with_set = read_table(text.replace(",age", ",set").encode())
    assert list(with_set) == ["picture", "label", "set"]
    for wrong in ("b,1,1,0,60", "b,0,0,0,60", "b,0,2,0,60"):
        with pytest.raises(DataError, match=r"labels.csv says nothing .* exactly one 1"):
            read_table(text.replace("b,0,1,0,60", wrong).encode(), "labels.csv")
    own = "image,MEL,NV,label\na,1,0,x\n"
    assert read_table(own.encode())["label"].tolist() == ["x"]


def test_rows_of_one_picture_complete_each_other() -> None:
    """The same picture may come again; what one row leaves open, another may say."""
    text = "picture,label,patient\na,CLL,\nb,FL,2\na,,1\na,CLL,1\n"
    assert read_table(text.encode()).to_numpy().tolist() == [["a", "CLL", "1"], ["b", "FL", "2"]]


@pytest.mark.parametrize(("column", "word"), [("patient", "patients"), ("dx", "labels")])
def test_regression_two_answers_for_one_picture_are_refused(column: str, word: str) -> None:
    """Neither the first nor the last is taken in silence."""
    text = f"picture,{column}\nCLL/b.png,7\nCLL/a.png,7\nCLL/a.png,8\n"
    with pytest.raises(DataError, match=f"my.csv gives CLL/a.png two {word}, 7 and 8"):
        read_table(text.encode(), "my.csv")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \r\n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"PK\x03\x04rest", "save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as CSV"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a table of text"),
        (bytes(range(256)) * 9, "not a table of text"),
        (b"\xff\xfea", "not a table of text|no column of pictures"),
        (b"<html><body>Not found</body></html>", "no column of pictures"),
        (b"CLL/a.png,CLL\n", "no column of pictures .*CLL/a.png"),
        (b"picture\na\n", "says nothing of its pictures"),
        (b"picture,age\na,5\n", "says nothing of its pictures"),
        (b"picture,label\n", "no rows"),
        (b"picture,label\n,CLL\n", "no rows with a picture"),
        (b"picture,label\na,b,CLL\n", "3 cells in row 2, but 2 column names"),
        (b'picture,label\na,CLL\n"b,FL\nc,FL\n', "faulty quote after row 2"),
        (b'"picture,label\na,CLL\n', "no column of pictures"),
        (b"picture,label\n" + b"x" * MAX_BYTES, "larger than 50 MB"),
    ],
)
def test_what_is_no_table_is_refused_by_its_own_name(
    content: bytes, says: str, tmp_path: Path
) -> None:
    """Each has a reason, and names the user's file whether it comes as bytes or as a path."""
    with pytest.raises(DataError, match=f"^my labels.csv .*({says})"):
        read_table(content, "my labels.csv")
    file = tmp_path / "upload-1.tmp"
    file.write_bytes(content)
    for given_name, shown in (("", "upload-1.tmp"), ("labels.csv", "labels.csv")):
        with pytest.raises(DataError) as caught:
            read_table(file, given_name)
        assert str(caught.value).startswith(f"{shown} ") and str(tmp_path) not in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """A file that went away, and a folder."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(DataError, match=r"cannot be read \(\w.*\); check its path\.$"):
            read_table(path)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_rubbish_is_never_anything_but_a_data_error(content: bytes) -> None:
    """Whatever the bytes, with or without a good header before them."""
    for bytes_ in (content, b"image,label\na,b\n" + content, b"image,A,B\na,1,0\n" + content):
        with contextlib.suppress(DataError):
            match_table(read_table(bytes_), ["a.png", "CLL/b.png"])


def _met(rows: list[str], pictures: list[str]) -> dict[str, str]:
    """Return which row each met picture has."""
    text = "picture\tlabel\n" + "".join(f"{row}\tlabel of {row}\n" for row in rows)
    labels = match_table(read_table(text.encode()), pictures).rows["label"]
    return {p: label.removeprefix("label of ") for p, label in labels.items() if label}


@pytest.mark.parametrize(
    "row",
    [
        "CLL/a.png",
        "CLL\\a.png",
        "./cll/A.PNG",
        "/CLL/a.png",
        "images/CLL/a.png",
        "C:\\data\\CLL\\a.png",
        "a.png",
        "A.PNG",
        "a",
        "a.tif",
        "CLL/a",
        "D:\\cll\\a.JPEG",
    ],
)
def test_a_row_meets_its_picture_however_it_is_written(row: str) -> None:
    """By path, by the end of either path, without suffix, with either slash, in any case."""
    assert _met([row], ["FL/ba.png", "CLL/a.png", "CLL/b.png"]) == {"CLL/a.png": row}


@pytest.mark.parametrize("row", ["L/a.png", "FL/a.png", "CLL", "CLL/a.png/b", "png", "a.png.b", ""])
def test_parts_of_words_and_other_folders_do_not_meet(row: str) -> None:
    """Only whole components count; another folder is another picture."""
    assert _met([row, "CLL/b.png"], ["CLL/a.png", "CLL/b.png"]) == {"CLL/b.png": "CLL/b.png"}


def test_dots_within_names_and_accents_meet() -> None:
    """A dot is no suffix by itself; an accent may be written in two ways."""
    pictures = ["K/s.1_05.png", "K/s.1_06.png", "K/\u00fc.png"]
    rows = ["s.1_05", "s.1_06.tif", "K/u\u0308.png"]
    assert list(_met(rows, pictures).values()) == rows


def test_the_more_exact_row_goes_first() -> None:
    """Exact before case, longer end before shorter, with the suffix before without."""
    assert _met(["a.png", "A.png"], ["A.png", "a.png"]) == {"A.png": "A.png", "a.png": "a.png"}
    assert _met(["K/a.png", "a.png"], ["K/a.png"]) == {"K/a.png": "K/a.png"}
    pictures = ["a.png", "K/a.png"]
    assert _met(["z/K/a.png", "a.png"], pictures) == {"a.png": "a.png", "K/a.png": "z/K/a.png"}
    assert _met(["a.tif", "a.png"], ["K/a.png"]) == {"K/a.png": "a.png"}
    assert _met(["a.tif", "a.png"], ["K/a.png", "K/a.tif"]) == {
        "K/a.png": "a.png",
        "K/a.tif": "a.tif",
    }


def test_what_is_ambiguous_is_left_unmet_and_counted() -> None:
    """A name in two folders, two rows for one picture, two pictures of one stem."""
    table = read_table(b"picture,label\na.png,1\nb,2\nc.tif,3\nc.bmp,4\nd,5\n")
    pictures = ["K/a.png", "L/a.png", "K/b.png", "K/b.jpg", "K/c.png", "K/d.png"]
    matched = match_table(table, pictures, "labels.csv")
    assert matched.rows.loc["K/d.png", "label"] == "5" and matched.matched == 1
    assert matched.unmet_pictures == pictures[:5]
    assert matched.unmet_rows == ["a.png", "b", "c.tif", "c.bmp"]
    assert matched.sentence == (
        "The table labels.csv names 1 of 6 pictures; not among them: K/a.png, L/a.png, K/b.png and"
        " others. 4 of its names are ambiguous and not used: write them with the folder."
    )


PATHS = st.lists(
    st.lists(st.sampled_from(["a", "A", "b", "a.png", "b.tif"]), min_size=1, max_size=3).map(
        "/".join
    ),
    min_size=1, max_size=6, unique=True,
)  # fmt: skip


@given(rows=PATHS, pictures=PATHS)
def test_pairs_fit_and_are_never_shared(rows: list[str], pictures: list[str]) -> None:
    """Whatever the names: one path is the end of the other, one row a picture, exact first."""
    try:
        met = _met(rows, pictures)
    except DataError:
        met = {}
    assert len(set(met.values())) == len(met)
    for picture in pictures:
        assert picture not in rows or met[picture] == picture
    for picture, row in met.items():
        one, other = (f"/{re.sub('[.](png|tif)$', '', path.lower())}" for path in (picture, row))
        assert one.endswith(other) or other.endswith(one)


def test_rows_come_in_the_order_of_the_pictures() -> None:
    """Unknown is empty, in columns that the table lacks too."""
    table = read_table(b"picture,patient,set\nb,2,\nx,9,test\na,1,train\n")
    matched = match_table(table, ["a.png", "c.png", "b.png"])
    assert matched.rows.index.tolist() == ["a.png", "c.png", "b.png"]
    assert matched.rows.index.name == "picture"
    assert matched.rows.to_dict("list") == {
        "label": ["", "", ""],
        "patient": ["1", "", "2"],
        "set": ["train", "", ""],
    }
    assert (matched.matched, matched.unmet_pictures, matched.unmet_rows) == (2, ["c.png"], ["x"])
    assert matched.sentence == (
        "The table names 2 of 3 pictures; not among them: c.png. It has 1 row without a picture"
        " here: x."
    )
    assert match_table(table, ["x.png", "b.png", "a.png"]).sentence == ""


def test_a_table_that_meets_nothing_is_refused_with_a_name_of_each_side() -> None:
    """The two names show how they differ; names that are only ambiguous are told so."""
    table = read_table(b"picture,label\nx.png,1\n")
    with pytest.raises(DataError, match=r"labels.csv names none .*it has x.png, here is K/a.png"):
        match_table(table, ["K/a.png"], "labels.csv")
    with pytest.raises(DataError, match="fits several pictures, or shares one; write them with"):
        match_table(table, ["K/x.png", "L/x.png"])
    with pytest.raises(DataError, match="names none"):
        match_table(table, [])


def test_100_000_rows_are_fast() -> None:
    """Reading and matching by the loosest way, which is tried last."""
    count = 100_000
    pictures = [f"K{i % 5}/p{i // 30}_{i}.png" for i in range(count)]
    lines = (f"p{i // 30}_{i},K{i % 5},{i // 30:05},train\n" for i in range(count))
    content = ("image_id,dx,patient_id,split\n" + "".join(lines)).encode()
    start = time.thread_time()
    matched = match_table(read_table(content), pictures)
    assert matched.matched == count and matched.sentence == ""
    assert matched.rows["patient"].iloc[-1] == f"{(count - 1) // 30:05}"
    assert time.thread_time() - start < 8


def test_tables_are_known_by_suffix() -> None:
    """In any case; pictures and sheets are none."""
    assert all(map(is_table, [Path("a.csv"), Path("x/A.TSV"), Path("b.c.txt")]))
    assert not any(map(is_table, [Path("a.png"), Path("csv"), Path("a.xlsx"), Path(".csv")]))


def test_the_one_table_beside_pictures_is_found(tmp_path: Path) -> None:
    """The one that names most and at least half; none where two name equally many."""
    pictures = [f"K/{i}.png" for i in range(10)]

    def write(name: str, numbers: range) -> Path:
        path = tmp_path / name
        path.write_text("image,label\n" + "".join(f"{i}.png,x\n" for i in numbers))
        return path

    few, half, more = (write(f"{n}.csv", range(n)) for n in (4, 5, 9))
    (tmp_path / "readme.txt").write_text("Pictures of cells.\n" * 50)
    (tmp_path / "rubbish.tsv").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "folder.csv").mkdir()
    files = [*tmp_path.iterdir(), tmp_path / "missing.csv", Path("nul\0.csv")]
    assert find_table(files, pictures) == more
    more.unlink()
    assert find_table(files, pictures) == half
    write("twin.txt", range(5, 10))
    assert find_table([*files, tmp_path / "twin.txt"], pictures) is None
    assert find_table([few], pictures) is None
    assert find_table(files, []) is None and find_table([], pictures) is None


def test_text_files_beside_every_picture_cost_little(tmp_path: Path) -> None:
    """Sets for detection have one text file a picture; these are not all read."""
    pictures = [f"{i}.png" for i in range(1000)]
    for picture in pictures:
        (tmp_path / picture).with_suffix(".txt").write_text("0 0.5 0.5 0.1 0.1\n" * 9000)
    table = tmp_path / "labels.csv"
    table.write_text("image,label\n" + "".join(f"{picture},x{'y' * 20}\n" for picture in pictures))
    start = time.thread_time()
    assert find_table(list(tmp_path.iterdir()), pictures) == table
    assert time.thread_time() - start < 6


def test_known_columns_are_read_as_they_stand() -> None:
    """One picture may say two things, pictures may be missing, and a list has no columns."""
    table = read_columns(b"set,x,image\ntrain,1,a\ntest,2, a\n", "split.csv")
    assert table[["picture", "set"]].to_numpy().tolist() == [["a", "train"], ["a", "test"]]
    assert list(read_columns(b"patient;fold\nP1;1\n")) == ["patient", "set"]
    assert read_columns(b"CLL/a.png\nCLL/b.png\n").empty
