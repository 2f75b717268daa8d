"""Tables of matters, holds, policies, disposals, exports and anchors; no statements.

What two persons must do is a constraint here, so that no program can forget it.
"""

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

# What an event was about in words: the log itself holds only its hash. It can be erased.
audit_details = Table(
    "audit_details",
    metadata,
    key("event_id", "audit_events.id"),
    words("actor"),
    words("detail"),
    Index("ix_audit_details_actor", "actor", "event_id"),
)

matters = Table(
    "matters",
    metadata,
    own_id(),
    Column("name", Text, nullable=False, unique=True),
    words("reference"),
    words("note"),
    words("actor"),
    ms("opened_ms"),
    ms("closed_ms", optional=True),
    Column("version", Integer, nullable=False, server_default="1"),
)

holds = Table(
    "holds",
    metadata,
    own_id(),
    ref("matter_id", "matters.id", index=True),
    Column("name", Text, nullable=False),
    words("reason"),
    words("query"),
    words("canonical"),
    words("tree"),
    words("custodians"),
    ms("from_ms", optional=True),
    ms("to_ms", optional=True),
    flag("spares_unindexed"),
    Column("analyser_version", Integer, nullable=False),
    words("actor"),
    ms("placed_ms"),
    words("release_reason"),
    ref("release_asked_by", "persons.id", optional=True),
    ms("release_asked_ms", optional=True),
    ref("release_approved_by", "persons.id", optional=True),
    ms("release_approved_ms", optional=True),
    ms("ends_ms", optional=True),
    Column("version", Integer, nullable=False, server_default="1"),
    UniqueConstraint("matter_id", "name"),
    CheckConstraint("release_approved_by <> release_asked_by", name="release_by_two_persons"),
    CheckConstraint(
        "(ends_ms IS NULL) = (release_approved_by IS NULL)", name="ends_only_when_approved"
    ),
)

held = Table(
    "held",
    metadata,
    key("hold_id", "holds.id"),
    key("interaction_id", "interactions.id"),
    ms("since_ms"),
    Index("ix_held_interaction", "interaction_id"),
    sqlite_with_rowid=False,
)

hold_notices = Table(
    "hold_notices",
    metadata,
    own_id(),
    ref("hold_id", "holds.id", index=True),
    words("custodian"),
    words("text"),
    words("actor"),
    ms("given_ms"),
    Column("token_digest", Digest, nullable=True),
    ms("acknowledged_ms", optional=True),
    words("acknowledged_by"),
)

policies = Table(
    "policies",
    metadata,
    own_id(),
    Column("name", Text, nullable=False, unique=True),
    ms("created_ms"),
    ms("retired_ms", optional=True),
)

policy_versions = Table(
    "policy_versions",
    metadata,
    key("policy_id", "policies.id"),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("days", Integer, nullable=False),
    words("query"),
    words("canonical"),
    words("tree"),
    words("citation"),
    words("note"),
    words("actor"),
    ref("proposed_by", "persons.id"),
    ms("proposed_ms"),
    flag("shortens"),
    ref("approved_by", "persons.id", optional=True),
    ms("approved_ms", optional=True),
    ms("in_force_ms", optional=True),
    ms("withdrawn_ms", optional=True),
    CheckConstraint("kind IN ('floor', 'ceiling')", name="kind_is_known"),
    CheckConstraint("approved_by <> proposed_by", name="approved_by_another_person"),
    CheckConstraint(
        "NOT shortens OR in_force_ms IS NULL OR approved_by IS NOT NULL",
        name="shortening_is_approved",
    ),
)

DISPOSAL_STATES = ("planned", "reviewed", "approved", "executing", "executed", "withdrawn")

disposals = Table(
    "disposals",
    metadata,
    own_id(),
    Column("state", Text, nullable=False),
    words("note"),
    words("actor"),
    ref("planned_by", "persons.id"),
    ms("planned_ms"),
    ms("as_of_ms"),
    Column("manifest_digest", Digest, nullable=False),
    count("items"),
    count("bytes"),
    ref("reviewed_by", "persons.id", optional=True),
    ms("reviewed_ms", optional=True),
    ref("approved_by", "persons.id", optional=True),
    ms("approved_ms", optional=True),
    ms("executes_ms", optional=True),
    ms("executed_ms", optional=True),
    Column("certificate", LargeBinary, nullable=True),
    CheckConstraint(f"state IN {DISPOSAL_STATES!r}", name="state_is_known"),
    CheckConstraint("approved_by <> planned_by", name="approved_by_another_person"),
    CheckConstraint(
        "state NOT IN ('approved', 'executing', 'executed') OR approved_by IS NOT NULL",
        name="goes_only_when_approved",
    ),
)

DISPOSAL_ENDS = ("pending", "excepted", "blocked", "destroyed")

disposal_items = Table(
    "disposal_items",
    metadata,
    key("disposal_id", "disposals.id"),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("interaction_id", Id, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),
    Column("item_digest", Digest, nullable=False),
    words("decision"),
    words("reason"),
    Column("size_bytes", Id, nullable=False),
    ms("ended_ms", optional=True),
    UniqueConstraint("disposal_id", "interaction_id"),
    Index("ix_disposal_items_interaction", "interaction_id"),
    CheckConstraint(f"state IN {DISPOSAL_ENDS!r}", name="state_is_known"),
    sqlite_with_rowid=False,
)

# No reference: the interaction's row goes, the stone stays.
tombstones = Table(
    "tombstones",
    metadata,
    Column("interaction_id", Id, primary_key=True, autoincrement=False),
    ref("disposal_id", "disposals.id", index=True),
    words("commitments"),
    words("rules"),
    words("approvers"),
    words("kind"),
    words("channel"),
    ms("captured_ms"),
    ms("destroyed_ms"),
)

exports = Table(
    "exports",
    metadata,
    own_id(),
    ref("matter_id", "matters.id", optional=True, index=True),
    words("actor"),
    ref("person_id", "persons.id", optional=True),
    words("settings"),
    words("state"),
    ms("asked_ms"),
    ms("ended_ms", optional=True),
    words("progress"),
    words("file"),
    Column("size_bytes", Id, nullable=True),
    Column("sha256", Digest, nullable=True),
    words("error"),
)

anchors = Table(
    "anchors",
    metadata,
    own_id(),
    Column("kind", Text, nullable=False),
    words("place"),
    Column("size", Id, nullable=False),
    Column("root", Digest, nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("token", LargeBinary, nullable=True),
    ms("stamped_ms", optional=True),
    ms("made_ms"),
    Index("ix_anchors_kind", "kind", "id"),
)

clock_marks = Table(
    "clock_marks",
    metadata,
    Column("name", Text, primary_key=True),
    ms("at_ms"),
    words("origin"),
)
