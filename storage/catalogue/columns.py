"""Columns that the catalogue's tables are made of, and where they gather; knows no table."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")
Digest = LargeBinary(32)


def own_id() -> Column[int]:
    """Return the column of a row id of `core.identity`."""
    return Column("id", Id, primary_key=True, autoincrement=False)


def key(name: str, target: str) -> Column[int]:
    """Return a part of a primary key that is the id of another row."""
    return Column(name, Id, ForeignKey(target), primary_key=True, autoincrement=False)


def ref(name: str, target: str, *, optional: bool = False, index: bool = False) -> Column[int]:
    """Return a reference to another row."""
    return Column(name, Id, ForeignKey(target), nullable=optional, index=index)


def words(name: str, **options: object) -> Column[str]:
    """Return a text that is empty when nothing is known."""
    return Column(name, Text, nullable=False, server_default="", **options)  # type: ignore[arg-type]


def ms(name: str, *, optional: bool = False) -> Column[int]:
    """Return an instant in Unix milliseconds."""
    return Column(name, BigInteger, nullable=optional)


def flag(name: str) -> Column[bool]:
    """Return a truth value, false by default."""
    return Column(name, Boolean, nullable=False, server_default="0")


def count(name: str) -> Column[int]:
    """Return a number that begins at 0."""
    return Column(name, BigInteger, nullable=False, server_default="0")
