"""Tables of who is told of what happens, what happened, and how the telling went; no statements."""

from __future__ import annotations

from sqlalchemy import (
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

from holdfast.storage.catalogue.columns import Id, count, flag, metadata, ms, own_id, ref, words

webhooks = Table(
    "webhooks",
    metadata,
    own_id(),
    ref("user_id", "users.id", index=True),
    ref("key_id", "api_keys.id", optional=True),
    Column("url", Text, nullable=False),
    words("events"),
    words("name"),
    flag("is_hook"),
    Column("wrapped_key", LargeBinary, nullable=True),
    Column("key_version", Integer, nullable=False, server_default="0"),
    Column("sealed_secret", LargeBinary, nullable=True),
    Column("older_wrapped_key", LargeBinary, nullable=True),
    Column("older_key_version", Integer, nullable=False, server_default="0"),
    Column("older_sealed_secret", LargeBinary, nullable=True),
    ms("older_until_ms", optional=True),
    ms("created_ms"),
    ms("paused_ms", optional=True),
    ms("gone_ms", optional=True),
    ms("removed_ms", optional=True),
    count("failures"),
    count("rests_until_ms"),
    Column("version", Integer, nullable=False, server_default="1"),
)

# No reference to what it is about: that may be disposed of before anybody was told.
webhook_events = Table(
    "webhook_events",
    metadata,
    own_id(),
    Column("kind", Text, nullable=False),
    Column("subject_id", Id, nullable=True),
    Column("contact_id", Id, nullable=True),
    ref("webhook_id", "webhooks.id", optional=True),
    words("detail"),
    ms("at_ms"),
    ms("spread_ms", optional=True),
    Index(
        "ix_webhook_events_unspread",
        "id",
        sqlite_where=text("spread_ms IS NULL"),
        postgresql_where=text("spread_ms IS NULL"),
    ),
)

STATES = ("waiting", "delivered", "failed", "void")

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    own_id(),
    ref("webhook_id", "webhooks.id"),
    ref("event_id", "webhook_events.id", index=True),
    Column("state", Text, nullable=False, server_default="waiting"),
    count("attempts"),
    ms("next_ms"),
    words("token"),
    Column("status", Integer, nullable=True),
    words("answer"),
    words("error"),
    ms("tried_ms", optional=True),
    ms("ended_ms", optional=True),
    CheckConstraint(f"state IN {STATES!r}", name="state_is_known"),
    UniqueConstraint("webhook_id", "event_id"),
    Index("ix_webhook_deliveries_due", "state", "webhook_id", "next_ms"),
)
