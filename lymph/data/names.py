"""Patients and slides from file names."""

import re
from typing import NamedTuple

from lymph.errors import DataError
from lymph.facts import PATIENT_PATTERN


class Origin(NamedTuple):
    """Where a picture comes from: a patient, and one slide (block) of that patient."""

    patient: str
    slide: str


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a patient pattern, which must have a group ``number`` or ``patient``.

    Raises
    ------
    DataError
        When the pattern is no regular expression or names no patient.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise DataError(f"The patient pattern is not a regular expression: {error}.") from error
    if not {"number", "patient"} & set(compiled.groupindex):
        raise DataError(
            "The patient pattern names no patient: put the part of the file name that tells"
            " patients apart into a group called 'patient', as in (?P<patient>[^_]+)_."
        )
    return compiled


def origin_of(name: str, pattern: str | re.Pattern[str] = PATIENT_PATTERN) -> Origin | None:
    """Read patient and slide from a picture's path or file name.

    The patient key is year and number (``05-6124``): two blocks of one patient have two prefixes,
    and grouping by prefix would put that patient on both sides of a split.

    Parameters
    ----------
    name : str
        File name or path with ``/``; the folders are not looked at.
    pattern : str or compiled pattern
        Groups ``year`` and ``number``, or one group ``patient``; an optional group ``block``.

    Returns
    -------
    Origin or None
        None where the name does not match.
    """
    compiled = compile_pattern(pattern) if isinstance(pattern, str) else pattern
    match = compiled.match(name.rsplit("/", 1)[-1])
    if match is None:
        return None
    groups = match.groupdict()
    patient = groups.get("patient") or "-".join(
        part for part in (groups.get("year"), groups.get("number")) if part
    )
    if not patient:
        return None
    block = groups.get("block")
    return Origin(patient, f"{patient}-{block}" if block else patient)


# Patterns for common ways to name files, for those who do not write regular expressions.
COMMON_PATTERNS: dict[str, str] = {
    "Year and number, as sj-05-6124-R4_016": PATIENT_PATTERN,
    "Everything before the first _": r"(?P<patient>[^_]+)_",
    "Everything before the last _": r"(?P<patient>.+)_[^_]*$",
    "Everything before the first -": r"(?P<patient>[^-]+)-",
    "The first number": r"\D*(?P<patient>\d+)",
}


class Reading(NamedTuple):
    """What a pattern makes of the names: one origin a picture (None unmatched), and warnings."""

    origins: list[Origin | None]
    warnings: list[str]

    @property
    def patients(self) -> int:
        """Return the number of patients told apart."""
        return len({origin.patient for origin in self.origins if origin})

    @property
    def unmatched(self) -> int:
        """Return the number of names that tell no patient."""
        return self.origins.count(None)


def read_names(pictures: list[str], pattern: str) -> Reading:
    """Try a pattern on names and say what is doubtful about the patients it tells.

    Parameters
    ----------
    pictures : list of str
        Paths below the data root; the first part is the class.

    Raises
    ------
    DataError
        When the pattern cannot serve.
    """
    compiled = compile_pattern(pattern)
    origins = [origin_of(picture, compiled) for picture in pictures]
    labels: dict[str, set[str]] = {}
    for picture, origin in zip(pictures, origins, strict=True):
        if origin:
            labels.setdefault(origin.patient, set()).add(picture.split("/", 1)[0])
    return Reading(origins, _doubts(origins, labels))


def _doubts(origins: list[Origin | None], labels: dict[str, set[str]]) -> list[str]:
    matched = sum(origin is not None for origin in origins)
    doubts = []
    if matched < len(origins):
        doubts.append(
            f"{len(origins) - matched} of {len(origins)} names do not match: their pictures are"
            " left out."
        )
    several = sorted(patient for patient, own in labels.items() if len(own) > 1)
    if several:
        doubts.append(
            f"{len(several)} of {len(labels)} patients have pictures of several classes, such as"
            f" {several[0]}: the pattern may put different people together."
        )
    if matched > 1 and len(labels) == matched:
        doubts.append(
            "There are as many patients as pictures: a split by patient would then protect from"
            " nothing. The pattern probably takes in the picture's own number."
        )
    if matched > 1 and len(labels) == 1:
        doubts.append("All pictures are of one patient: the pattern takes in too little.")
    return doubts
