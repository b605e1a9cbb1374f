"""Add the language of email to a member."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("members", sa.Column("language", sa.String(10), nullable=True))


def downgrade() -> None:
    op.drop_column("members", "language")
