"""Documents from disk against the types that a dataclass declares: a wrong one gets a sentence."""

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lymph import workspace
from lymph.errors import LymphError

# Larger than every count, size and time of ours, and safe in every clock and calendar.
LARGEST = 10**11
KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def read_object(path: Path, error: type[LymphError], remedy: str) -> dict[str, Any]:
    """Read a file that holds one JSON object; see :func:`read_document`."""
    document = read_document(path, error, remedy)
    if not isinstance(document, dict):
        raise error(f"{path} cannot be read: it holds no named values; {remedy}.")
    return document


def read_document(path: Path, error: type[LymphError], remedy: str) -> Any:
    """Read a file that holds JSON.

    Parameters
    ----------
    path : Path
    error : type
        What to raise; its message is the file, what is the matter with it, and the remedy.
    remedy : str
        What to do, without a full stop.

    Raises
    ------
    LymphError
        The given one, where the file is missing or cannot be read.
    """
    try:
        return workspace.read_json(path)
    except FileNotFoundError:
        raise error(f"{path} is missing; {remedy}.") from None
    except json.JSONDecodeError as wrong:
        empty = not wrong.doc.strip()
        what = "it is empty" if empty else f"it is cut or damaged at line {wrong.lineno}"
        raise error(f"{path} cannot be read: {what}; {remedy}.") from None
    except (ValueError, RecursionError):
        raise error(f"{path} cannot be read: it does not hold text; {remedy}.") from None
    except OSError as wrong:
        raise error(f"{path} cannot be read ({wrong.strerror}); {remedy}.") from None


def misfit(kind: type, document: Mapping[str, Any]) -> str:
    """Say which value of a document is not of the type that a dataclass declares, or nothing.

    Keys that the dataclass does not know are passed over, and so are dataclasses in it, which have
    readers of their own; numbers must be finite and no larger than any count or time of ours.
    """
    hints = _hints(kind)
    for item in fields(kind):
        if item.name in document:
            value, hint = document[item.name], hints[item.name]
            if not _fits(value, hint):
                return f"{item.name} is {_short(value)}, not {_named(hint)}"
        elif item.default is MISSING and item.default_factory is MISSING:
            return f"{item.name} is missing"
    return ""


@lru_cache(maxsize=64)
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if origin is UnionType:
        return any(_fits(value, part) for part in parts)
    if origin in (list, tuple):
        return isinstance(value, (list, tuple)) and all(_fits(one, parts[0]) for one in value)
    if origin is dict:
        own = isinstance(value, dict)
        return own and all(_fits(k, parts[0]) and _fits(v, parts[1]) for k, v in value.items())
    if is_dataclass(hint):
        return True
    if hint in (int, float):
        number = isinstance(value, (int, hint)) and not isinstance(value, bool)
        return number and -LARGEST <= value <= LARGEST and math.isfinite(value)
    return isinstance(value, hint)


def _named(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return f"one of {', '.join(parts)}"
    if origin is UnionType:
        return " or ".join(_named(part) for part in parts if part is not NoneType)
    if origin in (list, tuple):
        return f"a list of {KINDS.get(parts[0], 'values')}"
    return KINDS.get(hint, "named values")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
