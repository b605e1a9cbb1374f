"""Create the table of fetch statistics by feed and kind of client."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "feed_fetches",
        sa.Column("feed", sa.String(32), nullable=False),
        sa.Column("client", sa.String(20), nullable=False),
        sa.Column("first_at", _INSTANT, nullable=False),
        sa.Column("last_at", _INSTANT, nullable=False),
        sa.Column("last_status", sa.Integer(), nullable=False),
        sa.Column("fetches", sa.Integer(), nullable=False),
        sa.Column("fetches_today", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "client", name="pk_feed_fetches"),
    )


def downgrade() -> None:
    op.drop_table("feed_fetches")
