"""Keep which import of a directory gave a contact an address or a field, to take it back."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table in ("contact_versions", "links"):
        op.add_column(table, sa.Column("batch_id", ROW_ID, nullable=True))
        op.create_index(
            f"ix_{table}_batch_id",
            table,
            ["batch_id"],
            sqlite_where=sa.text("batch_id IS NOT NULL"),
            postgresql_where=sa.text("batch_id IS NOT NULL"),
        )
