"""Which texts the pages hand to Streamlit, and whether each of them is ours or made plain.

Streamlit takes nearly every text for Markdown, and ``st.html`` takes HTML. A text is safe where
it is written in the source, made of safe parts, or went through ``plain`` (Markdown) or ``escape``
(HTML). Names are followed to where they are assigned, parameters to every call, and functions of
the pages to what they return. All else is named here, with what it is.
"""

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from tests.pages.parameters import PAGES, sources

# The first argument and these keywords are Markdown.
FIRST = frozenset(
    [
        "badge",
        "button",
        "camera_input",
        "caption",
        "checkbox",
        "dialog",
        "download_button",
        "error",
        "expander",
        "file_uploader",
        "form_submit_button",
        "header",
        "info",
        "link_button",
        "markdown",
        "metric",
        "multiselect",
        "number_input",
        "pills",
        "popover",
        "radio",
        "segmented_control",
        "select_slider",
        "selectbox",
        "slider",
        "spinner",
        "status",
        "subheader",
        "success",
        "tabs",
        "text_area",
        "text_input",
        "title",
        "toast",
        "toggle",
        "warning",
        "write",
    ]
)
KEYWORDS = frozenset({"help", "icon", "caption", "captions", "label"})
# The second argument is a text that shows, too.
SECOND = frozenset({"metric", "progress"})
# Of these the options are Markdown; of selectbox, multiselect and select_slider they are text.
OPTIONS = frozenset({"pills", "radio", "segmented_control"})
# Functions whose texts are ours, or numbers in words.
OURS_CALLED = frozenset(
    [
        "addresses_to_come",
        "area_text",
        "base_text",
        "calibration_table",
        "chance_text",
        "class_colours",
        "computer",
        "control_words",
        "counted",
        "curve_text",
        "duration",
        "enumerate",
        "ink_on",
        "int",
        "interval_text",
        "interval_words",
        "len",
        "mark_title",
        "method_text",
        "neighbour_sentence",
        "number_input",
        "nunique",
        "people_text",
        "percent",
        "quote",
        "range",
        "right_text",
        "round",
        "search",
        "set_counts",
        "strftime",
        "sum",
        "summary",
        "time_left",
        "unseen_overlaps",
        "verdict_text",
        "whole_percent",
        "words_for",
        "zip",
    ]
)
# What is ours in any file: words of lessons and models, and names of levels, sets and splits; how
# a split was made is checked where a split is read.
OURS = frozenset(
    {
        *(
            f"lesson.{part}"
            for part in [
                "because",
                "choices",
                "number",
                "question",
                "seconds",
                "source",
                "source_address",
                "story",
                "task",
                "takeaway",
                "terms",
                "title",
            ]
        ),
        *(f"KINDS[{name}].title" for name in ("kind", "name")),
        "KINDS[kind].why",
        *(
            "slide.question",
            "chart.title",
            "layer.name",
            "judged.unit",
            "first.unit",
            "judged.mark",
            "first.mark",
        ),
        *("second.mark", "split.by", "judged.run.split().by", "plainly.interval_method"),
        *(
            "quick_corrections(found, data_set.copy)",
            "base64.b64encode(jpeg).decode()",
            "row.address",
            "record.page",
        ),
    }
)
# Numbers.
COUNTS = frozenset(
    {
        *("number.value", "done", "total", "split.seed"),
        *("leak.test_pictures", "leak.leaked_test_pictures", "facts.summary", "judged.report"),
        *(f"status.{part}" for part in ("epoch", "epochs")),
        *("measurement.result()", "lesson.number", "result['patients']"),
    }
)
NUMBERS = re.compile(r"[-+,.\d]*[dfge%]")
CLEANERS = {"markdown": {"plain"}, "html": {"escape", "breakable"}}


class Sink:
    """One text on its way to the screen."""

    def __init__(self, source: "Module", call: ast.Call, text: ast.expr, kind: str) -> None:
        self.source, self.call, self.text, self.kind = source, call, text, kind
        self.parts: list[str] = []

    def __str__(self) -> str:
        place = f"{self.source.file.relative_to(PAGES.parent)}:{self.text.lineno}"
        return f"{place}: {ast.unparse(self.call.func)} shows {', '.join(self.parts)} as it came"


class Module:
    """One file of the pages."""

    def __init__(self, file: Path, code: str) -> None:
        self.file, self.tree = file, ast.parse(code)
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                child.parent = node  # type: ignore[attr-defined]

    @cached_property
    def functions(self) -> dict[str, ast.FunctionDef]:
        return {n.name: n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef)}

    @cached_property
    def calls(self) -> dict[str, list[ast.Call]]:
        """Return the calls in the file, by the last name of what is called."""
        found: dict[str, list[ast.Call]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                found.setdefault(ast.unparse(node.func).rpartition(".")[2], []).append(node)
        return found

    def sinks(self) -> Iterator[Sink]:
        for call in ast.walk(self.tree):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            name = call.func.attr
            if name == "html" and isinstance(call.func.value, ast.Name | ast.Attribute):
                yield Sink(self, call, call.args[0], "html")
            if name in FIRST and is_streamlit(call.func.value):
                for text in (*call.args[:1], *(call.args if name == "write" else ())):
                    yield Sink(self, call, text, "markdown")
            if name in SECOND and len(call.args) > 1:
                yield Sink(self, call, call.args[1], "markdown")
            if name in FIRST | {"page_link", "image"}:
                for word in call.keywords:
                    if word.arg in KEYWORDS:
                        yield Sink(self, call, word.value, "markdown")
            if name in OPTIONS:
                written = next((w.value for w in call.keywords if w.arg == "format_func"), None)
                yield Sink(self, call, written or call.args[1], "markdown")
            if name == "table":
                yield Sink(self, call, call.args[0], "markdown")


def is_streamlit(node: ast.expr) -> bool:
    """Tell whether a method's owner is Streamlit or a place on the page, not a text or a table."""
    return isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.BoolOp) and not (
        isinstance(node, ast.Call) and ast.unparse(node.func) in ("str", "plain")
    )


class Judge:
    """Tells which texts are safe, over all files together."""

    def __init__(self, modules: list[Module]) -> None:
        self.modules = modules
        self.used: set[str] = set()
        self.doubtful: list[str] = []
        self.asked: set[tuple[int, str]] = set()

    def faults(self) -> list[Sink]:
        """Return every text that is not safe, with the parts of it that are to blame."""
        found = []
        for module in self.modules:
            for sink in module.sinks():
                self.doubtful = []
                if not self.safe(sink.text, module, sink.kind):
                    sink.parts = list(dict.fromkeys(self.doubtful))
                    found.append(sink)
        return found

    def safe(self, node: ast.expr | None, module: Module, kind: str) -> bool:
        if node is None or isinstance(node, ast.Constant):
            return True
        if (written := ast.unparse(node)) in OURS | COUNTS:
            self.used.add(written)
            return True
        found, before = getattr(self, f"_{type(node).__name__}", None), len(self.doubtful)
        safe = found is not None and found(node, module, kind)
        if not safe and len(self.doubtful) == before:
            self.doubtful.append(written)
        return safe

    def all_safe(self, nodes: list[ast.expr], module: Module, kind: str) -> bool:
        return all(self.safe(node, module, kind) for node in nodes)

    def _JoinedStr(self, node: ast.JoinedStr, module: Module, kind: str) -> bool:
        return self.all_safe(node.values, module, kind)

    def _FormattedValue(self, node: ast.FormattedValue, module: Module, kind: str) -> bool:
        spec = node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else []
        number = spec and isinstance(spec[0], ast.Constant) and NUMBERS.fullmatch(spec[0].value)
        return bool(number) or self.safe(node.value, module, kind)

    def _BinOp(self, node: ast.BinOp, module: Module, kind: str) -> bool:
        counted = isinstance(node.op, ast.Sub | ast.Mult | ast.Div | ast.FloorDiv)
        return counted or self.all_safe([node.left, node.right], module, kind)

    def _IfExp(self, node: ast.IfExp, module: Module, kind: str) -> bool:
        return self.all_safe([node.body, node.orelse], module, kind)

    def _BoolOp(self, node: ast.BoolOp, module: Module, kind: str) -> bool:
        return self.all_safe(node.values, module, kind)

    def _List(self, node: ast.List | ast.Tuple, module: Module, kind: str) -> bool:
        return self.all_safe(node.elts, module, kind)

    _Tuple = _List

    def _Starred(self, node: ast.Starred, module: Module, kind: str) -> bool:
        return self.safe(node.value, module, kind)

    def _GeneratorExp(
        self, node: ast.GeneratorExp | ast.ListComp, module: Module, kind: str
    ) -> bool:
        return self.safe(node.elt, module, kind)

    _ListComp = _GeneratorExp

    def _Lambda(self, node: ast.Lambda, module: Module, kind: str) -> bool:
        return self.safe(node.body, module, kind)

    def _Dict(self, node: ast.Dict, module: Module, kind: str) -> bool:
        return self.all_safe([*filter(None, node.keys), *node.values], module, kind)

    def _DictComp(self, node: ast.DictComp, module: Module, kind: str) -> bool:
        return self.all_safe([node.key, node.value], module, kind)

    def _Subscript(self, node: ast.Subscript, module: Module, kind: str) -> bool:
        return self.safe(node.value, module, kind)

    def _Attribute(self, node: ast.Attribute, module: Module, kind: str) -> bool:
        """A constant of a module; what is looked up in one."""
        constant = node.attr.strip("_").isupper()
        return constant or (
            node.attr in ("get", "__getitem__") and self.safe(node.value, module, kind)
        )

    def _Call(self, node: ast.Call, module: Module, kind: str) -> bool:
        name = ast.unparse(node.func)
        if name in CLEANERS[kind] or name.rpartition(".")[2] in OURS_CALLED:
            return True
        if name in ("list", "sorted", "next", "iter", "dict.fromkeys", "parted"):
            return self.safe(node.args[0], module, kind)
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in ("join", "capitalize", "upper", "lower", "replace", "format"):
                words = [*node.args, *(word.value for word in node.keywords)]
                return self.all_safe([node.func.value, *words], module, kind)
            if node.func.attr in ("values", "keys", "items", "get", "pop", "strip"):
                return self.safe(node.func.value, module, kind)
            if node.func.attr == "map" and ast.unparse(node.args[0]) in CLEANERS[kind]:
                return True
            if node.func.attr in ("set_index", "rename"):
                return self.safe(node.func.value, module, kind)
        if name == "map":
            return ast.unparse(node.args[0]) in CLEANERS[kind] | OURS_CALLED
        return self.returns_safe(name.rpartition(".")[2], module, kind)

    def returns_safe(self, name: str, module: Module, kind: str) -> bool:
        """Tell whether a function of the pages returns safe texts only."""
        for other in (module, *self.modules):
            if name in other.functions:
                found = [n for n in ast.walk(other.functions[name]) if isinstance(n, ast.Return)]
                key = (id(other.functions[name]), kind)
                if key in self.asked:
                    return True
                self.asked.add(key)
                safe = self.all_safe([one.value for one in found if one.value], other, kind)
                self.asked.discard(key)
                return bool(found) and safe
        return False

    def _Name(self, node: ast.Name, module: Module, kind: str) -> bool:
        if node.id in CLEANERS[kind] or node.id.strip("_").isupper():
            return True
        scope: ast.AST | None = node
        while (scope := getattr(scope, "parent", None)) is not None:
            if isinstance(scope, ast.Lambda) and node.id in {one.arg for one in scope.args.args}:
                # A format_func is given the options.
                call = getattr(getattr(scope, "parent", None), "parent", None)
                options = call.args[1:2] if isinstance(call, ast.Call) else []
                return bool(options) and self.all_safe(options, module, kind)
            if isinstance(scope, ast.FunctionDef | ast.Module):
                given = self.given(node.id, scope, module, kind)
                values = list(self.values(node.id, scope))
                if given is None and not values:
                    continue
                key = (id(scope), f"{node.id} {kind}")
                if key in self.asked:
                    return True
                self.asked.add(key)
                safe = given is not False and self.all_safe(values, module, kind)
                self.asked.discard(key)
                return safe
            if isinstance(scope, ast.GeneratorExp | ast.ListComp | ast.DictComp):
                for one in scope.generators:
                    if node.id in names_in(one.target):
                        return self.safe(one.iter, module, kind)
        return self.returns_safe(node.id, module, kind)

    def values(self, name: str, scope: ast.AST) -> Iterator[ast.expr]:
        """Return every expression that a name is assigned in a function, or in the file."""
        for node in ast.walk(scope):
            targets: list[ast.expr] = []
            value: ast.expr | None = None
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr):
                targets, value = [node.target], node.value
            elif isinstance(node, ast.For):
                if name in names_in(node.target):
                    yield from self.part_of_each(node, name)
            elif is_added(node):
                targets, value = [node.func.value], node.args[-1]
            for target in targets:
                if name in names_in(target) and value is not None:
                    yield self.part(target, value, name)

    def part_of_each(self, loop: ast.For, name: str) -> Iterator[ast.expr]:
        """Return what a name gets in a loop over tuples that are written out, else the whole."""
        written = loop.iter.elts if isinstance(loop.iter, ast.Tuple | ast.List) else [loop.iter]
        for one in written:
            yield self.part(loop.target, one, name)

    def part(self, target: ast.expr, value: ast.expr, name: str) -> ast.expr:
        """Return what a name gets of two tuples side by side, else the whole value."""
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, own in zip(target.elts, value.elts, strict=False):
                if name in names_in(one):
                    return own
        return value

    def given(self, name: str, scope: ast.AST, module: Module, kind: str) -> bool | None:
        """Tell whether a parameter is safe in every call; None where it is no parameter."""
        if not isinstance(scope, ast.FunctionDef):
            return None
        spec = scope.args
        names = [one.arg for one in [*spec.posonlyargs, *spec.args]]
        if name not in [*names, *(one.arg for one in spec.kwonlyargs)]:
            return None
        defaults = dict(zip(names[::-1], spec.defaults[::-1], strict=False))
        key = (id(scope), f"given {name} {kind}")
        if key in self.asked:
            return True
        self.asked.add(key)
        calls = [
            (other, call)
            for other in self.modules
            for call in other.calls.get(scope.name, [])
            if (scope.name in other.functions) == (other is module)
        ]
        safe = bool(calls)
        for other, call in calls:
            word = next((w.value for w in call.keywords if w.arg == name), None)
            place = names.index(name) if name in names else len(call.args)
            found = word or (call.args[place] if place < len(call.args) else defaults.get(name))
            safe = safe and self.safe(found, other, kind)
        self.asked.discard(key)
        return safe


def names_in(target: ast.expr) -> set[str]:
    """Return the names that a target of an assignment binds, or a list that is added to."""
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def is_added(node: ast.AST) -> bool:
    """Tell whether something is added to a list."""
    method = node.func if isinstance(node, ast.Call) and node.args else None
    return isinstance(method, ast.Attribute) and method.attr in ("append", "extend", "insert")


def modules() -> list[Module]:
    """Return the files of the pages."""
    return [Module(file, file.read_text(encoding="utf-8")) for file in sources()]
