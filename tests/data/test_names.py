"""Patients and slides from file names: the true 374 names, other patterns, bad patterns."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lymph.data.names import COMMON_PATTERNS, Origin, compile_pattern, origin_of, read_names
from lymph.errors import DataError
from lymph.facts import PATIENT_PICTURES

NAMES = Path(__file__).parents[3] / "shared" / "data" / "names.txt"


@pytest.fixture(scope="module")
def true_names() -> list[str]:
    """Return the 374 names of the true set, or skip where their list is missing."""
    if not NAMES.is_file():
        pytest.skip("the list of true names (../shared/data/names.txt) is not here")
    return NAMES.read_text(encoding="utf-8").split()


def test_true_names_give_29_patients_and_30_slides(true_names: list[str]) -> None:
    """Every one of the 374 names tells its patient, and one patient has two slides."""
    origins = [origin_of(name) for name in true_names]
    assert len(origins) == 374 and None not in origins
    assert len({origin.patient for origin in origins}) == 29
    slides = {(origin.patient, origin.slide) for origin in origins}
    assert len(slides) == 30
    twice = [patient for patient, n in Counter(p for p, _ in slides).items() if n > 1]
    assert [patient.split("-")[1] for patient in twice] == ["6124"]


def test_true_names_count_as_published(true_names: list[str]) -> None:
    """The pictures per class and patient are those of the facts, none more, none less."""
    found: dict[str, Counter[str]] = {label: Counter() for label in PATIENT_PICTURES}
    for name in true_names:
        origin = origin_of(name)
        assert origin is not None
        found[name.split("/")[0]][origin.patient.split("-")[1]] += 1
    assert found == PATIENT_PICTURES


@pytest.mark.parametrize(
    ("name", "patient", "slide"),
    [
        ("sj-05-6124-R3_001.tif", "05-6124", "05-6124-R3"),
        ("sj-05-6124-R4_016.tif", "05-6124", "05-6124-R4"),
        ("sj-05-5269-R10_002.tif", "05-5269", "05-5269-R10"),
        ("sj-05-5269-R1_002.tif", "05-5269", "05-5269-R1"),
        ("sj-05-3165_002.tif", "05-3165", "05-3165"),
        ("FL/deeper/sj-99-588-R1_010.png", "99-588", "99-588-R1"),
    ],
)
def test_known_names(name: str, patient: str, slide: str) -> None:
    """Two blocks are one patient; a block of two digits or none is understood; folders are not."""
    assert origin_of(name) == Origin(patient, slide)


@pytest.mark.parametrize(
    "name",
    [
        "picture.png",
        "sj-05.tif",
        "sj-05-6124.tif",
        "sj-05-6124-R4.tif",
        "sj-05-6124-Rx_001.tif",
        "copy of sj-05-6124-R4_001.tif",
        "sj-05-6124-R4_001/other.tif",
        "",
    ],
)
def test_unmatched_names_have_no_patient(name: str) -> None:
    """A name that does not follow the pattern gives None, never a guess."""
    assert origin_of(name) is None


@given(
    year=st.integers(0, 99), number=st.integers(1, 99_999), block=st.none() | st.integers(0, 99),
    picture=st.integers(0, 999),
)  # fmt: skip
def test_the_block_never_changes_the_patient(
    year: int, number: int, block: int | None, picture: int
) -> None:
    """Whatever the block and the picture, the patient is year and number."""
    part = "" if block is None else f"-R{block}"
    origin = origin_of(f"X/sj-{year:02}-{number}{part}_{picture:03}.tif")
    assert origin == Origin(f"{year:02}-{number}", f"{year:02}-{number}{part}")


def test_custom_patterns() -> None:
    """A group `patient`, or `number` with or without `year`, tells patients; `block` slides."""
    assert origin_of("ann_3.png", r"(?P<patient>[^_]+)_") == Origin("ann", "ann")
    assert origin_of("p7-b2.png", r"p(?P<number>\d+)-(?P<block>b\d)") == Origin("7", "7-b2")
    both = r"(?P<year>\d\d)?x(?P<number>\d+)"
    assert origin_of("05x7.png", both) == Origin("05-7", "05-7")
    assert origin_of("x7.png", both) == Origin("7", "7")
    assert origin_of("x.png", r"x(?P<patient>\d*)") is None
    assert origin_of("x7.png", compile_pattern(r"x(?P<patient>\d)")) == Origin("7", "7")


def test_bad_patterns_say_what_is_wrong() -> None:
    """A pattern that does not compile, or that names no patient, is refused with its reason."""
    with pytest.raises(DataError, match=r"not a regular expression: .*unterminated"):
        compile_pattern(r"sj-(?P<number>\d+")
    with pytest.raises(DataError, match=r"names no patient.*\(\?P<patient>"):
        compile_pattern(r"sj-(\d+)-(?P<year>\d+)")


def test_reading_names_counts_and_doubts() -> None:
    """Known names give the patients, the unmatched, and each doubt that applies."""
    names = ["A/ann_1.png", "A/ann_2.png", "B/ann_3.png", "B/bob_1.png", "B/x.png"]
    reading = read_names(names, r"(?P<patient>[^_]+)_")
    assert (reading.patients, reading.unmatched) == (2, 1)
    assert "1 of 5 names do not match" in reading.warnings[0]
    assert "1 of 2 patients have pictures of several classes, such as ann" in reading.warnings[1]
    assert len(reading.warnings) == 2


def test_as_many_patients_as_pictures_is_doubted() -> None:
    """A pattern that takes in the picture's number, and one that takes in too little."""
    names = [f"A/p_{i}.png" for i in range(4)]
    assert "as many patients as pictures" in read_names(names, r"(?P<patient>p_\d)").warnings[0]
    assert "one patient" in read_names(names, r"(?P<patient>p)_").warnings[0]


def test_common_patterns_serve(true_names: list[str]) -> None:
    """The first one tells the true patients without a doubt; all of them compile."""
    patterns = list(COMMON_PATTERNS.values())
    reading = read_names(true_names, patterns[0])
    assert (reading.patients, reading.warnings) == (29, [])
    for pattern in patterns:
        compile_pattern(pattern)
