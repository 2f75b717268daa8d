"""Keep how a source is reached, with its secret sealed, and how its mailboxes stand."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "accounts",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("source_id", row_id, nullable=False),
        sa.Column("settings", sa.Text(), server_default="", nullable=False),
        sa.Column("custodian", sa.Text(), server_default="", nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("key_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.Column("removed_ms", sa.BigInteger(), nullable=True),
        sa.Column("started_ms", sa.BigInteger(), nullable=True),
        sa.Column("succeeded_ms", sa.BigInteger(), nullable=True),
        sa.Column("next_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_accounts_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("source_id", name=op.f("uq_accounts_source_id")),
    )
    op.create_table(
        "mailboxes",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("source_id", row_id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("messages", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("uids", sa.Text(), server_default="", nullable=False),
        sa.Column("expunged", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("resets", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reconciled_ms", sa.BigInteger(), nullable=False),
        sa.Column("vanished_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_mailboxes_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailboxes")),
        sa.UniqueConstraint("source_id", "name", name=op.f("uq_mailboxes_source_id_name")),
    )
