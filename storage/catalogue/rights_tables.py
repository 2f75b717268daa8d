"""Tables of who may do what: persons, users, sessions, keys, teams, grants; no statements.

A person is somebody of flesh and blood. Two accounts of one person count once wherever two persons
are asked for.
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
)

from holdfast.storage.catalogue.columns import (
    Digest,
    count,
    flag,
    key,
    metadata,
    ms,
    own_id,
    ref,
    words,
)

persons = Table(
    "persons",
    metadata,
    own_id(),
    Column("name", Text, nullable=False),
    ms("created_ms"),
)

users = Table(
    "users",
    metadata,
    own_id(),
    ref("person_id", "persons.id", index=True),
    Column("login", Text, nullable=False, unique=True),
    words("name"),
    Column("role", Text, nullable=False),
    words("addresses"),
    words("password_hash"),
    Column("wrapped_key", LargeBinary, nullable=True),
    Column("key_version", Integer, nullable=False, server_default="0"),
    Column("sealed_totp", LargeBinary, nullable=True),
    count("totp_step"),
    words("issuer"),
    words("subject"),
    count("failures"),
    ms("locked_until_ms", optional=True),
    ms("created_ms"),
    ms("password_ms", optional=True),
    flag("is_password_own"),
    ms("handled_ms", optional=True),
    flag("is_unclaimed"),
    ms("signed_in_ms", optional=True),
    ms("disabled_ms", optional=True),
    Column("version", Integer, nullable=False, server_default="1"),
    Index("ix_users_subject", "issuer", "subject"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_digest", Digest, primary_key=True),
    ref("user_id", "users.id", index=True),
    Column("csrf_digest", Digest, nullable=False),
    ms("created_ms"),
    ms("seen_ms"),
    ms("until_ms"),
    ms("proved_ms"),
    words("address"),
    words("agent"),
    flag("is_vouched"),
    ms("ended_ms", optional=True),
    sqlite_with_rowid=False,
)

api_keys = Table(
    "api_keys",
    metadata,
    own_id(),
    ref("user_id", "users.id", index=True),
    words("name"),
    Column("prefix", Text, nullable=False),
    Column("digest", Digest, nullable=False, unique=True),
    words("actions"),
    words("networks"),
    flag("is_own"),
    ms("created_ms"),
    ms("until_ms"),
    ms("used_ms", optional=True),
    words("used_from"),
    ms("revoked_ms", optional=True),
)

teams = Table(
    "teams",
    metadata,
    own_id(),
    Column("name", Text, nullable=False, unique=True),
    ms("created_ms"),
)

team_members = Table(
    "team_members",
    metadata,
    key("team_id", "teams.id"),
    key("user_id", "users.id"),
    ms("added_ms"),
    sqlite_with_rowid=False,
)

SCOPES = ("own", "team", "contact", "matter", "query", "all")

grants = Table(
    "grants",
    metadata,
    own_id(),
    ref("user_id", "users.id", index=True),
    Column("kind", Text, nullable=False),
    words("value"),
    words("tree"),
    flag("is_denied"),
    words("reason"),
    words("actor"),
    ms("added_ms"),
    ms("until_ms", optional=True),
    ms("removed_ms", optional=True),
    CheckConstraint(f"kind IN {SCOPES!r}", name="kind_is_known"),
)

failed_logins = Table(
    "failed_logins",
    metadata,
    Column("address", Text, primary_key=True),
    count("failures"),
    ms("last_ms"),
    ms("locked_until_ms", optional=True),
)

sign_in_trips = Table(
    "sign_in_trips",
    metadata,
    Column("token_digest", Digest, primary_key=True),
    Column("state_digest", Digest, nullable=False),
    words("nonce"),
    words("verifier"),
    words("place"),
    words("issuer"),
    words("subject"),
    Column("until_ms", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)

idempotency = Table(
    "idempotency",
    metadata,
    own_id(),
    ref("user_id", "users.id"),
    Column("request_key", Text, nullable=False),
    Column("request_digest", Digest, nullable=False),
    Column("status", Integer, nullable=True),
    Column("answer", LargeBinary, nullable=True),
    words("headers"),
    ms("begun_ms"),
    UniqueConstraint("user_id", "request_key"),
)

metadata_values = Table(
    "metadata_values",
    metadata,
    key("interaction_id", "interactions.id"),
    Column("version", Integer, nullable=False),
    words("tags"),
    words("notes"),
    words("links"),
    words("owner"),
    words("summary"),
    Column("retain_from_ms", BigInteger, nullable=True),
)
