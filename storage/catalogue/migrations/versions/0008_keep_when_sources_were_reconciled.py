"""Keep when all that a source has was compared with what is kept of it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("reconciled_ms", sa.BigInteger(), nullable=True))
