"""Keep who may do what, and how long things live: users, matters, holds, policies, disposals."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "anchors",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("size", row_id, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("stamped_ms", sa.BigInteger(), nullable=True),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anchors")),
    )
    op.create_index("ix_anchors_kind", "anchors", ["kind", "id"], unique=False)
    op.create_table(
        "clock_marks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_clock_marks")),
    )
    op.create_table(
        "failed_logins",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("locked_until_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_failed_logins")),
    )
    op.create_table(
        "matters",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matters")),
        sa.UniqueConstraint("name", name=op.f("uq_matters_name")),
    )
    op.create_table(
        "persons",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
    )
    op.create_table(
        "policies",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("retired_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policies")),
        sa.UniqueConstraint("name", name=op.f("uq_policies_name")),
    )
    op.create_table(
        "teams",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("name", name=op.f("uq_teams_name")),
    )
    op.create_table(
        "disposals",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("planned_by", row_id, nullable=False),
        sa.Column("planned_ms", sa.BigInteger(), nullable=False),
        sa.Column("as_of_ms", sa.BigInteger(), nullable=False),
        sa.Column("manifest_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("items", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reviewed_by", row_id, nullable=True),
        sa.Column("reviewed_ms", sa.BigInteger(), nullable=True),
        sa.Column("approved_by", row_id, nullable=True),
        sa.Column("approved_ms", sa.BigInteger(), nullable=True),
        sa.Column("executes_ms", sa.BigInteger(), nullable=True),
        sa.Column("executed_ms", sa.BigInteger(), nullable=True),
        sa.Column("certificate", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state IN ('planned', 'reviewed', 'approved', 'executing', 'executed', 'withdrawn')",
            name=op.f("ck_disposals_state_is_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'executing', 'executed') OR approved_by IS NOT NULL",
            name=op.f("ck_disposals_goes_only_when_approved"),
        ),
        sa.CheckConstraint(
            "approved_by <> planned_by", name=op.f("ck_disposals_approved_by_another_person")
        ),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["persons.id"], name=op.f("fk_disposals_approved_by")
        ),
        sa.ForeignKeyConstraint(
            ["planned_by"], ["persons.id"], name=op.f("fk_disposals_planned_by")
        ),
        sa.ForeignKeyConstraint(
            ["reviewed_by"], ["persons.id"], name=op.f("fk_disposals_reviewed_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposals")),
    )
    op.create_table(
        "exports",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("matter_id", row_id, nullable=True),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("person_id", row_id, nullable=True),
        sa.Column("settings", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("progress", sa.Text(), server_default="", nullable=False),
        sa.Column("file", sa.Text(), server_default="", nullable=False),
        sa.Column("size_bytes", row_id, nullable=True),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_exports_matter_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_exports_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
    )
    op.create_index(op.f("ix_exports_matter_id"), "exports", ["matter_id"], unique=False)
    op.create_table(
        "holds",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("matter_id", row_id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("query", sa.Text(), server_default="", nullable=False),
        sa.Column("canonical", sa.Text(), server_default="", nullable=False),
        sa.Column("tree", sa.Text(), server_default="", nullable=False),
        sa.Column("custodians", sa.Text(), server_default="", nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=True),
        sa.Column("to_ms", sa.BigInteger(), nullable=True),
        sa.Column("spares_unindexed", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("analyser_version", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("placed_ms", sa.BigInteger(), nullable=False),
        sa.Column("release_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("release_asked_by", row_id, nullable=True),
        sa.Column("release_asked_ms", sa.BigInteger(), nullable=True),
        sa.Column("release_approved_by", row_id, nullable=True),
        sa.Column("release_approved_ms", sa.BigInteger(), nullable=True),
        sa.Column("ends_ms", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(ends_ms IS NULL) = (release_approved_by IS NULL)",
            name=op.f("ck_holds_ends_only_when_approved"),
        ),
        sa.CheckConstraint(
            "release_approved_by <> release_asked_by", name=op.f("ck_holds_release_by_two_persons")
        ),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_holds_matter_id")),
        sa.ForeignKeyConstraint(
            ["release_approved_by"], ["persons.id"], name=op.f("fk_holds_release_approved_by")
        ),
        sa.ForeignKeyConstraint(
            ["release_asked_by"], ["persons.id"], name=op.f("fk_holds_release_asked_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
        sa.UniqueConstraint("matter_id", "name", name=op.f("uq_holds_matter_id_name")),
    )
    op.create_index(op.f("ix_holds_matter_id"), "holds", ["matter_id"], unique=False)
    op.create_table(
        "policy_versions",
        sa.Column("policy_id", row_id, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("query", sa.Text(), server_default="", nullable=False),
        sa.Column("canonical", sa.Text(), server_default="", nullable=False),
        sa.Column("tree", sa.Text(), server_default="", nullable=False),
        sa.Column("citation", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("proposed_by", row_id, nullable=False),
        sa.Column("proposed_ms", sa.BigInteger(), nullable=False),
        sa.Column("shortens", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("approved_by", row_id, nullable=True),
        sa.Column("approved_ms", sa.BigInteger(), nullable=True),
        sa.Column("in_force_ms", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('floor', 'ceiling')", name=op.f("ck_policy_versions_kind_is_known")
        ),
        sa.CheckConstraint(
            "NOT shortens OR in_force_ms IS NULL OR approved_by IS NOT NULL",
            name=op.f("ck_policy_versions_shortening_is_approved"),
        ),
        sa.CheckConstraint(
            "approved_by <> proposed_by", name=op.f("ck_policy_versions_approved_by_another_person")
        ),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["persons.id"], name=op.f("fk_policy_versions_approved_by")
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["policies.id"], name=op.f("fk_policy_versions_policy_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["persons.id"], name=op.f("fk_policy_versions_proposed_by")
        ),
        sa.PrimaryKeyConstraint("policy_id", "version", name=op.f("pk_policy_versions")),
    )
    op.create_table(
        "users",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("person_id", row_id, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("addresses", sa.Text(), server_default="", nullable=False),
        sa.Column("password_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("key_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sealed_totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("issuer", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("locked_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("password_ms", sa.BigInteger(), nullable=True),
        sa.Column("signed_in_ms", sa.BigInteger(), nullable=True),
        sa.Column("disabled_ms", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_users_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
    )
    op.create_index(op.f("ix_users_person_id"), "users", ["person_id"], unique=False)
    op.create_index("ix_users_subject", "users", ["issuer", "subject"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("user_id", row_id, nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("actions", sa.Text(), server_default="", nullable=False),
        sa.Column("networks", sa.Text(), server_default="", nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.Column("used_from", sa.Text(), server_default="", nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"], unique=False)
    op.create_table(
        "disposal_items",
        sa.Column("disposal_id", row_id, autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("interaction_id", row_id, nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("item_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("size_bytes", row_id, nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'excepted', 'blocked', 'destroyed')",
            name=op.f("ck_disposal_items_state_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["disposal_id"], ["disposals.id"], name=op.f("fk_disposal_items_disposal_id")
        ),
        sa.PrimaryKeyConstraint("disposal_id", "ordinal", name=op.f("pk_disposal_items")),
        sa.UniqueConstraint(
            "disposal_id",
            "interaction_id",
            name=op.f("uq_disposal_items_disposal_id_interaction_id"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_disposal_items_interaction", "disposal_items", ["interaction_id"], unique=False
    )
    op.create_table(
        "grants",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("user_id", row_id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.Column("tree", sa.Text(), server_default="", nullable=False),
        sa.Column("is_denied", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("removed_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('own', 'team', 'contact', 'matter', 'query', 'all')",
            name=op.f("ck_grants_kind_is_known"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_grants_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_user_id"), "grants", ["user_id"], unique=False)
    op.create_table(
        "held",
        sa.Column("hold_id", row_id, autoincrement=False, nullable=False),
        sa.Column("interaction_id", row_id, autoincrement=False, nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_held_hold_id")),
        sa.ForeignKeyConstraint(
            ["interaction_id"], ["interactions.id"], name=op.f("fk_held_interaction_id")
        ),
        sa.PrimaryKeyConstraint("hold_id", "interaction_id", name=op.f("pk_held")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_held_interaction", "held", ["interaction_id"], unique=False)
    op.create_table(
        "hold_notices",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("hold_id", row_id, nullable=False),
        sa.Column("custodian", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("given_ms", sa.BigInteger(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("acknowledged_ms", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_hold_notices_hold_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold_notices")),
    )
    op.create_index(op.f("ix_hold_notices_hold_id"), "hold_notices", ["hold_id"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("user_id", row_id, nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("headers", sa.Text(), server_default="", nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_idempotency_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency")),
        sa.UniqueConstraint(
            "user_id", "request_key", name=op.f("uq_idempotency_user_id_request_key")
        ),
    )
    op.create_table(
        "metadata_values",
        sa.Column("interaction_id", row_id, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tags", sa.Text(), server_default="", nullable=False),
        sa.Column("notes", sa.Text(), server_default="", nullable=False),
        sa.Column("links", sa.Text(), server_default="", nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("retain_from_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["interaction_id"], ["interactions.id"], name=op.f("fk_metadata_values_interaction_id")
        ),
        sa.PrimaryKeyConstraint("interaction_id", name=op.f("pk_metadata_values")),
    )
    op.create_table(
        "sessions",
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", row_id, nullable=False),
        sa.Column("csrf_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("proved_ms", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_sessions")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "team_members",
        sa.Column("team_id", row_id, autoincrement=False, nullable=False),
        sa.Column("user_id", row_id, autoincrement=False, nullable=False),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_team_members_team_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_team_members_user_id")),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_team_members")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tombstones",
        sa.Column("interaction_id", row_id, autoincrement=False, nullable=False),
        sa.Column("disposal_id", row_id, nullable=False),
        sa.Column("commitments", sa.Text(), server_default="", nullable=False),
        sa.Column("rules", sa.Text(), server_default="", nullable=False),
        sa.Column("approvers", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("captured_ms", sa.BigInteger(), nullable=False),
        sa.Column("destroyed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["disposal_id"], ["disposals.id"], name=op.f("fk_tombstones_disposal_id")
        ),
        sa.PrimaryKeyConstraint("interaction_id", name=op.f("pk_tombstones")),
    )
    op.create_index(op.f("ix_tombstones_disposal_id"), "tombstones", ["disposal_id"], unique=False)
    op.create_table(
        "audit_details",
        sa.Column("event_id", row_id, autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["audit_events.id"], name=op.f("fk_audit_details_event_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_audit_details")),
    )
    op.create_index("ix_audit_details_actor", "audit_details", ["actor", "event_id"], unique=False)
    # What was disposed of is queued as well, and has no row any more that could be referred to.
    op.execute("CREATE TEMPORARY TABLE queued AS SELECT interaction_id, ticket FROM index_queue")
    op.drop_table("index_queue")
    op.create_table(
        "index_queue",
        sa.Column("interaction_id", row_id, autoincrement=False, nullable=False),
        sa.Column("ticket", row_id, nullable=False),
        sa.PrimaryKeyConstraint("interaction_id", name=op.f("pk_index_queue")),
    )
    op.execute("INSERT INTO index_queue SELECT interaction_id, ticket FROM queued")
    op.execute("DROP TABLE queued")
    op.create_index("ix_index_queue_ticket", "index_queue", ["ticket"], unique=False)
    op.create_index(
        "ix_threads_merged_into",
        "threads",
        ["merged_into"],
        unique=False,
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
