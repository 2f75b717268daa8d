"""Keep when sources are to run and how they ran, and what changed at them since the captures."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for table, names in (("accounts", ("plan", "trouble", "next_step")), ("mailboxes", ("rule",))):
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("accounts", sa.Column("paused_ms", sa.BigInteger(), nullable=True))
    op.add_column("mailboxes", sa.Column("woken_ms", sa.BigInteger(), nullable=True))
    for name in ("settled_uid", "modseq", "flags_uid"):
        column = sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
        op.add_column("mailboxes", column)
    op.create_table(
        "source_runs",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("source_id", row_id, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("trouble", sa.Text(), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("counts", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_source_runs_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_runs")),
    )
    op.create_index("ix_source_runs_source", "source_runs", ["source_id", "id"], unique=False)
    op.create_table(
        "later_facts",
        sa.Column("id", row_id, autoincrement=False, nullable=False),
        sa.Column("note_id", row_id, nullable=False),
        sa.Column("capture_id", row_id, nullable=False),
        sa.Column("noted_ms", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.Text(), server_default="", nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["captures.id"], name=op.f("fk_later_facts_capture_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_later_facts")),
    )
    op.create_index("ix_later_facts_capture_id", "later_facts", ["capture_id"], unique=False)
    op.create_index("ix_later_facts_note", "later_facts", ["note_id"], unique=False)
