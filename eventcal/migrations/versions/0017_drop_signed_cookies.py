"""Drop the columns for the signed session cookies of members, which are no longer accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("sessions", "signed_csrf_secret")
    op.drop_column("members", "signed_cookies")


def downgrade() -> None:
    op.add_column("members", sa.Column("signed_cookies", sa.Boolean(), nullable=True))
    op.add_column("sessions", sa.Column("signed_csrf_secret", sa.String(64), nullable=True))
