"""Tables of what people decide of contacts: whose addresses are whose, and what is said of them."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, UniqueConstraint

from holdfast.storage.catalogue.columns import (
    Id,
    flag,
    key,
    metadata,
    ms,
    own_id,
    ref,
    words,
)

contact_versions = Table(
    "contact_versions",
    metadata,
    key("contact_id", "contacts.id"),
    Column("version", Integer, primary_key=True, autoincrement=False),
    words("actor"),
    ms("changed_ms"),
    words("change"),
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
    UniqueConstraint("identity_id", "turn"),
)
