"""Add serial numbers, additional feed formats and full rebuilds to the feed index."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("ledger_entries") as table:
        table.add_column(sa.Column("number", sa.Integer(), nullable=True))
        table.add_column(sa.Column("shown_until", _INSTANT, nullable=True))
        table.add_column(sa.Column("entry", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("resource", sa.String(), nullable=True))
    with op.batch_alter_table("ledger_state") as table:
        table.add_column(sa.Column("reshaped_at", sa.BigInteger(), nullable=False, server_default="0"))
        table.add_column(sa.Column("numbers", sa.Integer(), nullable=False, server_default="0"))
    _number()
    with op.batch_alter_table("ledger_entries") as table:
        table.alter_column("number", existing_type=sa.Integer(), nullable=False)
        table.alter_column("entry", existing_type=sa.String(), existing_nullable=False, server_default=None)
        table.create_unique_constraint("uq_ledger_entries_number", ["number"])
    with op.batch_alter_table("ledger_state") as table:
        table.alter_column("reshaped_at", existing_type=sa.BigInteger(), existing_nullable=False, server_default=None)
        table.alter_column("numbers", existing_type=sa.Integer(), existing_nullable=False, server_default=None)


def _number() -> None:
    """Assign serial numbers to entries by age, and mark all entries for rendering."""
    ranked = "SELECT uid, ROW_NUMBER() OVER (ORDER BY created_at, uid) AS place FROM ledger_entries"
    op.execute(
        f"UPDATE ledger_entries SET number = (SELECT place FROM ({ranked}) AS ranked "  # noqa: S608 - our own words
        "WHERE ranked.uid = ledger_entries.uid)"
    )
    op.execute(
        "UPDATE ledger_state SET renderer = '', reshaped_at = revision, "
        "numbers = (SELECT COALESCE(MAX(number), 0) FROM ledger_entries)"
    )


def downgrade() -> None:
    op.execute("DELETE FROM ledger_entries WHERE kind NOT IN ('event', 'talk')")
    with op.batch_alter_table("ledger_entries") as table:
        table.drop_constraint("uq_ledger_entries_number", type_="unique")
        for column in ("resource", "entry", "shown_until", "number"):
            table.drop_column(column)
    with op.batch_alter_table("ledger_state") as table:
        table.drop_column("numbers")
        table.drop_column("reshaped_at")
