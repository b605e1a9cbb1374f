"""Create the initial schema independently of the current models."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

# Later migrations and error handlers refer to constraints by these names.
TABLES = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def upgrade() -> None:
    TABLES.create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    TABLES.drop_all(op.get_bind(), checkfirst=False)


def table(name: str, *parts: sa.schema.SchemaItem) -> None:
    sa.Table(name, TABLES, *parts)


# Members

table(
    "members",
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("email", sa.String(254), nullable=False),
    sa.Column("email_key", sa.String(254), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("password", sa.String(255)),
    sa.Column("active", sa.Boolean(), nullable=False),
    sa.Column("fs_uniquifier", sa.String(64), nullable=False, unique=True),
    sa.Column("confirmed_at", MOMENT),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
)
table(
    "access_tokens",
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("member_id", sa.String(16), sa.ForeignKey("members.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("scopes", sa.JSON(), nullable=False),
    sa.Column("expires_at", MOMENT),
    sa.Column("created_at", MOMENT, nullable=False),
)
table(
    "personal_feeds",
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("member_id", sa.String(16), sa.ForeignKey("members.id", ondelete="SET NULL"), index=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("revoked_at", MOMENT),
    sa.Column("last_fetched_at", MOMENT),
)
table(
    "kept_answers",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("member_id", sa.String(16), sa.ForeignKey("members.id", ondelete="CASCADE"), nullable=False),
    sa.Column("key", sa.String(255), nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer(), nullable=False),
    sa.Column("location", sa.String(2000)),
    sa.Column("etag", sa.String(100)),
    sa.Column("body", sa.String(), nullable=False),
    sa.Column("kept_at", MOMENT, nullable=False, index=True),
    sa.UniqueConstraint("member_id", "key"),
)

# Outbox

table(
    "outbox_messages",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("payload", sa.JSON(), nullable=False),
    sa.Column("due_at", MOMENT, nullable=False),
    sa.Column("attempts", sa.Integer(), nullable=False),
    sa.Column("last_error", sa.String()),
    sa.Column("sent_at", MOMENT),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Index("ix_outbox_messages_due", "sent_at", "due_at"),
)

# Events

table(
    "events",
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("slug", sa.String(80), nullable=False, unique=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("summary", sa.String()),
    sa.Column("description", sa.String()),
    sa.Column("programme", sa.String(20), nullable=False),
    sa.Column("attendance", sa.String(20), nullable=False),
    sa.Column("timezone", sa.String(64), nullable=False),
    sa.Column("starts", sa.String(19), nullable=False),
    sa.Column("ends", sa.String(19), nullable=False),
    sa.Column("venue", sa.String(200)),
    sa.Column("address", sa.String(500)),
    sa.Column("city", sa.String(200)),
    sa.Column("region", sa.String(200)),
    sa.Column("country", sa.String(2)),
    sa.Column("latitude", sa.Double()),
    sa.Column("longitude", sa.Double()),
    sa.Column("online_url", sa.String(2000)),
    sa.Column("url", sa.String(2000)),
    sa.Column("registration_url", sa.String(2000)),
    sa.Column("price_amount", sa.Numeric(12, 2)),
    sa.Column("price_currency", sa.String(3)),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("series", sa.String(80)),
    sa.Column("recurrence", sa.String(500)),
    sa.Column("proposer_id", sa.String(16), sa.ForeignKey("members.id", ondelete="SET NULL")),
    sa.Column("redacted_at", MOMENT),
    sa.Column("starts_at", MOMENT, nullable=False),
    sa.Column("ends_at", MOMENT, nullable=False),
    sa.Column("first_day", sa.String(10), nullable=False),
    sa.Column("last_day", sa.String(10), nullable=False),
    sa.Column("shown_until", MOMENT),
    sa.Column("search", sa.String(), nullable=False),
    sa.Column("sequence", sa.Integer(), nullable=False),
    sa.Column("revision", sa.Integer(), nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT, nullable=False),
    sa.Index("ix_events_revision", "revision"),
    sa.Index("ix_events_sort", "starts_at", "id"),
)
table(
    "event_tags",
    sa.Column("event_id", sa.String(16), sa.ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer(), primary_key=True),
    sa.Column("tag", sa.String(50), nullable=False),
    sa.Index("ix_event_tags_tag", "tag"),
)
table(
    "co_locations",
    sa.Column("event_id", sa.String(16), sa.ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("other_id", sa.String(16), sa.ForeignKey("events.id", ondelete="CASCADE"), primary_key=True, index=True),
    sa.Column("position", sa.Integer(), nullable=False),
)
table(
    "calls_for_talks",
    sa.Column("event_id", sa.String(16), sa.ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("opens", sa.String(40)),
    sa.Column("closes", sa.String(40)),
    sa.Column("anywhere_on_earth", sa.Boolean(), nullable=False),
    sa.Column("opens_at", MOMENT),
    sa.Column("closes_at", MOMENT),
    sa.Column("kinds", sa.JSON(), nullable=False),
    sa.Column("note", sa.String()),
)
table(
    "tracks",
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("event_id", sa.String(16), sa.ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("colour", sa.String(7)),
    sa.Column("position", sa.Integer(), nullable=False),
    sa.UniqueConstraint("event_id", "name"),
)
table(
    "rooms",
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("event_id", sa.String(16), sa.ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("capacity", sa.Integer()),
    sa.Column("position", sa.Integer(), nullable=False),
    sa.UniqueConstraint("event_id", "name"),
)
table(
    "team_members",
    sa.Column("event_id", sa.String(16), sa.ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
    sa.Column(
        "member_id", sa.String(16), sa.ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, index=True
    ),
    sa.Column("role", sa.String(20), nullable=False),
)

# Speakers

table(
    "speakers",
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("slug", sa.String(80), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("job_title", sa.String(200)),
    sa.Column("affiliation", sa.String(200)),
    sa.Column("bio", sa.String()),
    sa.Column("links", sa.JSON(), nullable=False),
    sa.Column("photo_url", sa.String(2000)),
    sa.Column("email", sa.String(254), unique=True),
    sa.Column("member_id", sa.String(16), sa.ForeignKey("members.id", ondelete="SET NULL"), unique=True),
    sa.Column("merged_into_id", sa.String(16), sa.ForeignKey("speakers.id")),
    sa.Column("published_at", MOMENT),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT, nullable=False),
)

# Talks

table(
    "talks",
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("event_id", sa.String(16), sa.ForeignKey("events.id"), nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("abstract", sa.String()),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("language", sa.String(35)),
    sa.Column("track_id", sa.String(16), sa.ForeignKey("tracks.id", ondelete="SET NULL"), index=True),
    sa.Column("room_id", sa.String(16), sa.ForeignKey("rooms.id", ondelete="SET NULL"), index=True),
    sa.Column("starts", sa.String(19)),
    sa.Column("ends", sa.String(19)),
    sa.Column("duration_minutes", sa.Integer()),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("submitter_id", sa.String(16), sa.ForeignKey("members.id", ondelete="SET NULL"), index=True),
    sa.Column("notes", sa.String()),
    sa.Column("slides_url", sa.String(2000)),
    sa.Column("recording_url", sa.String(2000)),
    sa.Column("reprise_of_id", sa.String(16), sa.ForeignKey("talks.id"), index=True),
    sa.Column("published_at", MOMENT),
    sa.Column("redacted_at", MOMENT),
    sa.Column("starts_at", MOMENT),
    sa.Column("ends_at", MOMENT),
    sa.Column("sort_at", MOMENT, nullable=False),
    sa.Column("first_day", sa.String(10), nullable=False),
    sa.Column("last_day", sa.String(10), nullable=False),
    sa.Column("shown_until", MOMENT),
    sa.Column("search", sa.String(), nullable=False),
    sa.Column("sequence", sa.Integer(), nullable=False),
    sa.Column("revision", sa.Integer(), nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT, nullable=False),
    sa.Index("ix_talks_event_sort", "event_id", "sort_at", "id"),
    sa.Index("ix_talks_revision", "revision"),
    sa.Index("ix_talks_sort", "sort_at", "id"),
)
table(
    "talk_speakers",
    sa.Column("talk_id", sa.String(16), sa.ForeignKey("talks.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("speaker_id", sa.String(16), sa.ForeignKey("speakers.id"), primary_key=True, index=True),
    sa.Column("position", sa.Integer(), nullable=False),
)
table(
    "talk_tags",
    sa.Column("talk_id", sa.String(16), sa.ForeignKey("talks.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer(), primary_key=True),
    sa.Column("tag", sa.String(50), nullable=False),
    sa.Index("ix_talk_tags_tag", "tag"),
)
table(
    "talk_steps",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("talk_id", sa.String(16), sa.ForeignKey("talks.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("came_from", sa.String(20)),
    sa.Column("went_to", sa.String(20), nullable=False),
    sa.Column("member_id", sa.String(16), sa.ForeignKey("members.id", ondelete="SET NULL")),
    sa.Column("reason", sa.String()),
    sa.Column("taken_at", MOMENT, nullable=False),
)
table(
    "stars",
    sa.Column("member_id", sa.String(16), sa.ForeignKey("members.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("talk_id", sa.String(16), sa.ForeignKey("talks.id", ondelete="CASCADE"), primary_key=True, index=True),
    sa.Column("starred_at", MOMENT, nullable=False),
)

# Sponsors

table(
    "tiers",
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("event_id", sa.String(16), sa.ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("rank", sa.Integer(), nullable=False),
    sa.Column("price_amount", sa.Numeric(12, 2)),
    sa.Column("price_currency", sa.String(3)),
    sa.Column("capacity", sa.Integer()),
    sa.Column("benefits", sa.JSON(), nullable=False),
    sa.UniqueConstraint("event_id", "name"),
)
table(
    "sponsors",
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("slug", sa.String(80), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("url", sa.String(2000)),
    sa.Column("logo_url", sa.String(2000)),
    sa.Column("description", sa.String()),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT, nullable=False),
)
table(
    "sponsorships",
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("tier_id", sa.String(16), sa.ForeignKey("tiers.id"), nullable=False),
    sa.Column("sponsor_id", sa.String(16), sa.ForeignKey("sponsors.id"), nullable=False, index=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("note", sa.String()),
    sa.Column("enquirer_id", sa.String(16), sa.ForeignKey("members.id", ondelete="SET NULL")),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT, nullable=False),
    sa.Index("ix_sponsorships_tier_state", "tier_id", "state"),
)
