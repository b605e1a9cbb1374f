"""Require the epoch of the database."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _set_nullable(allowed=False)


def downgrade() -> None:
    _set_nullable(allowed=True)


def _set_nullable(*, allowed: bool) -> None:
    with op.batch_alter_table("feed_state") as table:
        table.alter_column("epoch", existing_type=sa.String(16), nullable=allowed)
        table.alter_column("epoch_started_at", existing_type=sa.DateTime(timezone=True), nullable=allowed)
