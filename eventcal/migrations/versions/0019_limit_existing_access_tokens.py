"""Limit existing access tokens to the current role of the member, and to a year from now."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_LIMIT_EXPIRY = "UPDATE access_tokens SET expires_at = {0} WHERE expires_at IS NULL OR expires_at > {0}"
_IN_A_YEAR = {"sqlite": "datetime('now', '+365 days')", "postgresql": "now() + interval '365 days'"}


def upgrade() -> None:
    op.execute(
        "UPDATE access_tokens SET granted_role ="
        " (SELECT members.role FROM members WHERE members.id = access_tokens.member_id)"
    )
    op.execute(_LIMIT_EXPIRY.format(_IN_A_YEAR[op.get_bind().dialect.name]))


def downgrade() -> None:
    """Keep the expiry times, which earlier releases also support."""
