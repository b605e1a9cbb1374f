"""Count attempts to guess passwords and codes in the database, so that all workers share the counters."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "guess_counters",
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("purpose", "subject", name="pk_guess_counters"),
    )
    op.create_index("ix_guess_counters_last_attempt_at", "guess_counters", ["last_attempt_at"])


def downgrade() -> None:
    op.drop_table("guess_counters")
