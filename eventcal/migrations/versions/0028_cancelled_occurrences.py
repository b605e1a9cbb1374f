"""Add to a talk whether the occurrence of its event is cancelled. `db upgrade` then computes the column."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("talks") as table:
        table.add_column(sa.Column("is_occurrence_cancelled", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("talks") as table:
        table.alter_column("is_occurrence_cancelled", server_default=None)


def downgrade() -> None:
    op.drop_column("talks", "is_occurrence_cancelled")
