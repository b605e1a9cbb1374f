"""Store how submitters named the speakers of a talk."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("talk_speakers", sa.Column("entered", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("talk_speakers", "entered")
