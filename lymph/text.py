"""Words that pages, commands and reports write alike, and texts that others wrote."""

import re

# What shows nothing of its own: control characters, halves of characters that no UTF-8 holds (a
# file name of other bytes), and marks that turn round or hide the letters around them.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2060-\u2069\ufeff]")


# The sets of a split and what is judged out of fold, as a title and within a sentence.
SET_TITLES = {"train": "Train", "val": "Validation", "test": "Test", "out-of-fold": "Out of fold"}
SET_WORDS = {"train": "training", "val": "validation", "test": "test", "out-of-fold": "out-of-fold"}
# What a phase of training is called.
PHASE_TITLES = {"finetune": "fine-tuning", "linear_probe": "linear probe"}


def whole_percent(share: float) -> str:
    """Write a share, 0 to 1, in whole percent."""
    return f"{100 * share:.0f} %"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun in the singular or the plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# A cell that a spreadsheet runs as a formula, and one that was written so that it does not.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"''*[=+\-@\t\r\n]")


def as_cell(value: object) -> object:
    """Return a value as a table holds it: no spreadsheet runs a text of it as a formula.

    An apostrophe goes before what begins like a formula, and before what already has one there, so
    that ``from_cell`` returns every text exactly. Other values are returned as they are.
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def from_cell(value: str) -> str:
    """Return what ``as_cell`` was given; a text that needed no apostrophe as it is."""
    return value[1:] if _GUARDED.match(value) else value


def printable(text: object) -> str:
    """Return a text that others wrote on one line, each character that shows nothing as �."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", " ".join(str(text).split()))


def brief(text: object, most: int = 80) -> str:
    """Return a text that others wrote as ``printable``, of at most so many letters."""
    line = printable(text)
    return line if len(line) <= most else f"{line[: most - 1]}…"


# A sentence with the space behind it; the end of a paragraph belongs to the sentence before.
_SENTENCE = re.compile(r".+?(?:[.?!][*`”)]*(?=\s+[A-Z“`])\s+|\Z)", re.DOTALL)


def parted(text: str, most: int) -> list[str]:
    """Cut a long text at the ends of sentences into parts of about equal length.

    Parameters
    ----------
    text : str
    most : int
        Letters of a part; only a single sentence that is longer makes a longer one.
    """
    count = -(-len(text) // most)
    parts = [""]
    for sentence in _SENTENCE.findall(text):
        length = len(parts[-1]) + len(sentence.rstrip())
        balanced = length - len(sentence) / 2 <= len(text) / max(count, 1)
        if parts[-1] and (length > most or not balanced):
            parts.append("")
        parts[-1] += sentence
    return [part.strip() for part in parts]
