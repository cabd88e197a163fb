"""What the folders around the pictures tell: the class, the patient, or a ready split.

Nobody is asked to arrange pictures anew. Every picture stands in some folders; each level of them
is one of the roles below, and the roles are read off how the names repeat.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

CLASS, PATIENT, SET, NOTHING = "class", "patient", "set", ""
ROLES = (CLASS, PATIENT, SET, NOTHING)

# How data sets call the parts of a ready split, and what each is called here.
SET_NAMES = re.compile(
    r"(?P<train>train(?:ing)?)|(?P<val>val(?:id(?:ation)?)?|dev)|(?P<test>test(?:ing)?)",
    re.IGNORECASE,
)
SET_ENDINGS = re.compile(r"[ _-]?(?:set|data|images?|imgs|split)?\d?", re.IGNORECASE)
FOLD_NAMES = re.compile(r"(?:fold|cv|split)[ _-]?(?P<number>\d{1,3})", re.IGNORECASE)

# Folders that lie beside the pictures of many repositories and are no class.
# fmt: off
BESIDE = {
    "asset", "assets", "css", "diagram", "diagrams", "doc", "docs", "documentation", "fig",
    "figs", "figure", "figures", "font", "fonts", "icon", "icons", "js", "logo", "logos",
    "notebook", "notebooks", "plot", "plots", "preview", "previews", "result", "results",
    "screenshot", "screenshots", "script", "scripts", "src", "static", "thumb", "thumbnail",
    "thumbnails", "thumbs",
}
# fmt: on
# So few pictures are no class beside folders that hold many.
FEW, FEW_SHARE = 3, 0.05

Folders = tuple[str, ...]


class Layout(NamedTuple):
    """Where the pictures lie below ``base``, and what each level of folders there tells.

    ``skipped`` names folders (as paths below the root) that hold pictures but are none of the
    classes.
    """

    base: str = ""
    folders: Folders = ()
    skipped: tuple[str, ...] = ()


def set_name(folder: str) -> str:
    """Return ``train``, ``val``, ``test`` or ``fold N`` where a name means it, else nothing."""
    fold = FOLD_NAMES.fullmatch(folder)
    if fold:
        return f"fold {int(fold['number'])}"
    found = SET_NAMES.match(folder)
    if found and SET_ENDINGS.fullmatch(folder[found.end() :]):
        return str(found.lastgroup)
    return ""


class Level(NamedTuple):
    """One level of folders below the base: the names there, the most pictures first."""

    depth: int
    names: list[str]
    pictures: int


def levels_of(pictures: Sequence[str], base: str = "") -> list[Level]:
    """List the levels of folders that pictures stand in, the outermost first."""
    start = len(base) + 1 if base else 0
    stacks = [picture[start:].split("/")[:-1] for picture in pictures]
    levels = []
    for depth in range(max(map(len, stacks), default=0)):
        names = Counter(stack[depth] for stack in stacks if len(stack) > depth)
        levels.append(Level(depth, [name for name, _ in names.most_common()], names.total()))
    return levels


def find_layout(pictures: Sequence[str]) -> Layout:
    """Find the level at which the classes stand, and what the levels around it tell.

    Parameters
    ----------
    pictures : sequence of str
        Paths below the data root, with ``/``.

    Returns
    -------
    Layout
        Without a ``class`` among its roles where no level of folders can be the classes.
    """
    stacks = [tuple(picture.split("/")[:-1]) for picture in pictures]
    base = _base(stacks)
    inner = [stack[len(base) :] for stack in stacks if stack[: len(base)] == base]
    skipped = _beside(inner)
    inner = [stack for stack in inner if stack and stack[0] not in skipped]
    prefix = "/".join(base)
    names = tuple(sorted(f"{prefix}/{name}" if prefix else name for name in skipped))
    return Layout(prefix, _roles(inner), names)


def _counts(stacks: Iterable[Folders]) -> Counter[str]:
    return Counter(stack[0] for stack in stacks if stack)


def _base(stacks: list[Folders]) -> Folders:
    """Go down while one folder holds nearly everything and has folders of its own.

    Beside it there may be a few stray pictures (documentation, icons), but nothing that is built
    like it: a rare class beside a frequent one keeps both at their level.
    """
    base: Folders = ()
    while True:
        here = [stack[len(base) :] for stack in stacks if stack[: len(base)] == base]
        counts = _counts(here)
        if not counts:
            return base
        main, size = counts.most_common(1)[0]
        beside = [s for s in here if not s or (s[0] != main and s[0].lower() not in BESIDE)]
        below = _counts(stack[1:] for stack in here if stack and stack[0] == main)
        stray = len(beside) <= max(FEW, FEW_SHARE * size) and len(beside) < size
        alone = not beside or (stray and len(below) >= 2 and not any(len(s) > 1 for s in beside))
        if not below or not alone or (beside and set_name(main)):
            return base
        base = (*base, main)


def _beside(inner: list[Folders]) -> set[str]:
    """Name the folders that are no class by their name, beside others that may be."""
    counts = _counts(inner)
    beside = {name for name in counts if name.lower() in BESIDE}
    return beside if len(beside) < len(counts) else set()


def _roles(stacks: list[Folders]) -> Folders:
    """Say what each level of folders tells."""
    tops = _counts(stacks)
    if len(tops) < 2:
        return ()
    sets = [name for name in tops if set_name(name)]
    if len(sets) >= 2 and sum(tops[name] for name in sets) >= 0.9 * tops.total():
        inner = [stack[1:] for stack in stacks if set_name(stack[0])]
        return (SET, *_roles(inner))
    deep: list[Folders] = [stack for stack in stacks if len(stack) > 1]
    if len(deep) < 0.5 * len(stacks):
        return (CLASS,)
    return _two_levels(deep)


def _two_levels(stacks: list[Folders]) -> Folders:
    """Say which of two levels holds the classes and what the other one tells."""
    inner = {stack[1] for stack in stacks}
    if len(inner) >= 2 and all(map(set_name, inner)):
        rest = _without_second(stacks)
        more = _two_levels(rest)[1:] if len(rest) >= 0.5 * len(stacks) else ()
        return (CLASS, SET, *more)
    if _repeat(stacks):
        return (PATIENT, CLASS)
    if len(inner) == 1:
        # A level with one name tells nothing; the patient may stand below it.
        rest = _without_second(stacks)
        if len(rest) >= 0.5 * len(stacks):
            return (CLASS, NOTHING, *_two_levels(rest)[1:])
        return (CLASS,)
    return (CLASS, PATIENT)


def _without_second(stacks: list[Folders]) -> list[Folders]:
    return [stack[:1] + stack[2:] for stack in stacks if len(stack) > 2]


def _repeat(stacks: list[Folders]) -> bool:
    """Tell whether the inner names are the classes: few, and the same under most top folders."""
    tops = {stack[0] for stack in stacks}
    pairs = {(stack[0], stack[1]) for stack in stacks}
    under = Counter(inner for _, inner in pairs)
    if not 2 <= len(under) < len(tops):
        return False
    shared = sum(under[stack[1]] >= 2 for stack in stacks)
    if shared < 0.9 * len(stacks):
        return False
    # CLL/1, CLL/2, FL/1 ...: patients whose numbers start again in each class.
    numbered = all(map(_has_digit, under)) and not any(map(_has_digit, tops))
    return not numbered or len(tops) > 3 * len(under)


def _has_digit(name: str) -> bool:
    return any(character.isdigit() for character in name)
