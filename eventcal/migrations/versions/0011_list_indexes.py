"""Add indexes for lists of talks, whose first page otherwise requires reading all talks."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    multi_day = sa.text("first_day < last_day")
    op.create_index("ix_talks_updated", "talks", ["updated_at", "id"])
    op.create_index(
        "ix_talks_multi_day", "talks", ["sort_at", "last_day"], sqlite_where=multi_day, postgresql_where=multi_day
    )


def downgrade() -> None:
    op.drop_index("ix_talks_multi_day", "talks")
    op.drop_index("ix_talks_updated", "talks")
