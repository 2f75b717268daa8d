"""Keep who was sent to an OpenID Connect provider and has not come back."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "sign_in_trips",
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("nonce", sa.Text(), server_default="", nullable=False),
        sa.Column("verifier", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("issuer", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_sign_in_trips")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_sign_in_trips_until_ms"), "sign_in_trips", ["until_ms"], unique=False)
