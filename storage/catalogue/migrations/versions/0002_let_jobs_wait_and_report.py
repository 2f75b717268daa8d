"""Let jobs wait for their time, be asked for once, and say how far they are."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("job_key", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("actor", sa.Text(), server_default="", nullable=False))
    for name in ("due_ms", "retries"):
        column = sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
        op.add_column("jobs", column)
    for name in ("started_ms", "ended_ms"):
        op.add_column("jobs", sa.Column(name, sa.BigInteger(), nullable=True))
    for name in ("progress", "result"):
        op.add_column("jobs", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.create_index("ix_jobs_state_due", "jobs", ["state", "due_ms"], unique=False)
    op.create_index("ix_jobs_kind_job_key", "jobs", ["kind", "job_key"], unique=True)
    op.create_index(
        "ix_source_items_sealed",
        "source_items",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'sealed'"),
        postgresql_where=sa.text("state = 'sealed'"),
    )
