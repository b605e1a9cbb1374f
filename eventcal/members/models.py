"""The tables of members and of what belongs to one: sessions, tokens, secret feeds, factors, answers for a retry."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from eventcal.kit.models import Base, Identified, word_column
from eventcal.members.words import Role


class Member(Identified, Base):
    """Somebody who can sign in. `email` is as written; `email_key` is what makes it unique.

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
    role: Mapped[Role] = word_column(Role, default=Role.MEMBER)
    created_at: Mapped[datetime]
    signed_cookies: Mapped[bool | None] = mapped_column(default=None)


class MemberSession(Identified, Base):
    """A session of a browser. Its cookie holds a random secret, of which only the hash is stored.

    member_key: the member's `fs_uniquifier` when it began; a new one ends the session, whoever sets it.
    pending: the password was right and the code is missing; nobody is signed in by such a session.
    proved_at: when the member last showed who they are. notes: values that views keep for a while, by name.
    signed_csrf_secret: what the signed cookie was given CSRF tokens from that this session replaced. Such a session
    stays in the table for a while after its end, so that the same cookie cannot start it again.
    """

    __tablename__ = "sessions"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    member_key: Mapped[str] = mapped_column(String(64))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    signed_csrf_secret: Mapped[str | None] = mapped_column(String(64), default=None)
    pending: Mapped[bool] = mapped_column(default=False)
    proved_at: Mapped[datetime]
    notes: Mapped[dict[str, Any]]
    user_agent: Mapped[str | None] = mapped_column(String(300), default=None)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AccessToken(Identified, Base):
    """A personal access token: shown once, kept hashed."""

    __tablename__ = "access_tokens"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    expires_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]


class PersonalFeed(Identified, Base):
    """A secret feed address, one for each device. A revoked one is remembered, so that it can say so."""

    __tablename__ = "personal_feeds"

    # NULL once the member is gone: the address still answers that it is.
    member_id: Mapped[str | None] = mapped_column(ForeignKey("members.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    last_fetched_at: Mapped[datetime | None] = mapped_column(default=None)


class TotpSecret(Base):
    """What a member's authenticator app makes its codes from, sealed. A code is taken only after `last_counter`."""

    __tablename__ = "totp_secrets"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    sealed: Mapped[str] = mapped_column(String(500))
    last_counter: Mapped[int]
    created_at: Mapped[datetime]


class RecoveryCode(Base):
    """A code for whoever has lost their app: shown once, kept hashed, gone once it was used."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("member_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    code_hash: Mapped[str] = mapped_column(String(64))


class Passkey(Identified, Base):
    """A key of a member's device (WebAuthn), by which they sign in.

    user_handle: who the member is to their devices; the same for all keys of one. sign_count: how often the key says
    that it was used; one that does not count says 0 for ever.
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


class KeptAnswer(Base):
    """The answer to a POST with an Idempotency-Key, kept for a day so that a retry gets it again."""

    __tablename__ = "kept_answers"
    __table_args__ = (UniqueConstraint("member_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    location: Mapped[str | None] = mapped_column(String(2000))
    etag: Mapped[str | None] = mapped_column(String(100))
    body: Mapped[str]
    kept_at: Mapped[datetime] = mapped_column(index=True)
