"""The ways in which a file is damaged: by a full disk, a bad copy, an editor, or a stranger."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

# Values of the wrong kind, and numbers and texts that no file of ours holds.
STRANGE: tuple[Any, ...] = ("x", "", None, -1, 1e30, float("nan"), True, [], {}, ["\0"], {"a": [1]})


def _cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def _random(file: Path) -> None:
    file.write_bytes(np.random.default_rng(0).bytes(300))


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


WHOLE: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda file: file.write_bytes(b""),
    "cut": _cut,
    "random": _random,
    "list": lambda file: file.write_text('["x", 1e30]'),
    "null": lambda file: file.write_text("null"),
    "object": lambda file: file.write_text('{"state": "finished", "queued": "x"}'),
    "nested": lambda file: file.write_text("[" * 100_000),
    "folder": _folder,
}


def damaged_documents(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield copies of a JSON object, each with one key gone or one value strange, and its name."""
    for key in document:
        yield f"without {key}", {name: value for name, value in document.items() if name != key}
        for value in STRANGE:
            yield f"{key}: {value!r}", {**document, key: value}


def damaged_tables(text: str) -> Iterator[tuple[str, str]]:
    """Yield copies of a CSV: header only, each column gone, each column's first value strange."""
    header, *rows = [line.split(",") for line in text.splitlines()]
    yield "header only", ",".join(header) + "\n"
    for place, name in enumerate(header):
        lines = [line[:place] + line[place + 1 :] for line in (header, *rows)]
        yield f"without {name}", _text(lines)
        for value in ("", "x", "-1", "1e30", "nan", "inf"):
            first = [*rows[0][:place], value, *rows[0][place + 1 :]]
            yield f"{name}: {value!r}", _text([header, first, *rows[1:]])
    yield "twice a row", _text([header, rows[0], *rows])
    yield "a row too long", _text([header, [*rows[0], "1", "2"], *rows[1:]])


def _text(lines: list[list[str]]) -> str:
    return "\n".join(",".join(line) for line in lines) + "\n"


def dump(document: Any) -> str:
    """Write a document as JSON."""
    return json.dumps(document)
