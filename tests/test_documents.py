"""The documents: what they link to and name is there."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

REPOSITORY = Path(__file__).parents[1]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
LINK = re.compile(r"\]\(<?([^)>\s]+)>?[^)]*\)")
PATH = re.compile(r"`((?:lymph|pages|tests|docs|bench)/[\w./-]*)`")
OUTSIDE = re.compile(r"[a-z][a-z+.-]*:")


@cache
def anchors(document: Path) -> set[str]:
    """Return the names of a document's headings, as the usual hosts make them."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.S | re.M)
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_of(document: Path) -> list[str]:
    """List the addresses that a document links to or shows."""
    return LINK.findall(document.read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    """Files and folders exist, and so do the headings that are meant in them."""
    broken = []
    for link in links_of(document):
        if OUTSIDE.match(link):
            continue
        name, _, heading = unquote(link).partition("#")
        target = document.parent / name if name else document
        if not target.exists() or (heading and heading not in anchors(target)):
            broken.append(link)
    assert not broken


def test_the_documents_are_linked_to_one_another() -> None:
    """Whoever starts at the README finds every document."""
    found, left = set(), [REPOSITORY / "README.md"]
    while left:
        document = left.pop()
        found.add(document)
        inside = {(document.parent / unquote(link).partition("#")[0]).resolve()
                  for link in links_of(document) if not OUTSIDE.match(link)}  # fmt: skip
        left += [path for path in inside if path.suffix == ".md" and path not in found]
    assert found >= set(DOCUMENTS)


def test_named_modules_and_files_exist() -> None:
    """Regression: documents name modules, and those move; each named path is a file or folder."""
    named = {
        (document.name, path)
        for document in DOCUMENTS
        for path in PATH.findall(document.read_text(encoding="utf-8"))
        if "NAME" not in path
    }
    assert len(named) > 10
    assert not {(name, path) for name, path in named if not (REPOSITORY / path).exists()}
