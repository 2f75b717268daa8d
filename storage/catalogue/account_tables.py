"""Tables of what is pulled from servers: how a source is reached, and how its mailboxes stand.

They can change, unlike the row of the source, which the audit log commits to; no statements.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text, UniqueConstraint

from holdfast.storage.catalogue.columns import count, metadata, ms, own_id, ref, words

accounts = Table(
    "accounts",
    metadata,
    own_id(),
    ref("source_id", "sources.id"),
    words("settings"),
    words("custodian"),
    Column("wrapped_key", LargeBinary, nullable=True),
    Column("key_version", Integer, nullable=False, server_default="0"),
    Column("sealed_secret", LargeBinary, nullable=True),
    ms("added_ms"),
    ms("removed_ms", optional=True),
    ms("started_ms", optional=True),
    ms("succeeded_ms", optional=True),
    ms("next_ms", optional=True),
    words("last_error"),
    count("failures"),
    UniqueConstraint("source_id"),
)

mailboxes = Table(
    "mailboxes",
    metadata,
    own_id(),
    ref("source_id", "sources.id"),
    Column("name", Text, nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    count("messages"),
    words("uids"),
    count("expunged"),
    count("resets"),
    ms("reconciled_ms"),
    ms("vanished_ms", optional=True),
    words("last_error"),
    UniqueConstraint("source_id", "name"),
)
