"""Tables of what is pulled from servers: how a source is reached, and how its mailboxes stand.

They can change, unlike the row of the source, which the audit log commits to; no statements.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from holdfast.storage.catalogue.columns import Id, count, flag, metadata, ms, own_id, ref, words

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
    words("plan"),
    ms("paused_ms", optional=True),
    words("trouble"),
    words("next_step"),
    ms("reconciled_ms", optional=True),
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
    words("rule"),
    ms("woken_ms", optional=True),
    count("settled_uid"),
    count("modseq"),
    count("flags_uid"),
    UniqueConstraint("source_id", "name"),
)

source_runs = Table(
    "source_runs",
    metadata,
    own_id(),
    ref("source_id", "sources.id"),
    Column("why", Text, nullable=False),
    words("owner"),
    ms("started_ms"),
    ms("ended_ms", optional=True),
    words("outcome"),
    words("trouble"),
    words("error"),
    words("counts"),
    Index("ix_source_runs_source", "source_id", "id"),
)

# What changed at the source since the capture, which stays as it was; `note_id` is shared by what
# was noted at once, and the audit log commits to all of that together.
later_facts = Table(
    "later_facts",
    metadata,
    own_id(),
    Column("note_id", Id, nullable=False),
    ref("capture_id", "captures.id", index=True),
    ms("noted_ms"),
    words("flags"),
    flag("is_deleted"),
    Index("ix_later_facts_note", "note_id"),
)
