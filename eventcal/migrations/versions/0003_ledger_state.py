"""Insert the single row with the state of the feed index."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATE = sa.table(
    "ledger_state",
    sa.column("id", sa.Integer()),
    sa.column("revision", sa.BigInteger()),
    sa.column("changed_at", sa.DateTime(timezone=True)),
    sa.column("renderer", sa.String(64)),
)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    op.execute(sa.insert(STATE).values(id=1, revision=0, changed_at=NEVER, renderer=""))


def downgrade() -> None:
    op.execute(sa.delete(STATE))
