"""Tables of members and of their sessions, tokens, secret feeds, factors and stored responses for retries."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from eventcal.kit.models import Base, RandomIdMixin, enum_column
from eventcal.members.enums import Role


class Member(RandomIdMixin, Base):
    """A person who can sign in. `email` is stored as entered; `email_key` is its normalised, unique form.

    fs_uniquifier: identifies the member in emailed tokens, sessions and signed session cookies; a new value ends them.
    signed_cookies: whether the signed session cookies issued before sessions were stored are still accepted.
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
    signed_cookies: Mapped[bool | None] = mapped_column(default=None)


class MemberSession(RandomIdMixin, Base):
    """A browser session. Its cookie holds a random secret, of which only the hash is stored.

    member_key: the member's `fs_uniquifier` when the session began. Changing `fs_uniquifier` ends the session.
    pending: the password was correct, but the code is missing; the member is not signed in yet.
    reauthenticated_at: when the member last authenticated. data: values that views store temporarily, by name.
    signed_csrf_secret: the CSRF secret of the signed cookie that this session replaced. Such a session stays in the
    table for some time after its end, so that the same cookie cannot start it again.
    """

    __tablename__ = "sessions"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    member_key: Mapped[str] = mapped_column(String(64))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    signed_csrf_secret: Mapped[str | None] = mapped_column(String(64), default=None)
    pending: Mapped[bool] = mapped_column(default=False)
    reauthenticated_at: Mapped[datetime]
    data: Mapped[dict[str, Any]]
    user_agent: Mapped[str | None] = mapped_column(String(300), default=None)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AccessToken(RandomIdMixin, Base):
    """A personal access token. It is shown once; only its hash is stored."""

    __tablename__ = "access_tokens"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    expires_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]


class PersonalFeed(RandomIdMixin, Base):
    """A secret feed URL, intended for one device. Revoked feeds are kept, so that their URLs can report it."""

    __tablename__ = "personal_feeds"

    # NULL after the member was deleted. The URL still reports that the feed was revoked.
    member_id: Mapped[str | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    last_fetched_at: Mapped[datetime | None] = mapped_column(default=None)


class TotpSecret(Base):
    """The encrypted TOTP secret of a member. Only codes of time steps after `last_counter` are accepted."""

    __tablename__ = "totp_secrets"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    sealed: Mapped[str] = mapped_column(String(500))
    last_counter: Mapped[int]
    created_at: Mapped[datetime]


class RecoveryCode(Base):
    """A recovery code for a lost authenticator app. It is shown once, stored as a hash, and deleted after use."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("member_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    code_hash: Mapped[str] = mapped_column(String(64))


class Passkey(RandomIdMixin, Base):
    """A passkey (WebAuthn credential) of a member.

    user_handle: the id of the member for their devices, the same for all of their passkeys. sign_count: the last
    signature counter sent by the device; always 0 for devices that do not count.
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


class IdempotencyRecord(Base):
    """The response to a POST with an Idempotency-Key, stored for a day and sent again to retries."""

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
