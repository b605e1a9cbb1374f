"""Store the kind and the recipient of each email, to limit the number of emails per recipient."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox_messages", sa.Column("mail_kind", sa.String(20), nullable=True))
    op.add_column("outbox_messages", sa.Column("recipient_key", sa.String(254), nullable=True))
    columns = ["recipient_key", "mail_kind", "created_at"]
    op.create_index("ix_outbox_messages_recipient_key", "outbox_messages", columns)


def downgrade() -> None:
    op.drop_index("ix_outbox_messages_recipient_key", "outbox_messages")
    op.drop_column("outbox_messages", "recipient_key")
    op.drop_column("outbox_messages", "mail_kind")
