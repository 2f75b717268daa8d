"""Tables of contacts: who is whom, of which company, and what said so; no statements."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint, text

from holdfast.storage.catalogue.columns import (
    Id,
    count,
    flag,
    key,
    metadata,
    ms,
    own_id,
    ref,
    words,
)


def _of_batch(table: str) -> Index:
    """Find what one import of a directory did; most rows are of none."""
    is_of_one = text("batch_id IS NOT NULL")
    name = f"ix_{table}_batch_id"
    return Index(name, "batch_id", sqlite_where=is_of_one, postgresql_where=is_of_one)


companies = Table(
    "companies",
    metadata,
    own_id(),
    Column("domain", Text, nullable=False, unique=True),
    words("name"),
    flag("is_internal"),
)

internal_domains = Table(
    "internal_domains", metadata, Column("domain", Text, primary_key=True), ms("added_ms")
)

contacts = Table(
    "contacts",
    metadata,
    own_id(),
    words("name"),
    Column("state", Text, nullable=False, server_default="provisional"),
    ref("company_id", "companies.id", optional=True, index=True),
    ref("merged_into", "contacts.id", optional=True, index=True),
    words("owner"),
    words("fields"),
    count("version"),
    Index(
        "ix_contacts_owner",
        "owner",
        sqlite_where=text("owner <> ''"),
        postgresql_where=text("owner <> ''"),
    ),
)

contact_versions = Table(
    "contact_versions",
    metadata,
    key("contact_id", "contacts.id"),
    Column("version", Integer, primary_key=True, autoincrement=False),
    words("actor"),
    ms("changed_ms"),
    words("change"),
    Column("batch_id", Id, nullable=True),
    _of_batch("contact_versions"),
)

identities = Table(
    "identities",
    metadata,
    own_id(),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    words("name"),
    words("domain"),
    Column("nature", Text, nullable=False, server_default="person"),
    words("side"),
    ref("contact_id", "contacts.id", optional=True, index=True),
    Column("home_id", Id, nullable=True),
    ms("valid_from_ms", optional=True),
    ms("valid_to_ms", optional=True),
    ms("first_ms", optional=True),
    ms("last_ms", optional=True),
    count("human_messages"),
    count("messages"),
    UniqueConstraint("kind", "value"),
    Index("ix_identities_domain", "domain"),
)

merges = Table(
    "merges",
    metadata,
    own_id(),
    ref("winner_id", "contacts.id", index=True),
    ref("loser_id", "contacts.id", index=True),
    Column("moved", Text, nullable=False),
    words("actor"),
    ms("merged_ms"),
    ms("undone_ms", optional=True),
)

links = Table(
    "links",
    metadata,
    own_id(),
    ref("identity_id", "identities.id"),
    Column("turn", Integer, nullable=False),
    ref("contact_id", "contacts.id", index=True),
    ref("before_id", "contacts.id", optional=True, index=True),
    Column("company_id", Id, nullable=True),
    flag("is_split"),
    flag("is_new"),
    ms("valid_from_ms", optional=True),
    ms("valid_to_ms", optional=True),
    words("actor"),
    ms("linked_ms"),
    ms("undone_ms", optional=True),
    Column("batch_id", Id, nullable=True),
    UniqueConstraint("identity_id", "turn"),
    _of_batch("links"),
)
