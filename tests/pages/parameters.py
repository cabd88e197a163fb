"""Which parameters the pages keep in the address, read from their source and from what is drawn."""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).parents[2] / "pages"


@cache
def bound_in_source() -> set[str]:
    """Return the key of every control that any page binds to the address.

    Raises
    ------
    ValueError
        When a key is written in a way that is not understood here.
    """
    return {key for file in sources() for key in Source(file).bound_keys()}


@cache
def handled_in_source() -> set[str]:
    """Return every parameter that the pages read or write by themselves."""
    return {key for file in sources() for key in Source(file).handled_keys()}


def sources() -> list[Path]:
    """Return the files of the pages and of what they share."""
    return sorted(PAGES.rglob("*.py"))


def drawn(app: AppTest) -> dict[str, list[str]]:
    """Return the bound controls of a page, each with the labels that can be chosen."""
    elements = [*app.main, *app.sidebar]
    keys = {getattr(one.proto, "query_param_key", ""): one for one in elements}
    return {key: list(one.options) for key, one in keys.items() if key}


class Source:
    """One file of the pages, searched for parameters of the address."""

    def __init__(self, file: Path) -> None:
        self.file, self.tree = file, ast.parse(file.read_text())
        self.calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]

    def bound_keys(self) -> Iterator[str]:
        for call in self.calls:
            if any(self.binds(keyword) for keyword in call.keywords):
                key = next(word.value for word in call.keywords if word.arg == "key")
                yield from self.values(key, call)

    def binds(self, keyword: ast.keyword) -> bool:
        """Tell whether an argument binds a control: ``bind=...`` or a dictionary with it."""
        if keyword.arg is not None:
            return keyword.arg == "bind"
        name = ast.unparse(keyword.value)
        filled = [
            ast.unparse(node.value)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
        ]
        return any("'bind'" in value for value in [name, *filled])

    def handled_keys(self) -> Iterator[str]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Subscript) and is_address(node.value):
                yield from self.values(node.slice, node)
        for call in self.calls:
            if call.args and is_address(getattr(call.func, "value", None)):
                yield from self.values(call.args[0], call)

    def values(self, key: ast.expr, at: ast.AST) -> list[str]:
        """Return what an expression can be: a text, a constant, or what a function is given."""
        if isinstance(key, ast.Constant):
            return [str(key.value)]
        if isinstance(key, ast.Name):
            if (given := self.given(key.id, at)) is not None:
                return given
            if (looped := self.looped(key.id, at)) is not None:
                return looped
        if self.file.parent != PAGES:  # a page runs when it is imported, what they share does not
            name = ".".join(self.file.relative_to(PAGES.parent).with_suffix("").parts)
            module = importlib.import_module(name)
            return [str(eval(ast.unparse(key), vars(module)))]
        raise ValueError(f"{self.file.name}: {ast.unparse(key)} is not understood")

    def around(self, at: ast.AST, kind: type) -> Iterator[ast.AST]:
        """Return the nodes of a kind that a node lies in."""
        return (n for n in ast.walk(self.tree) if isinstance(n, kind) and at in ast.walk(n))

    def given(self, name: str, at: ast.AST) -> list[str] | None:
        """Return what an argument of the function around is in all calls of it in this file."""
        for function in self.around(at, ast.FunctionDef):
            names = [argument.arg for argument in function.args.args]
            if name in names:
                own = [c for c in self.calls if ast.unparse(c.func) == function.name]
                place = names.index(name)
                return [value for c in own for value in self.values(c.args[place], c)]
        return None

    def looped(self, name: str, at: ast.AST) -> list[str] | None:
        """Return what a loop around goes through; nothing where that is the address itself."""
        for whole in self.around(at, ast.DictComp):
            if any(is_address(one.iter) for one in whole.generators):
                return []
        for loop in self.around(at, ast.For):
            if ast.unparse(loop.target) == name and isinstance(loop.iter, ast.Tuple):
                return [value for one in loop.iter.elts for value in self.values(one, loop)]
        return None


def is_address(node: ast.expr | None) -> bool:
    """Tell whether an expression is the address's parameters."""
    return node is not None and ast.unparse(node) == "st.query_params"
