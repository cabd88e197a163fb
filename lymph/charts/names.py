"""Names of classes where there is little room: where they may break, and how wide they are."""

import html
import re
from collections.abc import Iterable

from lymph.text import brief, printable

# After a separator, and where a small letter meets a capital one: TUMOR_EMPTY, TumorEmpty.
BREAKS = re.compile(r"(?<=[_\-./ ])(?=[^_\-./ ])|(?<=[a-z])(?=[A-Z])")


def parts_of(name: str) -> list[str]:
    """Return the parts of a name that should stay whole."""
    return [part for part in BREAKS.split(str(name)) if part]


def breakable(name: str) -> str:
    """Return a name as HTML, escaped, that breaks between its parts before it breaks in one."""
    return "<wbr>".join(html.escape(part, quote=True) for part in parts_of(printable(name)))


def written(text: object, most: int = 80) -> str:
    """Return a name as Plotly writes it letter by letter: it takes tags, entities and ``%{}``."""
    return html.escape(brief(text, most), quote=False).replace("%{", "%&#123;")


def longest_part(names: Iterable[str]) -> int:
    """Return the number of letters of the longest part of any of the names."""
    return max((len(part.strip()) for name in names for part in parts_of(name)), default=0)


def shortened(name: str, most: int = 24) -> str:
    """Return a name of at most so many letters."""
    return name if len(name) <= most else f"{name[: most - 1]}…"
