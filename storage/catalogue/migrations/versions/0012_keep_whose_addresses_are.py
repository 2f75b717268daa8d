"""Keep whose an address is, when and by whom that was said, and what people say of contacts."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("identities", sa.Column("home_id", ROW_ID, nullable=True))
    _find_homes(op.get_bind())
    op.add_column("contacts", sa.Column("owner", sa.Text(), server_default="", nullable=False))
    op.add_column("contacts", sa.Column("fields", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "contacts", sa.Column("version", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.create_index(
        "ix_contacts_owner",
        "contacts",
        ["owner"],
        sqlite_where=sa.text("owner <> ''"),
        postgresql_where=sa.text("owner <> ''"),
    )
    _create_links()
    op.create_table(
        "contact_versions",
        sa.Column("contact_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_contact_versions_contact_id")
        ),
        sa.PrimaryKeyConstraint("contact_id", "version", name=op.f("pk_contact_versions")),
    )


def _create_links() -> None:
    op.create_table(
        "links",
        sa.Column("id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("identity_id", ROW_ID, nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("contact_id", ROW_ID, nullable=False),
        sa.Column("before_id", ROW_ID, nullable=True),
        sa.Column("company_id", ROW_ID, nullable=True),
        sa.Column("is_split", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("is_new", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=True),
        sa.Column("valid_to_ms", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("linked_ms", sa.BigInteger(), nullable=False),
        sa.Column("undone_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["identities.id"], name=op.f("fk_links_identity_id")
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_links_contact_id")),
        sa.ForeignKeyConstraint(["before_id"], ["contacts.id"], name=op.f("fk_links_before_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("identity_id", "turn", name=op.f("uq_links_identity_id_turn")),
    )
    op.create_index("ix_links_contact_id", "links", ["contact_id"])
    op.create_index("ix_links_before_id", "links", ["before_id"])


def _find_homes(connection: sa.Connection) -> None:
    """Say of each identity where it was first given: where it is, but for what merges moved."""
    connection.execute(sa.text("UPDATE identities SET home_id = contact_id"))
    for (moved,) in connection.execute(sa.text("SELECT moved FROM merges ORDER BY id")).all():
        homes = [{"one": int(one), "home": home} for one, home in json.loads(moved).items()]
        if homes:
            statement = "UPDATE identities SET home_id = :home WHERE id = :one"
            connection.execute(sa.text(statement + " AND contact_id IS NOT NULL"), homes)
