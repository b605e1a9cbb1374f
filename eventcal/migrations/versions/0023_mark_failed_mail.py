"""Mark the email whose ten attempts have failed as failed. It can be sent again with `eventcal mail resend`."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE outbox_messages SET failed_at = due_at WHERE kind = 'mail' AND sent_at IS NULL AND attempts >= 10"
    )


def downgrade() -> None:
    op.execute("UPDATE outbox_messages SET attempts = 10 WHERE failed_at IS NOT NULL")
