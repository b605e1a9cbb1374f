"""Store no time of re-authentication for sessions whose member has only signed in."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sessions") as table:
        table.alter_column("reauthenticated_at", existing_type=sa.DateTime(timezone=True), nullable=True)
    op.execute("UPDATE sessions SET reauthenticated_at = NULL")


def downgrade() -> None:
    op.execute("UPDATE sessions SET reauthenticated_at = created_at")
    with op.batch_alter_table("sessions") as table:
        table.alter_column("reauthenticated_at", existing_type=sa.DateTime(timezone=True), nullable=False)
