"""Add the epoch of the database, which changes when the database has been restored from a backup."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feed_state", sa.Column("epoch", sa.String(16), nullable=True))
    op.add_column("feed_state", sa.Column("epoch_started_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("feed_state", "epoch_started_at")
    op.drop_column("feed_state", "epoch")
