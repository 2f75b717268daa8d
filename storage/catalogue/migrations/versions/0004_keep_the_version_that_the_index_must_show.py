"""Keep for each interaction the version that the index must show."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "index_versions",
        sa.Column("interaction_id", row_id, autoincrement=False, nullable=False),
        sa.Column("version", row_id, nullable=False),
        sa.PrimaryKeyConstraint("interaction_id", name=op.f("pk_index_versions")),
    )
    op.execute(
        "INSERT INTO index_versions (interaction_id, version)"
        " SELECT interaction_id, ticket FROM index_queue"
    )
