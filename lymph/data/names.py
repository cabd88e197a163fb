"""Patients, slides and classes from file names."""

import re
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex

from lymph.errors import DataError
from lymph.facts import PATIENT_PATTERN

MAX_LENGTH = 500
# File names have at most 255 characters, so that longer repeats serve nothing.
MAX_STEPS = 2000
# Processor seconds of this thread for all names of one reading: a busy machine must not make a
# good pattern a slow one. An ordinary pattern takes about 2 microseconds a name, and 17 on a slow
# processor that others share.
TIME_LIMIT = 1.0
TIME_PER_NAME = 3e-5
# Longer than this, and other threads get their turn while the pattern works on.
PATIENCE = 0.02


class Origin(NamedTuple):
    """Where a picture comes from: a patient, one slide (block) of that patient, and its class.

    What the pattern has no group for is empty.
    """

    patient: str
    slide: str
    label: str = ""


def compile_pattern(pattern: str, needs: Sequence[str] = ("patient",)) -> regex.Pattern[str]:
    """Compile a pattern for file names.

    Parameters
    ----------
    pattern : str
        Regular expression as the standard library's ``re`` understands it.
    needs : sequence of str
        What the pattern must tell: ``patient`` (a group ``patient`` or ``number``), ``label`` (a
        group ``label``), both, or nothing.

    Raises
    ------
    DataError
        When the pattern is no regular expression, too long or too large, or does not name what
        is needed.
    """
    compiled = _compiled(pattern)
    groups = set(compiled.groupindex)
    if "patient" in needs and not {"number", "patient"} & groups:
        raise DataError(
            "The patient pattern names no patient: put the part of the file name that tells"
            " patients apart into a group called 'patient', as in (?P<patient>[^_]+)_."
        )
    if "label" in needs and "label" not in groups:
        raise DataError(
            "The pattern names no class: put the part of the file name that tells the class into"
            " a group called 'label', as in (?P<label>[^_]+)_."
        )
    return compiled


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> regex.Pattern[str]:
    if len(pattern) > MAX_LENGTH:
        raise DataError(
            f"The pattern has {len(pattern)} characters; shorten it to {MAX_LENGTH} at most."
        )
    try:
        # Refuses what only `regex` understands: recursion and fuzzy matches are costly.
        re.compile(pattern)
        _refuse_large(pattern)
        return regex.compile(pattern)
    except (re.error, regex.error, OverflowError) as error:
        raise DataError(
            f"The patient pattern is not a regular expression: {error}. Correct it, or choose one"
            " of the common patterns."
        ) from error
    except RecursionError as error:
        raise DataError("The pattern has too many groups within groups; simplify it.") from error


def _refuse_large(pattern: str) -> None:
    """Refuse a pattern that `regex` would write out to gigabytes, as it does (a{1000}){1000}.

    Raises
    ------
    DataError
        When the written-out counts are too many, or a comment hides them.
    """
    if re.search(r"\(\?(?:#|[aiLmsu]*x)", pattern):
        raise DataError("The pattern has a comment or free spacing; remove it.")
    if _steps(pattern) > MAX_STEPS:
        raise DataError(
            "The pattern repeats too much: file names are short, so make the numbers in {braces}"
            " smaller, or use + in their place."
        )


_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(\d+)(?:,\d*)?\}|.", re.DOTALL)


def _steps(pattern: str) -> int:
    """Count the single steps of a pattern once each lower count in braces is written out."""
    levels, last = [0], 0
    for token in _TOKEN.finditer(pattern):
        if token[1]:
            count = max(1, int(token[1]))
            levels[-1] += last * (count - 1)
            last *= count
        elif token[0] == "(":
            levels.append(0)
        elif token[0] == ")":
            last = max(1, levels.pop())
            levels[-1] += last
        else:
            last = 1
            levels[-1] += 1
    return levels[0]


def _match_each(
    names: Sequence[str], compiled: regex.Pattern[str]
) -> Iterator[regex.Match[str] | None]:
    """Match file names one after the other, within one limit of time for all.

    Raises
    ------
    DataError
        When the time is up.
    """
    limit = time.thread_time() + TIME_LIMIT + TIME_PER_NAME * len(names)
    for name in names:
        file = name.rsplit("/", 1)[-1]
        try:
            match = compiled.match(file, timeout=PATIENCE)
        except TimeoutError:
            match = _match_slowly(file, compiled, limit)
        if time.thread_time() > limit:
            raise _too_slow(file)
        yield match


def _match_slowly(file: str, compiled: regex.Pattern[str], limit: float) -> regex.Match[str] | None:
    # To let other threads run costs more than most matches, which is why not all are made so.
    left = limit - time.thread_time()
    try:
        return compiled.match(file, timeout=max(PATIENCE, left), concurrent=True)
    except TimeoutError as error:
        raise _too_slow(file) from error


def _too_slow(file: str) -> DataError:
    return DataError(
        f"The pattern takes too long on names such as {file[:80]}; simplify it: no repeat within a"
        " repeat, as in (a+)+, and say where a part ends, as in (?P<patient>[^_]+)_."
    )


def origins_of(
    names: Sequence[str], pattern: str | regex.Pattern[str] = PATIENT_PATTERN
) -> list[Origin | None]:
    """Read patient, slide and class from many names, within about a second for all.

    Parameters
    ----------
    names : sequence of str
        File names or paths with ``/``; the folders are not looked at.
    pattern : str or compiled pattern
        Groups ``year`` and ``number``, or one group ``patient``; optional groups ``block`` and
        ``label``. A pattern with only a group ``label`` is compiled with ``needs=("label",)``.

    Returns
    -------
    list of Origin or None
        In the order of the names; None where a name does not match.

    Raises
    ------
    DataError
        When the pattern cannot serve, or takes too long.
    """
    compiled = compile_pattern(pattern) if isinstance(pattern, str) else pattern
    told = bool({"number", "patient"} & set(compiled.groupindex))
    return [match and _origin(match.groupdict(), told) for match in _match_each(names, compiled)]


def _origin(groups: dict[str, str | None], told: bool) -> Origin | None:
    patient = groups.get("patient") or "-".join(
        part for part in (groups.get("year"), groups.get("number")) if part
    )
    label = groups.get("label") or ""
    # A pattern that tells patients has not matched a name in which the patient is empty.
    if not (patient if told else label):
        return None
    block = groups.get("block")
    return Origin(patient, f"{patient}-{block}" if block else patient, label)


def origin_of(name: str, pattern: str | regex.Pattern[str] = PATIENT_PATTERN) -> Origin | None:
    """Read patient, slide and class from one picture's path or file name.

    The patient key is year and number (``05-6124``): two blocks of one patient have two prefixes,
    and grouping by prefix would put that patient on both sides of a split.

    Parameters
    ----------
    name : str
        File name or path with ``/``; the folders are not looked at.
    pattern : str or compiled pattern
        As for ``origins_of``, which is the one to use for many names.

    Returns
    -------
    Origin or None
        None where the name does not match.

    Raises
    ------
    DataError
        When the pattern cannot serve, or takes too long.
    """
    return origins_of([name], pattern)[0]


# How well-known data sets write their names.
SPECIFIC_PATTERNS: dict[str, str] = {
    "Year and number, as sj-05-6124-R4_016": PATIENT_PATTERN,
    "TCGA, as TCGA-AA-3675-01A-01-TS1": (
        r"(?:.*?[-_. ])??(?P<patient>TCGA-[A-Z0-9]{2}-[A-Z0-9]{4})(?![A-Za-z0-9])"
        r"(?:-(?P<block>\d{2}[A-Z]-\d{2}-[A-Z]{2}[A-Z0-9]*))?"
    ),
    "CPTAC, as C3L-00001-21": r"(?P<patient>C3[LN]-\d{5})(?:-(?P<block>\d{2}))?(?!\d)",
    # Letters behind the number stay: the published 82 patients are counted with them.
    "BreakHis, as SOB_B_A-14-22549AB-40-001": (
        r"[A-Z]+_(?P<label>[BM])_[A-Z]+-(?P<patient>\d{2}-\d+[A-Z]*)-\d+-\d+"
    ),
    # The label is the figure behind 'class': 0 without, 1 with invasive carcinoma.
    "IDC patches, as 8863_idx5_x51_y1251_class0": (
        r"(?P<patient>\d+)_(?P<block>idx\d+)_x\d+_y\d+_class(?P<label>\d)"
    ),
    "Malaria cells, as C33P1thinF_IMG_20150619_114756a_cell_179": (
        r"(?P<patient>C\d+(?:P\d+)?)N?_?[Tt]hinF"
    ),
    "C-NMC leukaemia, as UID_H10_12_1_hem": (
        r"UID_(?P<patient>H?\d+)_\d+_\d+_(?P<label>all|hem)(?![a-z])"
    ),
    "Camelyon17, as patient_001_node_2": (
        r"(?:patch_)?(?P<patient>patient_\d{3})_(?P<block>node_\d)(?!\d)"
    ),
    "Camelyon16, as tumor_001 or normal_001": (
        r"(?P<patient>(?:(?P<label>tumor|normal)|test)_\d{3})(?!\d)"
    ),
    "Retinal OCT and chest X-rays, as CNV-1016042-3": (
        r"(?P<label>CNV|DME|DRUSEN|NORMAL|BACTERIA|VIRUS)-(?P<patient>\d+)-\d+"
    ),
}

# For other names, and for those who do not write regular expressions.
GENERAL_PATTERNS: dict[str, str] = {
    "Everything before the first _": r"(?P<patient>[^_]+)_",
    "Everything before the last _": r"(?P<patient>.+)_[^_]*$",
    "Between the first and the second _": r"[^_]+_(?P<patient>[^_]+)_",
    "Everything before the first -": r"(?P<patient>[^-]+)-",
    "The first number": r"\D*(?P<patient>\d+)",
}

COMMON_PATTERNS: dict[str, str] = {**SPECIFIC_PATTERNS, **GENERAL_PATTERNS}
