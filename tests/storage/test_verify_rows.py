"""Every column is of one of four classes, and an edit of what is provable is named."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pysqlite3
import pytest
from sqlalchemy import Boolean, Column, LargeBinary, String, Table, UniqueConstraint

from archive_kit import opened, settings_in
from fault_rich import rich_archive
from fault_tamper import findings_of
from holdfast.core.errors import HoldfastError
from holdfast.settings import Settings
from holdfast.storage.catalogue.schema import metadata
from holdfast.storage.verify import Selection, Tally, Verification
from holdfast.wiring.places import CATALOGUE

pytestmark = pytest.mark.unmeasured

PAGE = Path(__file__).resolve().parents[2] / "docs" / "integrity.md"
CLASSES = ("committed", "derived", "hint", "operational")


def documented() -> dict[str, dict[str, str]]:
    """Return table → column → class, as docs/integrity.md states them."""
    section = PAGE.read_text(encoding="utf-8").partition("## What proves each column")[2]
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|(.*)\|(.*)\|(.*)\|$", section, re.MULTILINE)
    return {
        table: {
            column: kind
            for kind, cell in zip(CLASSES, cells, strict=True)
            for column in re.findall(r"`(\w+)`", cell)
        }
        for table, *cells in rows
    }


CLASS_OF = documented()
TABLES = {table.name: table for table in metadata.sorted_tables}


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_of_one_stated_class(name: str) -> None:
    columns = [column.name for column in TABLES[name].columns]
    assert sorted(CLASS_OF.get(name, {})) == sorted(columns)


def test_no_table_is_documented_that_does_not_exist() -> None:
    assert set(CLASS_OF) == set(TABLES)


def provable() -> Iterator[Any]:
    for name, columns in CLASS_OF.items():
        for column, kind in columns.items():
            if kind in {"committed", "derived"}:
                yield pytest.param(name, column, id=f"{name}.{column}")


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return rich_archive(tmp_path_factory.mktemp("rich"))


@pytest.fixture
def copy(rich: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(rich.data.parent, tmp_path / "copy")
    return settings_in(tmp_path / "copy")


def test_rich_archive_is_intact(copy: Settings) -> None:
    assert findings_of(copy) == []


STEP = 1 << 40
"""Leads no number to that of a neighbour."""


def edited(column: Column[Any], value: Any) -> Any:
    """Return another value of the column's kind."""
    kind = column.type
    if isinstance(kind, Boolean):
        return 1 - value
    if isinstance(kind, LargeBinary):
        return bytes([value[0] ^ 1]) + value[1:] if value else bytes(kind.length or 1)
    if isinstance(kind, String):
        return (value or "") + "x"
    together = [one for one in column.table.constraints if isinstance(one, UniqueConstraint)]
    is_key = (
        column.primary_key or column.unique or any(column.name in one.columns for one in together)
    )
    return (value or 0) + (STEP if is_key else 1)


@contextmanager
def past_all_constraints(settings: Settings) -> Iterator[Any]:
    """Open the database as somebody would who heeds nothing."""
    connection = pysqlite3.connect(settings.data / CATALOGUE, isolation_level=None)
    connection.execute("PRAGMA ignore_check_constraints=ON")
    yield connection
    connection.close()


OF = {TABLES["threads"].c[name]: " WHERE merged_into IS NULL" for name in ("first_ms", "last_ms")}
"""A thread that is in another one has no reach of its own any more."""


def edit_one(settings: Settings, table: Table, column: Column[Any]) -> bool:
    """Change the column in one row; tell whether there was one."""
    keys = [key.name for key in table.primary_key.columns]
    with past_all_constraints(settings) as connection:
        listed = ", ".join(f'"{key}"' for key in keys)
        rows = connection.execute(
            f'SELECT {listed}, "{column.name}" FROM "{table.name}"{OF.get(column, "")}'  # noqa: S608
            f" ORDER BY {listed}"
        ).fetchall()
        filled = [row for row in rows if row[-1] not in (None, "", 0, b"")] or rows
        if filled:
            *where, value = filled[len(filled) // 2]
            given = " AND ".join(f'"{key}" = ?' for key in keys)
            connection.execute(
                f'UPDATE "{table.name}" SET "{column.name}" = ? WHERE {given}',  # noqa: S608
                [edited(column, value), *where],
            )
    return bool(rows)


def named(settings: Settings) -> list[str]:
    try:
        return findings_of(settings)
    except HoldfastError as error:
        return [str(error)]


SHOWN = list(provable())[:: 1 if os.environ.get("HOLDFAST_PROOF") else 3]
"""All columns in a full proof, else every third."""


@pytest.mark.parametrize(("table", "column"), SHOWN)
def test_edited_value_is_named(copy: Settings, table: str, column: str) -> None:
    if edit_one(copy, TABLES[table], TABLES[table].c[column]):
        assert named(copy)


MAY_BE_ERASED = {"audit_actors"}
"""Names of people, who may ask for that; the log goes on without them."""
PROVEN = [
    name
    for name, kinds in CLASS_OF.items()
    if {"committed", "derived"} & set(kinds.values()) and name not in MAY_BE_ERASED
]


CHOSEN = {"archive_facts": "archive_id"}
"""The others are marks of upkeep, which are set again."""


@pytest.mark.parametrize("name", PROVEN)
def test_deleted_row_is_named(copy: Settings, name: str) -> None:
    key = next(iter(TABLES[name].primary_key.columns)).name
    with past_all_constraints(copy) as connection:
        (last,) = connection.execute(f'SELECT max("{key}") FROM "{name}"').fetchone()  # noqa: S608
        last = CHOSEN.get(name, last)
        connection.execute(f'DELETE FROM "{name}" WHERE "{key}" = ?', [last])  # noqa: S608
    assert named(copy) or last is None


def test_control_edit_of_what_is_operational_goes_unseen(copy: Settings) -> None:
    assert edit_one(copy, TABLES["writers"], TABLES["writers"].c.process)
    assert named(copy) == []


def test_verification_of_a_part_finds_nothing_in_an_intact_archive(copy: Settings) -> None:
    with opened(copy) as services:
        for part in (Selection(every=2), Selection(since_ms=1)):
            assert list(Verification(services.store, services.log, part).run(Tally())) == []
