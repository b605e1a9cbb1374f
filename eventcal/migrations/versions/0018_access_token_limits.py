"""Add columns that limit access tokens to a role and to events, and the time of their last use."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("access_tokens", sa.Column("granted_role", sa.String(20), nullable=True))
    op.add_column("access_tokens", sa.Column("event_ids", sa.JSON(), nullable=True))
    op.add_column("access_tokens", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("access_tokens", "last_used_at")
    op.drop_column("access_tokens", "event_ids")
    op.drop_column("access_tokens", "granted_role")
