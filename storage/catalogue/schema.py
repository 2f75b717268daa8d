"""Tables of the catalogue and the invariants that their constraints carry; no statements.

Instants are Unix milliseconds (`*_ms`); row ids come from `core.identity.IdFactory`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from holdfast.storage.catalogue import governance_tables, rights_tables, webhook_tables
from holdfast.storage.catalogue.account_tables import (
    accounts,
    later_facts,
    mailboxes,
    source_runs,
)
from holdfast.storage.catalogue.columns import (
    Digest,
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
from holdfast.storage.catalogue.people_tables import (
    companies,
    contact_versions,
    contacts,
    identities,
    internal_domains,
    links,
    merges,
)
from holdfast.storage.catalogue.work_tables import jobs, leases

__all__ = [
    "accounts", "companies", "contact_versions", "contacts", "governance_tables", "identities",
    "internal_domains", "jobs", "later_facts", "leases", "links", "mailboxes", "merges",
    "metadata", "rights_tables", "source_runs", "webhook_tables",
]  # fmt: skip

archive_facts = Table(
    "archive_facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

writers = Table(
    "writers",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    ms("started_ms"),
    words("process"),
)

custodians = Table(
    "custodians",
    metadata,
    own_id(),
    Column("name", Text, nullable=False, unique=True),
    words("address"),
)

sources = Table(
    "sources",
    metadata,
    own_id(),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    words("settings"),
    ms("created_ms"),
)

batches = Table(
    "batches",
    metadata,
    own_id(),
    ref("source_id", "sources.id", index=True),
    ref("custodian_id", "custodians.id", optional=True),
    words("actor"),
    ms("started_ms"),
    ms("ended_ms", optional=True),
    ms("undone_ms", optional=True),
    flag("trusts_dates"),
    words("paths"),
)

originals = Table(
    "originals",
    metadata,
    own_id(),
    Column("content_id", Digest, nullable=False, unique=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=True),
    Column("key_version", Integer, nullable=False),
    Column("salt", Digest, nullable=True),
    Column("segment", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    ms("sealed_ms"),
    ms("shredded_ms", optional=True),
    CheckConstraint(
        "(wrapped_key IS NULL) = (shredded_ms IS NOT NULL)", name="shredded_has_no_key"
    ),
)

ITEM_STATES = ("seen", "sealed", "filed", "duplicate", "skipped", "gone", "failed", "quarantined")

source_items = Table(
    "source_items",
    metadata,
    own_id(),
    ref("source_id", "sources.id"),
    Column("item_key", Text, nullable=False),
    Column("state", Text, nullable=False),
    words("reason"),
    flag("is_retryable"),
    ref("batch_id", "batches.id", optional=True, index=True),
    ref("original_id", "originals.id", optional=True),
    Column("content_id", Digest, nullable=True),
    ms("seen_ms"),
    ms("ended_ms", optional=True),
    words("offered"),
    UniqueConstraint("source_id", "item_key"),
    CheckConstraint(f"state IN {ITEM_STATES!r}", name="state_is_known"),
    CheckConstraint(
        "state NOT IN ('sealed', 'filed', 'duplicate') OR original_id IS NOT NULL",
        name="kept_item_has_original",
    ),
    Index("ix_source_items_source_state", "source_id", "state"),
    Index(
        "ix_source_items_sealed",
        "id",
        sqlite_where=text("state = 'sealed'"),
        postgresql_where=text("state = 'sealed'"),
    ),
)

conversations = Table(
    "conversations",
    metadata,
    own_id(),
    Column("channel", Text, nullable=False),
    Column("key", Text, nullable=False),
    words("name"),
    ms("named_ms", optional=True),
    UniqueConstraint("channel", "key"),
)

threads = Table(
    "threads",
    metadata,
    own_id(),
    words("base_subject"),
    ms("first_ms"),
    ms("last_ms"),
    ref("merged_into", "threads.id", optional=True),
    Index("ix_threads_subject", "base_subject", "last_ms"),
    Index(
        "ix_threads_merged_into",
        "merged_into",
        sqlite_where=text("merged_into IS NOT NULL"),
        postgresql_where=text("merged_into IS NOT NULL"),
    ),
)

thread_keys = Table(
    "thread_keys",
    metadata,
    Column("message_key", LargeBinary(16), primary_key=True),
    ref("thread_id", "threads.id", index=True),
    sqlite_with_rowid=False,
)

interactions = Table(
    "interactions",
    metadata,
    own_id(),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    ref("conversation_id", "conversations.id", optional=True),
    count("version_ms"),
    Column("parser_version", Integer, nullable=False),
    words("message_id"),
    Column("message_key", LargeBinary(16), nullable=False),
    Column("fingerprint", Digest, nullable=False, unique=True),
    ref("thread_id", "threads.id", index=True),
    words("subject"),
    words("date_raw"),
    ms("sent_ms", optional=True),
    words("sent_at_source"),
    ms("at_ms"),
    ms("captured_ms"),
    Column("size_bytes", BigInteger, nullable=False),
    words("lang"),
    words("list_id"),
    flag("is_bulk"),
    flag("is_truncated"),
    words("defects"),
    Column("headers", LargeBinary, nullable=True),
    ref("text_original_id", "originals.id"),
    Column("sealed_text", LargeBinary, nullable=True),
    Column("row_digest", Digest, nullable=False),
    ms("removed_ms", optional=True),
    ms("due_ms", optional=True),
    Index(
        "ix_interactions_due",
        "due_ms",
        sqlite_where=text("due_ms IS NOT NULL"),
        postgresql_where=text("due_ms IS NOT NULL"),
    ),
    Index(
        "ix_interactions_consents",
        "kind",
        sqlite_where=text("kind = 'consent'"),
        postgresql_where=text("kind = 'consent'"),
    ),
    Index("ix_interactions_message_key", "message_key"),
    Index("ix_interactions_at", "at_ms"),
    Index(
        "ix_interactions_conversation",
        "conversation_id",
        "at_ms",
        sqlite_where=text("conversation_id IS NOT NULL"),
        postgresql_where=text("conversation_id IS NOT NULL"),
    ),
)

variants = Table(
    "variants",
    metadata,
    key("original_id", "originals.id"),
    ref("interaction_id", "interactions.id", index=True),
)

interaction_versions = Table(
    "interaction_versions",
    metadata,
    key("interaction_id", "interactions.id"),
    Column("version", Integer, primary_key=True, autoincrement=False),
    words("actor"),
    ms("changed_ms"),
    words("change"),
)

captures = Table(
    "captures",
    metadata,
    own_id(),
    ref("item_id", "source_items.id"),
    ref("original_id", "originals.id", index=True),
    ref("interaction_id", "interactions.id", optional=True, index=True),
    ref("source_id", "sources.id"),
    ref("batch_id", "batches.id", optional=True, index=True),
    ref("custodian_id", "custodians.id", optional=True),
    words("folder"),
    words("flags"),
    ms("captured_ms"),
    ms("received_ms", optional=True),
    words("facts"),
    ms("undone_ms", optional=True),
    UniqueConstraint("item_id"),
)

participants = Table(
    "participants",
    metadata,
    key("interaction_id", "interactions.id"),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("role", Text, nullable=False),
    words("name"),
    words("address"),
    ref("identity_id", "identities.id", optional=True),
    ms("at_ms"),
    Index("ix_participants_identity_at", "identity_id", "at_ms"),
    sqlite_with_rowid=False,
)

attachments = Table(
    "attachments",
    metadata,
    key("interaction_id", "interactions.id"),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("path", Text, nullable=False),
    words("filename"),
    words("declared_type"),
    words("sniffed_type"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Digest, nullable=False),
    Column("text_state", Text, nullable=False),
    flag("is_inline"),
    flag("is_message"),
    words("content_id"),
    sqlite_with_rowid=False,
)

index_queue = Table(
    "index_queue",
    metadata,
    Column("interaction_id", Id, primary_key=True, autoincrement=False),
    Column("ticket", Id, nullable=False),
    Index("ix_index_queue_ticket", "ticket"),
)

# No reference: a version outlives its interaction, as what the index notes of a removal does.
index_versions = Table(
    "index_versions",
    metadata,
    Column("interaction_id", Id, primary_key=True, autoincrement=False),
    Column("version", Id, nullable=False),
)

audit_events = Table(
    "audit_events",
    metadata,
    own_id(),
    Column("kind", Text, nullable=False),
    Column("subject_id", Id, nullable=True),
    Column("salt", Digest, nullable=True),
    Column("leaf", LargeBinary, nullable=False),
    Column("seq", BigInteger, nullable=True, unique=True),
    Index("ix_audit_events_subject", "subject_id"),
)
Index(
    "ix_audit_events_waiting", audit_events.c.id, postgresql_where=audit_events.c.seq.is_(None)
).ddl_if(dialect="postgresql")

audit_actors = Table(
    "audit_actors",
    metadata,
    Column("pid", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)
