"""Follow an expression of the product's code to the texts that it can be; runs none of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "api", "core", "discovery", "indexer", "ingest", "parsers", "retention", "storage",
    "src/holdfast/cli", "src/holdfast/settings", "src/holdfast/wiring",
)  # fmt: skip
_PASSED_ON = ("cause", "next_step", "last_error", "seen")
"""Attributes that hold the text of a failure that was raised elsewhere."""
_DEPTH = 12
_MOST = 64
"""Texts that one expression may stand for."""
HOLE = re.compile("\0(-?[0-9]+)\0")
_ANY_HOLE = "\0-1\0"
"""A hole of which nothing is known."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Unknown:
    code: str


@dataclass(slots=True)
class Module:
    path: str
    tree: ast.Module
    scopes: dict[ast.AST, Function | None] = field(default_factory=dict)
    """Node → the function that it stands in."""


def product_modules() -> Iterator[Module]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            module = Module(str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8")))
            _scope(module, module.tree, None)
            yield module


def _scope(module: Module, node: ast.AST, function: Function | None) -> None:
    for child in ast.iter_child_nodes(node):
        module.scopes[child] = function
        _scope(module, child, child if isinstance(child, Function) else function)


def last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


class Reader:
    """Follows an expression to the texts that it can be."""

    def __init__(self, modules: dict[str, Module]) -> None:
        self.modules = modules
        self.open: set[ast.expr] = set()
        self.filling: list[tuple[ast.expr, Module]] = []
        self.calls: dict[str, list[tuple[ast.Call, Module]]] = {}
        self.functions: dict[str, list[tuple[Function, Module]]] = {}
        for module in modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call):
                    self.calls.setdefault(last_name(node.func), []).append((node, module))
                elif isinstance(node, Function):
                    self.functions.setdefault(node.name, []).append((node, module))

    def filled(self, hole: int) -> list[str]:
        """Return the texts that can fill a hole, as far as the code spells them out."""
        if hole < 0:
            return []
        node, module = self.filling[hole]
        return [one for one in self.texts(node, module, 0) if isinstance(one, str) and one]

    def texts(self, node: ast.expr, module: Module, depth: int) -> list[str | Unknown]:
        if depth > _DEPTH:
            return [Unknown(ast.unparse(node))]
        if node in self.open:  # `step = next(step for …)`: a name that stands for itself
            return []
        self.open.add(node)
        try:
            return self._texts(node, module, depth)
        finally:
            self.open.discard(node)

    def _texts(self, node: ast.expr, module: Module, depth: int) -> list[str | Unknown]:
        unknown: list[str | Unknown] = [Unknown(ast.unparse(node))]
        match node:
            case ast.Constant(value=str(text)):
                return [text.replace("{", "{{").replace("}", "}}")]
            case ast.JoinedStr(values=parts):
                return _joined([self._part(one, module, depth) for one in parts])
            case ast.Constant():
                return []
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _joined([self.texts(left, module, depth), self.texts(right, module, depth)])
            case ast.BinOp(left=text, op=ast.Mult()):  # … * bool(…)
                return [*self.texts(text, module, depth), ""]
            case ast.IfExp(body=first, orelse=second):
                return self._all((first, second), module, depth)
            case ast.BoolOp(values=several):
                return self._all(several, module, depth)
            case ast.Attribute(attr=name) if name in _PASSED_ON:
                return []
            case ast.Name():
                found = self._named(node, module, depth)
                return unknown if found is None else found
        return self._looked_up(node, module, depth)

    def _all(self, nodes: Iterable[ast.expr], module: Module, depth: int) -> list[str | Unknown]:
        return [text for one in nodes for text in self.texts(one, module, depth)]

    def _looked_up(self, node: ast.expr, module: Module, depth: int) -> list[str | Unknown]:
        """Return the texts of a member of a table, or of what a function returns."""
        unknown: list[str | Unknown] = [Unknown(ast.unparse(node))]
        match node:
            case ast.Subscript(value=whole, slice=ast.Slice(upper=ast.UnaryOp(op=ast.USub()))):
                texts = self.texts(whole, module, depth + 1)  # the full stop is left out
                return [one[:-1] if isinstance(one, str) else one for one in texts]
            case ast.Subscript(value=table):
                return self._table(table, module, depth) or unknown
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, *default]):
                return [
                    *(self._table(table, module, depth) or unknown),
                    *(text for one in default for text in self.texts(one, module, depth + 1)),
                ]
            case ast.Call(func=ast.Name(id="translated")):
                return []  # it was raised elsewhere
            case ast.Call(func=ast.Attribute(value=text, attr="format")):
                texts = self.texts(text, module, depth + 1)
                return [_opened(one) if isinstance(one, str) else one for one in texts]
            case ast.Call(func=ast.Attribute(value=text, attr="strip"), args=[]):
                return self.texts(text, module, depth + 1)
            case ast.Call(func=ast.Name(id="next"), args=[ast.GeneratorExp(elt=one), *default]):
                return self._all((one, *default), module, depth + 1)
            case ast.Call():
                return self._returned(node, module, depth) or unknown
        return unknown

    def _part(self, node: ast.expr, module: Module, depth: int) -> list[str | Unknown]:
        if isinstance(node, ast.FormattedValue):
            if isinstance(node.value, ast.IfExp):
                texts = self.texts(node.value, module, depth)
                if not any(isinstance(one, Unknown) for one in texts):
                    return texts
            self.filling.append((node.value, module))
            return [f"\0{len(self.filling) - 1}\0"]
        return self.texts(node, module, depth)

    def _table(self, node: ast.expr, module: Module, depth: int) -> list[str | Unknown]:
        """Return the texts among the values of a table that the module spells out."""
        value = self._constant(node.id, module) if isinstance(node, ast.Name) else (node, module)
        if value is None:
            return []
        table, home = value
        if isinstance(table, ast.Dict):
            return [text for one in table.values for text in self.texts(one, home, depth + 1)]
        if isinstance(table, ast.Tuple | ast.List):
            return [text for one in table.elts for text in self.texts(one, home, depth + 1)]
        return []

    def _constant(self, name: str, module: Module) -> tuple[ast.expr, Module] | None:
        for node in module.tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                    return value, module
                case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value) if (
                    found == name
                ):
                    return value, module
                case ast.ImportFrom(module=str(origin), names=names):
                    for one in names:
                        if (one.asname or one.name) == name:
                            home = self._home(origin)
                            return self._constant(one.name, home) if home else None
        return None

    def where(self, name: str, module: Module) -> Module | None:
        """Return the module that defines what the module knows by this name."""
        for node in ast.walk(module.tree):
            if isinstance(node, Function | ast.ClassDef) and node.name == name:
                return module
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for one in node.names:
                    if (one.asname or one.name) == name:
                        return self._home(node.module)
        return None

    def _home(self, origin: str) -> Module | None:
        inner = origin.removeprefix("holdfast.").replace(".", "/")
        for path in (f"{inner}.py", f"{inner}/__init__.py"):
            for found in (path, f"src/holdfast/{path}"):
                if found in self.modules:
                    return self.modules[found]
        return None

    def _named(self, node: ast.Name, module: Module, depth: int) -> list[str | Unknown] | None:
        function = module.scopes.get(node)
        if function is None:
            constant = self._constant(node.id, module)
            return self.texts(*constant, depth + 1) if constant else None
        found: list[str | Unknown] = []
        known = False
        for value, place in _assigned(function, node.id):
            known = True
            found += self._taken(value, place, module, depth + 1)
        parameters = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        if node.id in [one.arg for one in parameters]:
            known = True
            found += self._given(function, node.id, module, depth + 1)
        if known:
            return found
        constant = self._constant(node.id, module)
        return self.texts(*constant, depth + 1) if constant else None

    def _taken(
        self, value: ast.expr, place: int | None, module: Module, depth: int
    ) -> list[str | Unknown]:
        """Return the texts of a value, or of its member at this place."""
        if place is None:
            return self.texts(value, module, depth)
        unknown: list[str | Unknown] = [Unknown(ast.unparse(value))]
        match value:
            case ast.Tuple(elts=several) if len(several) > place:
                return self.texts(several[place], module, depth)
            case ast.IfExp(body=first, orelse=second):
                return [
                    *self._taken(first, place, module, depth),
                    *self._taken(second, place, module, depth),
                ]
            case (
                ast.Subscript(value=ast.Name(id=name))
                | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"))
                | ast.Name(id=name)
            ):
                constant = self._constant(name, module)
                default = value.args[1:] if isinstance(value, ast.Call) else []
                if constant is None:
                    return unknown
                table, home = constant
                members = (
                    table.values if isinstance(table, ast.Dict) else getattr(table, "elts", [])
                )
                if isinstance(value, ast.Name):
                    return self._taken(table, place, home, depth + 1)
                texts = [
                    text for one in members for text in self._taken(one, place, home, depth + 1)
                ]
                return texts + [
                    text for one in default for text in self._taken(one, place, module, depth + 1)
                ]
            case ast.Call():
                found = [
                    text
                    for one, home in self._own(last_name(value.func), module)
                    for back in _returns(one)
                    for text in self._taken(back, place, home, depth + 1)
                ]
                return found or unknown
        return unknown

    def _own(self, name: str, module: Module) -> list[tuple[Function, Module]]:
        """Return the functions of this name: the module's own, else those of the others."""
        home = self.where(name, module)
        return [one for one in self.functions.get(name, []) if one[1] is home]

    def _returned(self, call: ast.Call, module: Module, depth: int) -> list[str | Unknown]:
        return [
            text
            for one, home in self._own(last_name(call.func), module)
            for value in _returns(one)
            for text in self.texts(value, home, depth + 1)
        ]

    def _given(
        self, function: Function, name: str, module: Module, depth: int
    ) -> list[str | Unknown]:
        """Return the texts that callers give for this parameter, and its default."""
        found: list[str | Unknown] = []
        arguments = function.args
        positional = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
        is_method = positional[:1] in (["self"], ["cls"])
        called = function.name
        if called == "__init__":
            return []  # the class is a kind of failure: its calls are read themselves
        for call, home in self.calls.get(called, []):
            if self.where(called, home) is not module:
                continue
            given = [one.value for one in call.keywords if one.arg == name]
            if name in positional:
                place = positional.index(name) - is_method
                given += call.args[place : place + 1]
            found += [text for one in given for text in self.texts(one, home, depth)]
        defaults = [
            *zip(positional[::-1], arguments.defaults[::-1], strict=False),
            *(
                (one.arg, value)
                for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
                if value
            ),
        ]
        found += [
            text
            for one, value in defaults
            if one == name
            for text in self.texts(value, module, depth)
        ]
        return found


def _assigned(function: Function, name: str) -> Iterator[tuple[ast.expr, int | None]]:
    """Yield what is assigned to the name within the function, and the place in it."""
    for node in ast.walk(function):
        targets: list[ast.expr] = []
        value: ast.expr | None = None
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.AugAssign):
            targets, value = [node.target], node.value
        elif isinstance(node, ast.For | ast.comprehension):
            if isinstance(node.iter, ast.Tuple | ast.List):
                for one in node.iter.elts:
                    yield from _members(node.target, one, name)
                continue
            targets = [node.target]
            value = ast.Subscript(node.iter, ast.Constant("any"), ast.Load())
        for target in targets:
            if value is not None:
                yield from _members(target, value, name)


def _members(target: ast.expr, value: ast.expr, name: str) -> Iterator[tuple[ast.expr, int | None]]:
    if isinstance(target, ast.Name) and target.id == name:
        yield value, None
    elif isinstance(target, ast.Tuple):
        for place, one in enumerate(target.elts):
            if isinstance(one, ast.Name) and one.id == name:
                yield value, place


def _returns(function: Function) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value


def _opened(text: str) -> str:
    """Return a text with holes where it has braces itself, as `format` takes it."""
    return text.replace("{{}}", _ANY_HOLE)


def _joined(parts: list[list[str | Unknown]]) -> list[str | Unknown]:
    """Return every way of joining the parts; what is unknown in one of them is a hole."""
    ways = [[one if isinstance(one, str) else _ANY_HOLE for one in part] or [""] for part in parts]
    count = 1
    for one in ways:
        count *= len(one)
    if count > _MOST:
        ways = [one if len(one) == 1 else [_ANY_HOLE] for one in ways]
    return ["".join(way) for way in product(*ways)]
