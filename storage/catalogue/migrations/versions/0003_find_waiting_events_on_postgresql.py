"""Let PostgreSQL find the events that wait for a number without reading all that have one."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return  # SQLite's unique index keeps them together, in order of their ids
    waiting = sa.text("seq IS NULL")
    op.create_index("ix_audit_events_waiting", "audit_events", ["id"], postgresql_where=waiting)
    # Room to change counts in place: none of those columns is in an index.
    op.execute("ALTER TABLE identities SET (fillfactor = 80)")
