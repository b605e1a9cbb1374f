"""Store from which event and talk a message contains text, so that redaction can delete the message."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox_messages", sa.Column("event_id", sa.String(36), nullable=True))
    op.add_column("outbox_messages", sa.Column("talk_id", sa.String(36), nullable=True))


def downgrade() -> None:
    op.drop_column("outbox_messages", "talk_id")
    op.drop_column("outbox_messages", "event_id")
