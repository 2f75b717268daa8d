"""Find every text that a failure is raised with, in the product's own code; runs none of it.

A text is a template: what an f-string fills in is a hole, written `{}`. Names, conditions, tables,
parameters and returned values are followed within their module; what is built otherwise is told as
unknown, so that a test can list it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from followed_texts import HOLE, Module, Reader, Unknown, last_name, product_modules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

TEXTS = ("cause", "next_step", "suggestion")
"""Arguments that people read; the first positional one is the cause."""
REPORTED = {
    "Finding": ("storage/verifying/report.py", slice(2, 3)),
    "Answer": ("ingest/doctor.py", slice(2, 4)),
    "Condition": ("ingest/anchor_health.py", slice(0, 2)),
    "Delay": ("ingest/jobs/reporting.py", slice(0, 2)),
    "void_waiting": ("storage/webhooks/endpoints.py", slice(3, 4)),
}
"""What is said without failing: class or function → its module, arguments for people."""


@dataclass(slots=True)
class Found:
    """What the code raises failures with."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    """Template → places."""
    unknown: dict[str, list[str]] = field(default_factory=dict)
    """Expression that is not followed → places."""
    holes: dict[str, list[list[int]]] = field(default_factory=dict)
    """Template → for each place that gives it, what fills its holes, as `pieces` takes it."""
    reader: Reader | None = None

    def pieces(self, template: str, hole: int) -> list[str]:
        """Return the texts that the code itself puts into this hole of a template."""
        assert self.reader is not None
        return [
            HOLE.sub("{}", one)
            for holes in self.holes.get(template, ())
            for one in self.reader.filled(holes[hole])
        ]


def raised_texts() -> Found:
    """Return all texts of `HoldfastError` and its kinds, with the places that give them."""
    modules = {one.path: one for one in product_modules()}
    kinds = _kinds(modules.values())
    reader = Reader(modules)
    found = Found(reader=reader)
    for module in modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                for argument in _said(node, module, reader, kinds):
                    _note(found, reader.texts(argument, module, 0), f"{module.path}:{node.lineno}")
    return found


def _note(found: Found, texts: Iterable[str | Unknown], place: str) -> None:
    for text in texts:
        if isinstance(text, Unknown):
            found.unknown.setdefault(text.code, []).append(place)
        else:
            template = HOLE.sub("{}", text)
            if any(map(str.isalpha, template.replace("{}", ""))):
                found.texts.setdefault(template, []).append(place)
                holes = [int(one) for one in HOLE.findall(text)]
                found.holes.setdefault(template, []).append(holes)


def _kinds(modules: Iterable[Module]) -> dict[str, set[str]]:
    """Return the names of all kinds of failures, by their bases, and the modules that have them."""
    classes = [
        (node.name, {last_name(base) for base in node.bases}, module.path)
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    ]
    kinds = {"HoldfastError": {"core/errors.py"}}
    while more := [
        one for one in classes if one[1] & kinds.keys() and one[2] not in kinds.get(one[0], ())
    ]:
        for name, _, path in more:
            kinds.setdefault(name, set()).add(path)
    return kinds


def _is_super(node: ast.Call, module: Module, kinds: Mapping[str, set[str]]) -> bool:
    """Tell whether this is `super().__init__` of a kind of failure."""
    if not (isinstance(node.func, ast.Attribute) and node.func.attr == "__init__"):
        return False
    function = module.scopes[node]
    return any(
        isinstance(one, ast.ClassDef) and one.name in kinds and function in one.body
        for one in ast.walk(module.tree)
    )


def _arguments(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args[:1]
    yield from (one.value for one in call.keywords if one.arg in TEXTS)


def _said(
    call: ast.Call, module: Module, reader: Reader, kinds: Mapping[str, set[str]]
) -> Sequence[ast.expr]:
    """Return the arguments of a call that people read; none when it makes nothing of ours."""
    name = last_name(call.func)
    if name in REPORTED:
        path, places = REPORTED[name]
        home = reader.where(name, module)
        return call.args[places] if home is not None and home.path == path else ()
    return tuple(_arguments(call)) if _fails(call, module, reader, kinds) else ()


def _fails(call: ast.Call, module: Module, reader: Reader, kinds: Mapping[str, set[str]]) -> bool:
    """Tell whether the call makes a failure."""
    name = last_name(call.func)
    if any(one.arg in TEXTS[1:] for one in call.keywords):
        return True  # a kind that is chosen while it runs, or a helper that makes one
    if name not in kinds:
        return _is_super(call, module, kinds)
    home = reader.where(name, module)
    return home is None or home.path in kinds[name]
