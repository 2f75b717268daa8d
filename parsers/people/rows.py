"""Reads one row of a table of people as a person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.core.persons import Person
from holdfast.parsers.people.building import Gathering, several
from holdfast.parsers.people.columns import CHATS

_TEXT_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
_FAULTS = ("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")
"""What a spreadsheet shows where a formula has no value."""
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Reading:
    """What holds for all rows of a table."""

    headers: Sequence[str]
    columns: Mapping[str, str]
    """Header → field of `columns.FIELDS`."""
    country: str = ""
    system: str = ""
    """Of the ids in the column `external_id`."""


def read_cells(cells: Sequence[str], reading: Reading) -> Person:
    """Return whom a row is of.

    Raises:
        ValueError: It has more cells than the table has columns, or no address.
    """
    if any(cell.strip() for cell in cells[len(reading.headers) :]):
        raise ValueError(f"{len(cells)} cells in a table of {len(reading.headers)} columns")
    who = Gathering(reading.country)
    names = {"family": "", "given": ""}
    for header, cell in zip(reading.headers, cells, strict=False):
        name = reading.columns.get(header, "")
        value = _value(cell, who, header) if name else ""
        if not value:
            continue
        if name in names:
            names[name] = value
        else:
            _take(who, name, value, reading)
    if "name" not in who.said:
        who.say("name", _joined(names["family"], names["given"]))
    return who.person()


def _value(cell: str, who: Gathering, header: str) -> str:
    """Return what a cell says; a formula says nothing, but for one that is a text."""
    value = cell.strip()
    found = _TEXT_FORMULA.fullmatch(value)
    if found:
        return found[1].replace('""', '"').strip()
    if value.startswith("=") or value in _FAULTS:
        who.remark(f"{header}: a formula, not a value")
        return ""
    return value


def _take(who: Gathering, name: str, value: str, reading: Reading) -> None:
    if name == "email":
        who.mail(value)
    elif name == "phone":
        who.phone(value)
    elif name == "group":
        for one in several(value):
            who.group(one)
    elif name == "external_id":
        who.known_as(reading.system, value, is_shared=True)
    elif name in CHATS:
        who.known_as(name, value)
    elif name == "owner":
        for one in several(value):
            who.say("owner", one)
    else:
        who.say(name, value)


def _joined(family: str, given: str) -> str:
    if _HAN.search(family + given):
        return f"{family}{given}"
    return " ".join(filter(None, (given, family)))
