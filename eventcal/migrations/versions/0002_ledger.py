"""Create the tables of the feed index."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

TABLES = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def upgrade() -> None:
    TABLES.create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    TABLES.drop_all(op.get_bind(), checkfirst=False)


def table(name: str, *parts: sa.schema.SchemaItem) -> None:
    sa.Table(name, TABLES, *parts)


table(
    "ledger_entries",
    sa.Column("uid", sa.String(300), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("subject_id", sa.String(16), nullable=False),
    sa.Column("public_id", sa.String(80), nullable=False),
    sa.Column("deleted", sa.Boolean(), nullable=False),
    sa.Column("cancelled", sa.Boolean(), nullable=False),
    sa.Column("sequence", sa.Integer(), nullable=False),
    sa.Column("revision", sa.BigInteger(), nullable=False),
    sa.Column("stamp", MOMENT, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("zone", sa.String(64)),
    sa.Column("first_day", sa.String(10), nullable=False),
    sa.Column("last_day", sa.String(10), nullable=False),
    sa.Column("content", sa.String(64), nullable=False),
    sa.Column("ics", sa.String(), nullable=False),
    sa.UniqueConstraint("kind", "subject_id"),
    sa.Index("ix_ledger_entries_revision", "revision"),
)
table(
    "ledger_state",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("revision", sa.BigInteger(), nullable=False),
    sa.Column("changed_at", MOMENT, nullable=False),
    sa.Column("renderer", sa.String(64), nullable=False),
)
