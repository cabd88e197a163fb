"""Patients and slides from file names: the true 374 names, other patterns, bad patterns."""

import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lymph.data.names import (
    COMMON_PATTERNS,
    GENERAL_PATTERNS,
    SPECIFIC_PATTERNS,
    Origin,
    compile_pattern,
    origin_of,
    origins_of,
)
from lymph.data.patients import doubts_about, propose
from lymph.errors import DataError
from lymph.facts import PATIENT_PATTERN, PATIENT_PICTURES

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


def doubts_of(names: list[str], pattern: str) -> list[str]:
    """Return what is doubtful of the patients that a pattern tells; folders are the classes."""
    patients = [origin.patient if origin else "" for origin in origins_of(names, pattern)]
    return doubts_about(patients, [name.split("/")[0] for name in names])


def test_names_that_do_not_match_and_patients_of_two_classes_are_doubted() -> None:
    """Each doubt that applies is said, and no other."""
    names = ["A/ann_1.png", "A/ann_2.png", "B/ann_3.png", "B/bob_1.png", "B/x.png"]
    doubts = doubts_of(names, r"(?P<patient>[^_]+)_")
    assert "1 of 5 pictures has no patient" in doubts[0]
    assert "1 of 2 patients has pictures of several classes, such as ann" in doubts[1]
    assert len(doubts) == 2


def test_as_many_patients_as_pictures_is_doubted() -> None:
    """A pattern that takes in the picture's number, and one that takes in too little."""
    names = [f"A/p_{i}.png" for i in range(4)]
    assert "as many patients as pictures" in doubts_of(names, r"(?P<patient>p_\d)")[0]
    assert "one patient" in doubts_of(names, r"(?P<patient>p)_")[0]


def test_common_patterns_serve(true_names: list[str]) -> None:
    """The first one tells the true patients without a doubt; all of them compile."""
    patterns = list(COMMON_PATTERNS.values())
    assert len({origin.patient for origin in origins_of(true_names, patterns[0]) if origin}) == 29
    assert doubts_of(true_names, patterns[0]) == []
    for pattern in patterns:
        compile_pattern(pattern)


LONG_NAME = "A/sj-05-6124-R4_016_" + "a" * 200 + ".tif"


def test_regression_the_pattern_that_froze_the_server() -> None:
    """It held every visitor for 20 s; whatever names it meets, it comes to an end."""
    start = time.thread_time()
    assert set(origins_of([LONG_NAME] * 1000, r"(?P<patient>(([\w-]+)+)+)!")) == {None}
    assert time.thread_time() - start < 6


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?P<patient>(([\w-]+)+)+)\.[!?p]",
        r"(?P<patient>(?:a|b|ab|[\w-])*)(?:\.png|-x)",
        r"(?P<patient>(?:[\w-]{1,50}){1,50})\.(?:p|q)",
    ],
)
def test_regression_a_slow_pattern_ends_soon_on_many_names(pattern: str) -> None:
    """A typed pattern held the server for 20 s: all names together take about one second."""
    start = time.thread_time()
    with pytest.raises(DataError, match=r"takes too long on names such as .*; simplify it"):
        origins_of([LONG_NAME] * 20_000, pattern)
    assert time.thread_time() - start < 6


def test_regression_a_slow_pattern_lets_other_threads_run() -> None:
    """While a slow pattern works on, another thread goes on too."""
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.01):
            ticks.append(time.perf_counter())

    other = threading.Thread(target=tick)
    other.start()
    with pytest.raises(DataError, match="takes too long"):
        origin_of(LONG_NAME, r"(?P<patient>(?:a|b|ab|[\w-])*)(?:\.png|-x)")
    done.set()
    other.join()
    assert len(ticks) > 10


@pytest.mark.parametrize("pattern", COMMON_PATTERNS.values(), ids=COMMON_PATTERNS)
def test_ordinary_patterns_take_no_time_on_100_000_names(pattern: str) -> None:
    """No ready pattern comes near the limit, whether it matches or not."""
    names = [f"CLL/TCGA-AA-{i // 30:04}-01A-01-TS1_{i}_class0.png" for i in range(100_000)]
    start = time.thread_time()
    origins_of(names, pattern)
    assert time.thread_time() - start < 5


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?P<patient>(a{1000}){1000})",
        "(?P<patient>" + "(" * 8 + "a" + "{9})" * 8 + ")",
        r"(?P<patient>a{1000000})",
        r"(?P<patient>(?:[)(]|\(){999}{1}|(?:a{99}){99})",
        r"(?P<patient>(?<=a{9999}){9999})",
        r"(?P<patient>a{99999999999999})",
        r"(?P<patient>a)(?#[)(b{999}){999}(?#])",
        r"(?x)(?P<patient>a)",
        "(?P<patient>" + "a" * 500 + ")",
        r"(?P<patient>(?R)?a)",
    ],
)
def test_regression_patterns_that_blow_up_are_refused_at_once(pattern: str) -> None:
    """What would fill the memory when compiled is refused before, with a sentence."""
    start = time.thread_time()
    with pytest.raises(DataError, match=r"pattern .*[.]$"):
        compile_pattern(pattern)
    assert time.thread_time() - start < 1.5


def test_braces_of_ordinary_size_serve() -> None:
    """Counts that follow each other add up, and escapes and sets are no groups."""
    uuid = r"(?P<patient>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_\d{8}_\d{6}_[({]\(\d{3}"
    name = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f_20240101_101010_((001.png"
    assert origin_of(name, uuid) == Origin(name[:36], name[:36])


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("TCGA-AA-3675-01A-01-TS1.svs", ("TCGA-AA-3675", "TCGA-AA-3675-01A-01-TS1", "")),
        ("blk-AAAE-TCGA-CM-6171-01Z-00-DX1.png", ("TCGA-CM-6171", "TCGA-CM-6171-01Z-00-DX1", "")),
        ("TCGA-AA-3675_12.png", ("TCGA-AA-3675", "TCGA-AA-3675", "")),
        ("C3L-00001-21.svs", ("C3L-00001", "C3L-00001-21", "")),
        ("SOB_B_A-14-22549AB-40-001.png", ("14-22549AB", "14-22549AB", "B")),
        ("SOB_M_DC-14-10926-100-011.png", ("14-10926", "14-10926", "M")),
        ("8863_idx5_x51_y1251_class0.png", ("8863", "8863-idx5", "0")),
        ("C33P1thinF_IMG_20150619_114756a_cell_179.png", ("C33P1", "C33P1", "")),
        ("C6NThinF_IMG_20150609_122034_cell_175.png", ("C6", "C6", "")),
        ("C1_thinF_IMG_20150604_104722_cell_9.png", ("C1", "C1", "")),
        ("UID_H10_12_1_hem.bmp", ("H10", "H10", "hem")),
        ("UID_11_12_1_all.bmp", ("11", "11", "all")),
        ("patient_001_node_2.tif", ("patient_001", "patient_001-node_2", "")),
        ("patch_patient_004_node_4_x_3_y_2.png", ("patient_004", "patient_004-node_4", "")),
        ("tumor_001.tif", ("tumor_001", "tumor_001", "tumor")),
        ("normal_160_3.png", ("normal_160", "normal_160", "normal")),
        ("test_003_1.png", ("test_003", "test_003", "")),
        ("CNV-1016042-3.jpeg", ("1016042", "1016042", "CNV")),
    ],
)
def test_names_of_known_sets_fit_one_pattern_only(name: str, origin: tuple[str, str, str]) -> None:
    """A set's own way of writing names is read by its pattern, and by no other set's."""
    read = [origin_of(name, pattern) for pattern in SPECIFIC_PATTERNS.values()]
    assert [one for one in read if one] == [Origin(*origin)]


def test_a_pattern_may_tell_the_class() -> None:
    """A group `label` beside the patient, or alone where only the class is needed."""
    both = r"(?P<label>[A-Z]+)_(?P<patient>\d*)"
    assert origin_of("CLL_12.png", both) == Origin("12", "12", "CLL")
    assert origin_of("CLL_x.png", both) is None
    alone = compile_pattern(r"(?P<label>[A-Z]*)_", needs=("label",))
    assert origin_of("x/CLL_12.png", alone) == Origin("", "", "CLL")
    assert origin_of("_12.png", alone) is None
    with pytest.raises(DataError, match="names no patient"):
        compile_pattern(alone.pattern)
    with pytest.raises(DataError, match=r"names no class.*\(\?P<label>"):
        compile_pattern(r"(?P<patient>.)", needs=("label",))


def _people(classes: int = 3, people: int = 6, each: int = 5) -> list[tuple[str, int, int]]:
    """Return (class, patient's number, picture's number), patients numbered through."""
    return [
        (f"K{label}", label * people + person, picture)
        for label in range(classes)
        for person in range(people)
        for picture in range(each)
    ]


def test_a_sets_own_pattern_is_proposed_before_a_general_one() -> None:
    """BreakHis's names are also split by general patterns, which come later."""
    names = [f"SOB_B_A-14-{100 + p}AB-40-{i:03}.png" for _, p, i in _people()]
    found = propose(names, None)
    assert found is not None and found.pattern == COMMON_PATTERNS[found.title]
    assert found.title.startswith("BreakHis") and (found.patients, found.unmatched) == (18, 0)
    assert len(found.examples) == 4 and found.examples[0] == (names[0], "14-100AB")
    # A patient of several classes is natural where each patch has its own.
    idc = [f"{p}_idx5_x{i}_y1_class{i % 2}.png" for _, p, i in _people()]
    found = propose(idc, [name[-5] for name in idc])
    assert found is not None and found.title.startswith("IDC")


@pytest.mark.parametrize(
    ("write", "title"),
    [
        ("{k}/p{p}_{i}.png", "Everything before the first _"),
        ("{k}/{k}_{p:02}_{i}.png", "Everything before the last _"),
        ("{k}/{k}_p{p:02}_x_{i}_0.png", "Between the first and the second _"),
        ("{k}/P{p}-{i}.png", "Everything before the first -"),
        ("{k}/P{p} ({i}).png", "The first number"),
        ("{k}/{i}_{k}.png", None),
        ("{k}/{p}{i}.png", None),
        ("{k}/{k}_{i}.png", None),
        ("{k}/{k} ({i}).png", None),
    ],
)
def test_general_patterns_are_proposed_only_where_they_make_sense(
    write: str, title: str | None
) -> None:
    """The patients decide; a class, or a number that restarts, is no patient."""
    names = [write.format(k=k, p=p, i=i) for k, p, i in _people()]
    found = propose(names, [name.split("/")[0] for name in names])
    assert (found.title if found else None) == title
    assert title is None or title in GENERAL_PATTERNS


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["a.png"],
        [f"{label}_{i}.png" for label in ("CLL", "FL", "MCL") for i in range(30)],
        [f"{label}/{i}.png" for label in ("CLL", "FL", "MCL") for i in range(30)],
        [f"{i}.png" for i in range(100)],
    ],
)
def test_nothing_is_proposed_for_names_without_patients(names: list[str]) -> None:
    """Class names, and numbers that restart in each folder, are no patients without labels too."""
    assert propose(names, None) is None


def test_true_names_are_proposed_without_doubt(true_names: list[str]) -> None:
    """The true names get their own pattern, and raise no doubt."""
    labels = [name.split("/")[0] for name in true_names]
    found = propose(true_names, labels)
    assert found is not None
    assert (found.pattern, found.patients, found.unmatched) == (PATIENT_PATTERN, 29, 0)
    origins = [origin for origin in origins_of(true_names) if origin]
    assert doubts_about([origin.patient for origin in origins], labels) == []


def test_proposing_for_100_000_names_is_fast() -> None:
    """All patterns are tried within two seconds on an idle machine."""
    names = [f"K{i % 3}/slide x{i // 30 * 3 + i % 3} {i}.png" for i in range(100_000)]
    start = time.thread_time()
    found = propose(names, [name[:2] for name in names])
    assert found is not None and found.title == "The first number"
    assert time.thread_time() - start < 6


def test_doubts_about_patients() -> None:
    """Each fault has its sentence; natural patients have none."""
    own = [f"p{i}" for i in range(95)] + ["p1"] * 5
    assert "nearly as many patients (95) as pictures (100)" in doubts_about(own, [])[0]
    word = ["image"] * 60 + [f"p{i // 2}" for i in range(60)]
    assert "image has 60 pictures, while nearly all others have 5" in doubts_about(word, [])[0]
    words = ["image", "scan"] * 60 + word[60:]
    assert "2 patients have dozens of pictures each" in doubts_about(words, [])[0]
    restart = [str(i // 5) for i in range(50)] * 2
    doubt = doubts_about(restart, ["CLL"] * 50 + ["FL"] * 50)
    assert len(doubt) == 1 and "10 of 10 patients have pictures of several classes" in doubt[0]
    assert "'number within the class'" in doubt[0]
    assert "of one patient" in doubts_about(["1"] * 9, ["CLL"] * 9)[0]
    assert doubts_about(["1", "1", "2", "2", ""], []) == [
        "1 of 5 pictures has no patient: excluded."
    ]
    # Many sizes, from one to dozens, are natural.
    natural = [f"p{i}" for i in range(1, 60) for _ in range(i)]
    assert doubts_about(natural, ["CLL"] * len(natural)) == []
    assert doubts_about([], []) == []
