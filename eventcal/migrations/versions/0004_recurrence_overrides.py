"""Add overrides for single occurrences of recurring events."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("events") as table:
        table.add_column(sa.Column("recurrence_overrides", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("events") as table:
        table.alter_column(
            "recurrence_overrides", existing_type=sa.JSON(), existing_nullable=False, server_default=None
        )


def downgrade() -> None:
    with op.batch_alter_table("events") as table:
        table.drop_column("recurrence_overrides")
