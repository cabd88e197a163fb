"""Patients and slides from file names."""

import re
from pathlib import PurePosixPath
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
    match = compiled.match(PurePosixPath(name).name)
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
