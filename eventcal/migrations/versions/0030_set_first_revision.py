"""Let existing entries be public since the first revision."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE feed_entries SET first_revision = 1")


def downgrade() -> None:
    op.execute("UPDATE feed_entries SET first_revision = NULL")
