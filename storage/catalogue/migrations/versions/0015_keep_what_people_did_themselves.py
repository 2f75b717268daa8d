"""Keep which passwords, keys and sessions are of the person's own making."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    for table, name in (
        ("users", "is_password_own"),
        ("users", "is_unclaimed"),
        ("sessions", "is_vouched"),
        ("api_keys", "is_own"),
    ):
        # Older ones count as made by somebody else: nobody knows better.
        op.add_column(table, sa.Column(name, sa.Boolean(), server_default="0", nullable=False))
    op.add_column("users", sa.Column("handled_ms", sa.BigInteger(), nullable=True))
