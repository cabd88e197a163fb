"""Which files of a published split train and which test, and which belong to one fold."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lymph.errors import SplitError
from lymph.splits.published import Published, Row

# Letters before the word make another one of it, as in "latest".
_ROLE = re.compile(
    r"(?<![a-z])(?:(?P<train>train(?:ing)?|trn)|(?P<test>test(?:ing)?|tst)"
    r"|(?P<val>(?:val(?:id(?:ation)?)?|dev)(?![a-z])))",
    re.IGNORECASE,
)


class Part(NamedTuple):
    """Who trains and who tests; of several folds, one."""

    name: str
    train: list[Row]
    test: list[Row]


class Sides(NamedTuple):
    """The folds of a published split, or its only part, and what is doubtful about the files."""

    parts: list[Part]
    doubts: list[str]


def sides_of_files(files: Sequence[Published], folds: bool = False) -> Sides:
    """Tell from their number and names what each file is.

    One file names the sets itself. Of two, the first trains and the second tests. Of more, the
    names say so: ``train`` and ``test``, with the same number where there is one file per fold.

    Parameters
    ----------
    files : sequence of Published
    folds : bool
        Each file lists the test pictures of one fold, and the others are its training, unless the
        names say train and test.

    Raises
    ------
    SplitError
        When the files do not tell who trains and who tests.
    """
    roles = [_role(file.path) for file in files]
    by_name = roles.count("train") > 0 and roles.count("test") > 0
    if folds and len(files) > 1 and not by_name:
        return Sides(_each_against_the_rest([(file.name, file.rows) for file in files]), [])
    if len(files) < 2:
        return sides_of(files, [])
    if len(files) == 2:
        sides = sides_of(files[:1], files[1:])
        return sides._replace(doubts=[*_swapped(files, roles), *sides.doubts])
    if not by_name:
        raise SplitError(
            f"{len(files)} files do not say which of them train: put train and test into their"
            " names, or add --folds where each lists the test pictures of one fold."
        )
    train = [file for file, role in zip(files, roles, strict=True) if role == "train"]
    test = [file for file, role in zip(files, roles, strict=True) if role == "test"]
    sides = sides_of(train, test)
    left = [file.name for file, role in zip(files, roles, strict=True) if role not in _SIDES]
    told = f"Neither training nor test by name, so not audited: {', '.join(left)}."
    return sides._replace(doubts=[*([told] if left else []), *sides.doubts])


_SIDES = ("train", "test")


def sides_of(train: Sequence[Published], test: Sequence[Published]) -> Sides:
    """Pair the files of the two sides, or find both sides in a single file.

    Raises
    ------
    SplitError
        When a side is missing, or a fold has only one of its two lists.
    """
    files = [*train, *test]
    if len(files) == 1:
        return _within(files[0])
    if not train or not test:
        missing = "test" if train else "training"
        raise SplitError(f"The {missing} lists are missing; give both, or one file that has both.")
    if len(train) == len(test) == 1:
        return Sides([Part("", _side(train[0], "train"), _side(test[0], "test"))], [])
    return Sides(_paired(train, test), [])


# ---- one file ------------------------------------------------------------------------------------


def _within(file: Published) -> Sides:
    """Find the sets or folds that a file names."""
    groups: dict[str, list[Row]] = {}
    for row in file.rows:
        if row.set:
            groups.setdefault(row.set, []).append(row)
    tested = "test" if "test" in groups else "val"
    if {"train", tested} <= set(groups):
        other = sorted(set(groups) - {"train", tested})
        doubts = [f"Not audited: the set {', '.join(other)}."] if other else []
        if tested == "val":
            doubts.append(f"{file.name} has no test set; its validation set was audited instead.")
        return Sides([Part("", groups["train"], groups[tested])], doubts)
    folds = sorted((name for name in groups if re.fullmatch(r"fold \d+", name)), key=_number)
    if len(folds) > 1:
        return Sides(_each_against_the_rest([(name, groups[name]) for name in folds]), [])
    found = f"only names {', '.join(sorted(groups)[:5])}" if groups else "names no sets"
    raise SplitError(
        f"{file.name[:80]} {found}; give a list for training and one for the test, or a table with"
        " a column set (train, test, or the number of a fold)."
    )


def _each_against_the_rest(groups: Sequence[tuple[str, list[Row]]]) -> list[Part]:
    return [
        Part(name, [row for other, rows in groups if other != name for row in rows], tested)
        for name, tested in groups
    ]


def _side(file: Published, role: str) -> list[Row]:
    """Take the rows of one side; a file without sets, or with a single one, is all of it."""
    sets = {row.set for row in file.rows}
    if len(sets) == 1:
        return file.rows
    rows = [row for row in file.rows if row.set == role]
    if not rows:
        raise SplitError(
            f"{file.name[:80]} has no set {role}, only {', '.join(sorted(sets - {''})[:5])}; give"
            " a list of that side."
        )
    return rows


# ---- several files -------------------------------------------------------------------------------


def _paired(train: Sequence[Published], test: Sequence[Published]) -> list[Part]:
    """Pair the lists of each fold; lists that are no folds are put together."""
    keys = [[_key(file.path) for file in side] for side in (train, test)]
    numbered = all(key.isdigit() for side in keys for key in side)
    unique = all(len(set(side)) == len(side) for side in keys)
    if unique and set(keys[0]) == set(keys[1]) and (numbered or _overlap(train)):
        tests = dict(zip(keys[1], test, strict=True))
        pairs = {key: (file, tests[key]) for key, file in zip(keys[0], train, strict=True)}
        return [
            Part(f"fold {key}", _side(pairs[key][0], "train"), _side(pairs[key][1], "test"))
            for key in sorted(pairs, key=lambda key: (_number(key), key))
        ]
    if (numbered and min(len(train), len(test)) > 1) or _overlap(train):
        raise SplitError(
            f"{len(train)} training and {len(test)} test lists do not pair up; give each fold a"
            " list train_N and a list test_N with the same number."
        )
    rows = [
        [row for file in side for row in _side(file, role)]
        for side, role in ((train, "train"), (test, "test"))
    ]
    return [Part("", *rows)]


def _overlap(files: Iterable[Published]) -> bool:
    """Tell whether lists share rows, as those of folds do and those of classes do not."""
    return max(Counter(row for file in files for row in file.rows).values(), default=0) > 1


def _pieces(path: str) -> tuple[str, str]:
    """Return the name of a file without its suffix, and of its folder."""
    folder, _, name = f"/{path}".replace("\\", "/").rpartition("/")
    return re.sub(r"(?<=.)\.[A-Za-z]\w*$", "", name), folder.rpartition("/")[2]


def _role(path: str) -> str:
    """Read ``train``, ``test`` or ``val`` from a file's name, else from its folder's."""
    found = next(filter(None, map(_ROLE.search, _pieces(path))), None)
    return str(found.lastgroup) if found else ""


def _key(path: str) -> str:
    """Return what two lists of a fold share: its number, else the name without the side.

    A plain ``train.txt`` has the number of its folder.
    """
    stem, folder = _pieces(path)
    word = _ROLE.sub("", stem).strip(" _-.").lower()
    numbers = re.findall(r"\d{1,9}", stem if word else folder)
    return str(int(numbers[-1])) if numbers else word


def _number(name: str) -> int:
    found = re.search(r"\d{1,9}$", name)
    return int(found[0]) if found else 0


def _swapped(files: Sequence[Published], roles: Sequence[str]) -> list[str]:
    if roles[0] != "test" or roles[1] != "train":
        return []
    return [
        f"{files[0].name} was taken for training and {files[1].name} for the test, as in this"
        " order; their names say the opposite."
    ]
