"""Keep rooms with their names, versions of chat messages, and on which side somebody is."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("conversations", sa.Column("named_ms", sa.BigInteger(), nullable=True))
    op.add_column(
        "interactions",
        sa.Column("version_ms", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.add_column("identities", sa.Column("side", sa.Text(), server_default="", nullable=False))
    op.create_index(
        "ix_interactions_conversation",
        "interactions",
        ["conversation_id", "at_ms"],
        unique=False,
        sqlite_where=sa.text("conversation_id IS NOT NULL"),
        postgresql_where=sa.text("conversation_id IS NOT NULL"),
    )
