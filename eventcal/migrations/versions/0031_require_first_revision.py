"""Require the revision with which each entry became public."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _set_nullable(allowed=False)


def downgrade() -> None:
    _set_nullable(allowed=True)


def _set_nullable(*, allowed: bool) -> None:
    with op.batch_alter_table("feed_entries") as table:
        table.alter_column("first_revision", existing_type=sa.BigInteger(), nullable=allowed)
