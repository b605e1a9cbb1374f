"""Add the revision with which each entry became public."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feed_entries", sa.Column("first_revision", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("feed_entries", "first_revision")
