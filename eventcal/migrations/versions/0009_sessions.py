"""Store sessions in a table. Signed session cookies remain valid until they are replaced or ended."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("member_id", sa.String(16), nullable=False),
        sa.Column("member_key", sa.String(64), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("signed_csrf_secret", sa.String(64), nullable=True),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("proved_at", _INSTANT, nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("user_agent", sa.String(300), nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("last_seen_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("secret_hash", name="uq_sessions_secret_hash"),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name="fk_sessions_member_id_members", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_sessions_member_id", "sessions", ["member_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.add_column("members", sa.Column("signed_cookies", sa.Boolean(), nullable=True))
    op.execute("UPDATE members SET signed_cookies = true")


def downgrade() -> None:
    op.drop_column("members", "signed_cookies")
    op.drop_table("sessions")
