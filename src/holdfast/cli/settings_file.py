"""Write the commented settings file of a new archive; reads none."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

import tomlkit
from pydantic import BaseModel, SecretStr

from holdfast.settings import Settings, variable

_HEAD = (
    "Settings of this archive. Every one has a default, shown after the '#'; remove the '#' to",
    "change it. The environment variable named with a setting wins over this file.",
    "'holdfast config show --origin' says what is in force, 'holdfast config check' what is wrong.",
)


def render(chosen: Mapping[str, Any]) -> str:
    """Return the file's text.

    Args:
        chosen: Dotted name → value of the settings that stand in it; the others are comments.
    """
    document = tomlkit.document()
    for line in _HEAD:
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            document.add(name, _section(name, section, chosen))
    return tomlkit.dumps(document).rstrip() + "\n"


def _section(name: str, section: type[BaseModel], chosen: Mapping[str, Any]) -> Any:
    table = tomlkit.table()
    table.comment(inspect.getdoc(section) or "")
    notes = field_notes(section)
    for key, field in section.model_fields.items():
        full = f"{name}.{key}"
        table.add(tomlkit.nl())
        table.add(tomlkit.comment(notes[key]))
        table.add(tomlkit.comment(f"Environment: {variable(full)}"))
        if full in chosen:
            table.add(key, chosen[full])
        else:
            value = field.get_default()
            shown = '""' if value is None else tomlkit.item(_plain(value)).as_string()
            table.add(tomlkit.comment(f"{key} = {shown}"))
    table.add(tomlkit.nl())
    return table


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return list(value) if isinstance(value, tuple) else value


def field_notes(section: type[BaseModel]) -> dict[str, str]:
    """Return the docstring beneath each field of a section."""
    notes: dict[str, str] = {}
    name = ""
    for line in _classes(section.__module__)[section.__name__].body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            name = line.target.id
        elif isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and name:
            notes[name] = " ".join(str(line.value.value).split())
    return notes


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    """Read the source once: there is a section for each class, and reading it is the most of it."""
    tree = ast.parse(inspect.getsource(import_module(module)))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
