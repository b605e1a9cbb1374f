"""What is worked out once: a talk's abstract as it is shown, and when the last of an event is over."""

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
    # Derived values are filled in with the texts that are made of them, by whoever upgrades.
    op.execute("UPDATE ledger_state SET renderer = ''")


def downgrade() -> None:
    op.drop_column("events", "over_at")
    op.drop_column("talks", "abstract_plain")
    op.drop_column("talks", "abstract_html")
