"""Keep until when somebody means to be in touch again; find the records of consent."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("interactions", sa.Column("due_ms", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_interactions_due",
        "interactions",
        ["due_ms"],
        sqlite_where=sa.text("due_ms IS NOT NULL"),
        postgresql_where=sa.text("due_ms IS NOT NULL"),
    )
    op.create_index(
        "ix_interactions_consents",
        "interactions",
        ["kind"],
        sqlite_where=sa.text("kind = 'consent'"),
        postgresql_where=sa.text("kind = 'consent'"),
    )
