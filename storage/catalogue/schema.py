"""Tables of the catalogue and the invariants that their constraints carry; no statements.

Instants are Unix milliseconds (`*_ms`); row ids come from `core.identity.IdFactory`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
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


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=False)


def _ref(name: str, target: str, *, optional: bool = False, index: bool = False) -> Column[int]:
    return Column(name, Id, ForeignKey(target), nullable=optional, index=index)


def _text(name: str, **options: object) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="", **options)  # type: ignore[arg-type]


def _ms(name: str, *, optional: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=optional)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default="0")


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


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
    _ms("started_ms"),
    _text("process"),
)

custodians = Table(
    "custodians",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    _text("address"),
)

sources = Table(
    "sources",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    _text("settings"),
    _ms("created_ms"),
)

batches = Table(
    "batches",
    metadata,
    _id(),
    _ref("source_id", "sources.id", index=True),
    _ref("custodian_id", "custodians.id", optional=True),
    _text("actor"),
    _ms("started_ms"),
    _ms("ended_ms", optional=True),
    _ms("undone_ms", optional=True),
    _flag("trusts_dates"),
    _text("paths"),
)

originals = Table(
    "originals",
    metadata,
    _id(),
    Column("content_id", Digest, nullable=False, unique=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=True),
    Column("key_version", Integer, nullable=False),
    Column("salt", Digest, nullable=True),
    Column("segment", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    _ms("sealed_ms"),
    _ms("shredded_ms", optional=True),
    CheckConstraint(
        "(wrapped_key IS NULL) = (shredded_ms IS NOT NULL)", name="shredded_has_no_key"
    ),
)

ITEM_STATES = ("seen", "sealed", "filed", "duplicate", "skipped", "gone", "failed", "quarantined")

source_items = Table(
    "source_items",
    metadata,
    _id(),
    _ref("source_id", "sources.id"),
    Column("item_key", Text, nullable=False),
    Column("state", Text, nullable=False),
    _text("reason"),
    _flag("is_retryable"),
    _ref("batch_id", "batches.id", optional=True, index=True),
    _ref("original_id", "originals.id", optional=True),
    Column("content_id", Digest, nullable=True),
    _ms("seen_ms"),
    _ms("ended_ms", optional=True),
    _text("offered"),
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
    _id(),
    Column("channel", Text, nullable=False),
    Column("key", Text, nullable=False),
    _text("name"),
    UniqueConstraint("channel", "key"),
)

threads = Table(
    "threads",
    metadata,
    _id(),
    _text("base_subject"),
    _ms("first_ms"),
    _ms("last_ms"),
    _ref("merged_into", "threads.id", optional=True),
    Index("ix_threads_subject", "base_subject", "last_ms"),
)

thread_keys = Table(
    "thread_keys",
    metadata,
    Column("message_key", LargeBinary(16), primary_key=True),
    _ref("thread_id", "threads.id", index=True),
    sqlite_with_rowid=False,
)

interactions = Table(
    "interactions",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    _ref("conversation_id", "conversations.id", optional=True),
    Column("parser_version", Integer, nullable=False),
    _text("message_id"),
    Column("message_key", LargeBinary(16), nullable=False),
    Column("fingerprint", Digest, nullable=False, unique=True),
    _ref("thread_id", "threads.id", index=True),
    _text("subject"),
    _text("date_raw"),
    _ms("sent_ms", optional=True),
    _text("sent_at_source"),
    _ms("at_ms"),
    _ms("captured_ms"),
    Column("size_bytes", BigInteger, nullable=False),
    _text("lang"),
    _text("list_id"),
    _flag("is_bulk"),
    _flag("is_truncated"),
    _text("defects"),
    Column("headers", LargeBinary, nullable=True),
    _ref("text_original_id", "originals.id"),
    Column("sealed_text", LargeBinary, nullable=True),
    Column("row_digest", Digest, nullable=False),
    _ms("removed_ms", optional=True),
    Index("ix_interactions_message_key", "message_key"),
    Index("ix_interactions_at", "at_ms"),
)

variants = Table(
    "variants",
    metadata,
    Column("original_id", Id, ForeignKey("originals.id"), primary_key=True, autoincrement=False),
    _ref("interaction_id", "interactions.id", index=True),
)

interaction_versions = Table(
    "interaction_versions",
    metadata,
    Column(
        "interaction_id", Id, ForeignKey("interactions.id"), primary_key=True, autoincrement=False
    ),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _text("actor"),
    _ms("changed_ms"),
    _text("change"),
)

captures = Table(
    "captures",
    metadata,
    _id(),
    _ref("item_id", "source_items.id"),
    _ref("original_id", "originals.id", index=True),
    _ref("interaction_id", "interactions.id", optional=True, index=True),
    _ref("source_id", "sources.id"),
    _ref("batch_id", "batches.id", optional=True, index=True),
    _ref("custodian_id", "custodians.id", optional=True),
    _text("folder"),
    _text("flags"),
    _ms("captured_ms"),
    _ms("received_ms", optional=True),
    _text("facts"),
    _ms("undone_ms", optional=True),
    UniqueConstraint("item_id"),
)

companies = Table(
    "companies",
    metadata,
    _id(),
    Column("domain", Text, nullable=False, unique=True),
    _text("name"),
    _flag("is_internal"),
)

internal_domains = Table(
    "internal_domains", metadata, Column("domain", Text, primary_key=True), _ms("added_ms")
)

contacts = Table(
    "contacts",
    metadata,
    _id(),
    _text("name"),
    Column("state", Text, nullable=False, server_default="provisional"),
    _ref("company_id", "companies.id", optional=True, index=True),
    _ref("merged_into", "contacts.id", optional=True, index=True),
)

identities = Table(
    "identities",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    _text("name"),
    _text("domain"),
    Column("nature", Text, nullable=False, server_default="person"),
    _ref("contact_id", "contacts.id", optional=True, index=True),
    _ms("valid_from_ms", optional=True),
    _ms("valid_to_ms", optional=True),
    _ms("first_ms", optional=True),
    _ms("last_ms", optional=True),
    _count("human_messages"),
    _count("messages"),
    UniqueConstraint("kind", "value"),
    Index("ix_identities_domain", "domain"),
)

merges = Table(
    "merges",
    metadata,
    _id(),
    _ref("winner_id", "contacts.id", index=True),
    _ref("loser_id", "contacts.id", index=True),
    Column("moved", Text, nullable=False),
    _text("actor"),
    _ms("merged_ms"),
    _ms("undone_ms", optional=True),
)

participants = Table(
    "participants",
    metadata,
    Column(
        "interaction_id", Id, ForeignKey("interactions.id"), primary_key=True, autoincrement=False
    ),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("role", Text, nullable=False),
    _text("name"),
    _text("address"),
    _ref("identity_id", "identities.id", optional=True),
    _ms("at_ms"),
    Index("ix_participants_identity_at", "identity_id", "at_ms"),
    sqlite_with_rowid=False,
)

attachments = Table(
    "attachments",
    metadata,
    Column(
        "interaction_id", Id, ForeignKey("interactions.id"), primary_key=True, autoincrement=False
    ),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("path", Text, nullable=False),
    _text("filename"),
    _text("declared_type"),
    _text("sniffed_type"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Digest, nullable=False),
    Column("text_state", Text, nullable=False),
    _flag("is_inline"),
    _flag("is_message"),
    _text("content_id"),
    sqlite_with_rowid=False,
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    _text("payload"),
    Column("state", Text, nullable=False, server_default="ready"),
    _count("attempts"),
    _text("lease_owner"),
    _ms("lease_until_ms", optional=True),
    _ms("created_ms"),
    _text("last_error"),
    Column("job_key", Text, nullable=True),
    _text("actor"),
    _count("due_ms"),
    _count("retries"),
    _ms("started_ms", optional=True),
    _ms("ended_ms", optional=True),
    _text("progress"),
    _text("result"),
    CheckConstraint("state IN ('ready', 'done', 'dead')", name="state_is_known"),
    Index("ix_jobs_kind_state", "kind", "state", "lease_until_ms"),
    Index("ix_jobs_state_due", "state", "due_ms"),
    Index("ix_jobs_kind_job_key", "kind", "job_key", unique=True),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    _text("owner"),
    _ms("until_ms"),
)

index_queue = Table(
    "index_queue",
    metadata,
    Column(
        "interaction_id", Id, ForeignKey("interactions.id"), primary_key=True, autoincrement=False
    ),
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
    _id(),
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
