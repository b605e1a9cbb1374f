"""Add columns for rendered abstracts of talks and for the end of recurring events."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("talks", sa.Column("abstract_html", sa.String(), nullable=True))
    op.add_column("talks", sa.Column("abstract_plain", sa.String(), nullable=True))
    op.add_column("events", sa.Column("over_at", sa.DateTime(timezone=True), nullable=True))
    # Clearing the renderer version causes the upgrade to compute the derived columns.
    op.execute("UPDATE ledger_state SET renderer = ''")


def downgrade() -> None:
    op.drop_column("events", "over_at")
    op.drop_column("talks", "abstract_plain")
    op.drop_column("talks", "abstract_html")
