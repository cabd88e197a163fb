"""Which functions of the library change something on the disk, and who on the pages calls them.

A function changes something where it, or any function that it names, writes, deletes or moves a
file. Names are followed through imports and the library's own functions; a method is taken for
every method of that name in the library.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

HOME = Path(__file__).parents[2]
# Methods of paths, files and modules that change the disk.
WRITES = frozenset(
    [
        *("mkdir", "rmdir", "rmtree", "symlink_to", "touch", "unlink"),
        *("write_bytes", "write_text", "fsync", "hardlink_to", "copytree", "copyfile"),
    ]
)
# Looks after the file of what visitors share, and leaves alone what it says.
READS = "lymph.database.reading"
# What the pages change by: nothing else may be handed a function that changes.
DOORS = ("lymph.classroom.", "pages.shared.visit.changing.")


class Use(NamedTuple):
    """A place on the pages that names a function that changes something."""

    place: str
    function: str


class Code:
    """One file: what its names mean, and its functions."""

    def __init__(self, module: str, text: str) -> None:
        self.module, self.tree = module, ast.parse(text)
        self.tree.parent = None  # type: ignore[attr-defined]
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                child.parent = node  # type: ignore[attr-defined]
        self.names = dict(self._imported())
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.names[node.name] = f"{module}.{node.name}"

    def _imported(self) -> Iterator[tuple[str, str]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for one in node.names:
                    yield (
                        (one.asname or one.name.split(".")[0]),
                        (one.asname and one.name) or (one.name.split(".")[0]),
                    )
            elif isinstance(node, ast.ImportFrom):
                for one in node.names:
                    yield one.asname or one.name, f"{node.module}.{one.name}"

    def functions(self) -> Iterator[tuple[str, ast.FunctionDef]]:
        """Return the functions, methods by the name of their class."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                owner = getattr(node, "parent", None)
                inside = f"{owner.name}." if isinstance(owner, ast.ClassDef) else ""
                yield f"{self.module}.{inside}{node.name}", node

    def meaning(self, node: ast.AST) -> str:
        """Return what a name stands for, written with its module; of a method its name alone."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, "")
        if isinstance(node, ast.Attribute):
            owner = self.meaning(node.value)
            return f"{owner}.{node.attr}" if owner else f".{node.attr}"
        return ""

    def named(self, inside: ast.AST) -> Iterator[tuple[ast.AST, str]]:
        """Return every name in a part of the file that stands for something; methods as called."""
        for node in ast.walk(inside):
            meaning = self.meaning(node)
            called = isinstance(node.parent, ast.Call) and node.parent.func is node
            if meaning and (called or not meaning.startswith(".")):
                yield node, meaning


@cache
def library() -> dict[str, Code]:
    """Return the files of the library by the name of their module."""
    files = sorted((HOME / "lymph").rglob("*.py"))
    return {module_of(file): Code(module_of(file), file.read_text("utf-8")) for file in files}


def module_of(file: Path) -> str:
    """Return the name by which a file is imported."""
    parts = file.relative_to(HOME).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def home_of(meaning: str) -> str:
    """Follow a name through the packages that hand it on, to the module that defines it."""
    module, _, name = meaning.rpartition(".")
    code = library().get(module)
    while code is not None and (further := code.names.get(name, meaning)) != meaning:
        meaning = further
        module, _, name = meaning.rpartition(".")
        code = library().get(module)
    return meaning


@cache
def changing() -> frozenset[str]:
    """Return every function of the library that changes something on the disk, directly or not."""
    calls: dict[str, set[str]] = {}
    changes: set[str] = set()
    for code in library().values():
        for name, node in code.functions():
            meanings = {home_of(meaning) for _, meaning in code.named(node)} - {name}
            calls[name] = meanings
            if any(one.rpartition(".")[2] in WRITES for one in meanings) or writes_file(node):
                changes.add(name)
    calls[READS].clear()
    while True:
        methods = {f".{name.rpartition('.')[2]}" for name in changes if is_method(name)}
        methods = {name for name in methods if not name.startswith("._")}
        more = {name for name, named in calls.items() if named & (changes | methods)} - changes
        if not more:
            return frozenset(changes)
        changes |= more


def is_method(name: str) -> bool:
    """Tell whether a function belongs to a class, or a class stands for its construction."""
    return name.rpartition(".")[0].rpartition(".")[2][:1].isupper()


def writes_file(node: ast.FunctionDef) -> bool:
    """Tell whether a function opens a file to write it."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] == "open":
            modes = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
            if any(isinstance(mode, str) and set(mode) & set("wax+") for mode in modes):
                return True
    return False


def uses(code: Code, file: str) -> list[Use]:
    """Return where a page names what changes something without going through a door."""
    found = []
    for node, meaning in code.named(code.tree):
        function = home_of(meaning)
        by_itself = function.startswith(".") and function[1:] in WRITES
        if function.startswith("lymph.classroom.") or not (by_itself or function in changing()):
            continue
        if not isinstance(node.parent, ast.Attribute) and not _through_door(code, node):
            found.append(Use(f"{file}:{node.lineno}", function))
    return found


def _through_door(code: Code, node: ast.AST) -> bool:
    """Tell whether a name is handed to a door: by itself, or called in a lambda."""
    inner, outer, called = node, node.parent, False
    while outer is not None and not isinstance(outer, ast.stmt):
        if isinstance(outer, ast.Call) and inner is outer.func:
            called = True
        elif isinstance(outer, ast.Lambda):
            called = False
        elif isinstance(outer, ast.Call) and code.meaning(outer.func).startswith(DOORS):
            return not called
        inner, outer = outer, outer.parent
    return isinstance(outer, ast.Import | ast.ImportFrom)
