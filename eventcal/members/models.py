"""Tables for members, sessions, access tokens, secret feeds, authentication factors and idempotency records."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from eventcal.kit.models import Base, RandomIdMixin, enum_column
from eventcal.members.enums import Role


class Member(RandomIdMixin, Base):
    """A person who can sign in.

    `email_key` is the normalised, unique form of `email`.
    Changing `fs_uniquifier` invalidates the member's sessions and emailed tokens. A suspended member is not `active`.
    """

    __tablename__ = "members"

    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password: Mapped[str | None] = mapped_column(String(255), default=None)
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    role: Mapped[Role] = enum_column(Role, default=Role.MEMBER)
    created_at: Mapped[datetime]
    language: Mapped[str | None] = mapped_column(String(10), default=None)


class MemberSession(RandomIdMixin, Base):
    """A browser session. The session cookie contains a random secret, of which only the hash is stored.

    `member_key` is the value of `Member.fs_uniquifier` at the start of the session. `pending` is true if the password
    was correct but no second factor has been verified yet. `reauthenticated_at` is None if the member has only signed
    in, because a copied cookie of such a session must not suffice to change how the member signs in.
    """

    __tablename__ = "sessions"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    member_key: Mapped[str] = mapped_column(String(64))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    pending: Mapped[bool] = mapped_column(default=False)
    reauthenticated_at: Mapped[datetime | None] = mapped_column(default=None)
    data: Mapped[dict[str, Any]]
    user_agent: Mapped[str | None] = mapped_column(String(300), default=None)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AccessToken(RandomIdMixin, Base):
    """A personal access token, of which only the hash is stored.

    `granted_role` is the role of the member when the token was created, which limits the token after a promotion.
    `event_ids` contains the events to which the organiser permissions are restricted, or is None.
    `last_used_at` is accurate to an hour.
    """

    __tablename__ = "access_tokens"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    granted_role: Mapped[Role] = enum_column(Role)
    event_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True), default=None)
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)


class PersonalFeed(RandomIdMixin, Base):
    """A secret feed URL, intended for one device. Requests for the URL of a revoked feed return status 410."""

    __tablename__ = "personal_feeds"

    member_id: Mapped[str | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    last_fetched_at: Mapped[datetime | None] = mapped_column(default=None)


class TotpSecret(Base):
    """The encrypted TOTP secret of a member. Only codes for time steps after `last_counter` are accepted."""

    __tablename__ = "totp_secrets"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    sealed: Mapped[str] = mapped_column(String(500))
    last_counter: Mapped[int]
    created_at: Mapped[datetime]


class RecoveryCode(Base):
    """A recovery code for a lost authenticator app, stored as a hash and deleted after use."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("member_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    code_hash: Mapped[str] = mapped_column(String(64))


class Passkey(RandomIdMixin, Base):
    """A passkey (WebAuthn credential) of a member.

    `user_handle` identifies the member to authenticators and is the same for all passkeys of a member.
    `sign_count` is the last signature counter, which is always 0 for authenticators without a counter.
    """

    __tablename__ = "passkeys"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    user_handle: Mapped[bytes] = mapped_column(LargeBinary(64))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list[str]]
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)


class GuessCounter(Base):
    """The number of attempts to guess a secret since the last success. `subject` is a keyed hash of the account."""

    __tablename__ = "guess_counters"

    purpose: Mapped[str] = mapped_column(String(20), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    attempts: Mapped[int]
    last_attempt_at: Mapped[datetime] = mapped_column(index=True)


class IdempotencyRecord(Base):
    """The response to a POST request with an Idempotency-Key, stored for one day and returned again for retries."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("member_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    location: Mapped[str | None] = mapped_column(String(2000))
    etag: Mapped[str | None] = mapped_column(String(100))
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
