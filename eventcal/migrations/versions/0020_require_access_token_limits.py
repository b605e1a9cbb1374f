"""Require a role and an expiry time for every access token."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _set_nullable(nullable=False)


def downgrade() -> None:
    _set_nullable(nullable=True)


def _set_nullable(*, nullable: bool) -> None:
    with op.batch_alter_table("access_tokens") as table:
        table.alter_column("granted_role", existing_type=sa.String(20), nullable=nullable)
        table.alter_column("expires_at", existing_type=sa.DateTime(timezone=True), nullable=nullable)
