"""Set the first epoch. No dates were sent before it."""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

STATE = sa.table(
    "feed_state",
    sa.column("epoch", sa.String(16)),
    sa.column("epoch_started_at", sa.DateTime(timezone=True)),
)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    op.execute(sa.update(STATE).values(epoch=secrets.token_hex(4), epoch_started_at=NEVER))


def downgrade() -> None:
    op.execute(sa.update(STATE).values(epoch=None, epoch_started_at=None))
