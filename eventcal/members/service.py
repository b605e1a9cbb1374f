"""Services for member accounts, access tokens, secret feeds and idempotency records."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from eventcal.config import Settings
from eventcal.kit.errors import Message, NotFound, require
from eventcal.kit.ids import hash_secret, new_secret
from eventcal.kit.models import set_given_fields
from eventcal.kit.pagination import Page, PageRequest, SortKey, fetch_page
from eventcal.kit.text import email_key
from eventcal.members.caller import Caller
from eventcal.members.enums import Role, Scope
from eventcal.members.errors import DuplicateEmail, EmailNotConfirmed
from eventcal.members.models import AccessToken, IdempotencyRecord, Member, PersonalFeed
from eventcal.members.quotas import Quota
from eventcal.members.security_log import SecurityEvent, log_security_event_on_commit

TOKEN_QUOTA = Quota(
    20,
    lambda limit: Message("You have %(limit)s tokens already. Revoke one of them first.", limit=limit),
    exempts_moderators=False,
)
FEED_QUOTA = Quota(
    20, lambda limit: Message("You have %(limit)s calendar addresses already. Revoke one of them first.", limit=limit)
)

IDEMPOTENCY_RETENTION = timedelta(hours=24)

TOKEN_PREFIX = "evc_"  # noqa: S105 - a prefix that identifies tokens to secret scanners


def find_member_by_email(session: Session, email: str) -> Member | None:
    """Return the member with this email address, compared case-insensitively, or None."""
    return session.scalars(select(Member).where(Member.email_key == email_key(email))).one_or_none()


def get_member(session: Session, member_id: str) -> Member:
    """Return the member with this ID. Raises NotFound."""
    unknown = NotFound(Message("Member “%(member_id)s” not found.", member_id=member_id))
    return require(session.get(Member, member_id), unknown)


def get_member_by_email(session: Session, email: str) -> Member:
    """Return the member with this email address. Raises NotFound."""
    unknown = NotFound(Message("No account has this email address. Ask the person to register first."))
    return require(find_member_by_email(session, email), unknown)


def list_members(session: Session, *, text: str | None, paging: PageRequest) -> Page[Member]:
    """Return a page of the members whose name or email address contains `text`, newest first."""
    order = [SortKey(Member.created_at, datetime, descending=True), SortKey(Member.id, str, descending=True)]
    rows = select(Member)
    if text is not None:
        by_email = Member.email_key.contains(email_key(text), autoescape=True)
        rows = rows.where(by_email | func.lower(Member.name).contains(text.lower(), autoescape=True))
    return fetch_page(session, rows, order=order, paging=paging)


def find_active_member_by_uniquifier(session: Session, fs_uniquifier: str) -> Member | None:
    return session.scalars(select(Member).where(Member.fs_uniquifier == fs_uniquifier, Member.active)).one_or_none()


def find_member_of_token(session: Session, token_id: str, *, now: datetime) -> Member | None:
    """Return the active member to whom an access token belongs, or None if the token is revoked or expired."""
    rows = select(Member).join(AccessToken, AccessToken.member_id == Member.id)
    rows = rows.where(AccessToken.id == token_id, AccessToken.expires_at > now, Member.active)
    return session.scalars(rows).one_or_none()


def list_access_tokens(session: Session, member_id: str, *, paging: PageRequest) -> Page[AccessToken]:
    order = [SortKey(AccessToken.created_at, datetime, descending=True), SortKey(AccessToken.id, str, descending=True)]
    rows = select(AccessToken).where(AccessToken.member_id == member_id)
    return fetch_page(session, rows, order=order, paging=paging)


def count_access_tokens(session: Session, member_id: str) -> int:
    return session.scalars(select(func.count()).where(AccessToken.member_id == member_id)).one()


def get_access_token(session: Session, token_id: str, member_id: str) -> AccessToken:
    """Return the member's access token with this ID. Raises NotFound."""
    token = session.get(AccessToken, token_id)
    if token is None or token.member_id != member_id:
        raise NotFound(Message("You have no token “%(token_id)s”.", token_id=token_id))
    return token


def list_personal_feeds(session: Session, member_id: str, *, paging: PageRequest) -> Page[PersonalFeed]:
    rows = select(PersonalFeed).where(PersonalFeed.member_id == member_id, PersonalFeed.revoked_at.is_(None))
    keys = [SortKey(PersonalFeed.created_at, datetime, descending=True), SortKey(PersonalFeed.id, str, descending=True)]
    return fetch_page(session, rows, order=keys, paging=paging)


def get_personal_feed(session: Session, feed_id: str, member_id: str) -> PersonalFeed:
    """Return the member's secret feed with this ID. Raises NotFound for unknown and revoked feeds."""
    feed = session.get(PersonalFeed, feed_id)
    if feed is None or feed.member_id != member_id or feed.revoked_at is not None:
        raise NotFound(Message("You have no feed “%(feed_id)s”.", feed_id=feed_id))
    return feed


def find_personal_feed_by_secret(session: Session, secret: str) -> PersonalFeed | None:
    """Return the feed with this secret, even if the feed is revoked, or None if no feed has this secret."""
    return session.scalars(select(PersonalFeed).where(PersonalFeed.secret_hash == hash_secret(secret))).one_or_none()


def find_idempotency_record(session: Session, member_id: str, key: str) -> IdempotencyRecord | None:
    rows = select(IdempotencyRecord).where(IdempotencyRecord.member_id == member_id, IdempotencyRecord.key == key)
    return session.scalars(rows).one_or_none()


def normalise_email(address: str) -> str:
    """Return the email address in Unicode NFC with a lower-case domain. Raises ValueError if the address is invalid."""
    try:
        return validate_email(address, check_deliverability=False, strict=True).normalized
    except EmailNotValidError as error:
        raise ValueError(Message("must be an email address such as ada@example.org")) from error


def create_member(
    session: Session,
    *,
    email: str,
    name: str,
    password_hash: str | None,
    now: datetime,
    confirmed_at: datetime | None = None,
    role: Role = Role.MEMBER,
    language: str | None = None,
) -> Member:
    """Add a member. `email` must be normalised. Raises DuplicateEmail."""
    # Write transactions are serialised, so no other member with this email can be added concurrently.
    if find_member_by_email(session, email) is not None:
        detail = Message("An account with this email address already exists. Sign in or reset the password.")
        raise DuplicateEmail(detail)
    member = Member(
        email=email,
        email_key=email_key(email),
        name=name,
        password=password_hash,
        fs_uniquifier=new_secret(""),
        confirmed_at=confirmed_at,
        role=role,
        language=language,
        created_at=now,
    )
    session.add(member)
    session.flush()
    log_security_event_on_commit(session, SecurityEvent.REGISTERED, member_id=member.id, role=role)
    return member


def update_member(session: Session, member: Member, fields: Mapping[str, Any]) -> Member:
    set_given_fields(member, fields, ("name", "language"))
    session.flush()
    return member


def is_email_confirmed(member: Member, settings: Settings) -> bool:
    """Return whether the member's email address is confirmed, which is always the case if email is disabled."""
    return settings.mail_url is None or member.confirmed_at is not None


def change_role(session: Session, member: Member, role: Role) -> None:
    """Change the site-wide role of a member. A later promotion does not extend tokens that a lower role has limited."""
    member.role = role
    higher = list(Role)[list(Role).index(role) + 1 :]
    tokens = update(AccessToken).where(AccessToken.member_id == member.id, AccessToken.granted_role.in_(higher))
    session.execute(tokens.values(granted_role=role))
    log_security_event_on_commit(session, SecurityEvent.ROLE_CHANGED, member_id=member.id, role=role)
    session.flush()


def change_email(session: Session, member: Member, email: str) -> None:
    """Change the address of a member. `email` must be normalised. Raises DuplicateEmail."""
    owner = find_member_by_email(session, email)
    if owner is not None and owner.id != member.id:
        raise DuplicateEmail(Message("Another account has this email address. Choose another address."))
    member.email, member.email_key = email, email_key(email)
    log_security_event_on_commit(session, SecurityEvent.EMAIL_CHANGED, member_id=member.id)
    session.flush()


def check_email_confirmed(caller: Caller) -> None:
    """Raise EmailNotConfirmed unless the caller's email address is confirmed."""
    if not caller.email_confirmed:
        raise EmailNotConfirmed(
            Message("Follow the link in the confirmation email, or request another one with POST /api/v1/auth/confirm.")
        )


def create_access_token(
    session: Session,
    member: Member,
    *,
    name: str,
    scopes: Sequence[Scope],
    expires_at: datetime,
    event_ids: list[str] | None = None,
    now: datetime,
) -> tuple[AccessToken, str]:
    """Create an access token and return its row and the plain token.

    If `event_ids` is given, the permissions of an organiser or reviewer are restricted to these events.
    """
    TOKEN_QUOTA.check(session, select(AccessToken.id).where(AccessToken.member_id == member.id), role=member.role)
    secret = new_secret(TOKEN_PREFIX)
    token = AccessToken(
        member_id=member.id,
        name=name,
        token_hash=hash_secret(secret),
        scopes=[scope.value for scope in Scope if scope in scopes],
        granted_role=member.role,
        event_ids=event_ids,
        expires_at=expires_at,
        created_at=now,
    )
    session.add(token)
    session.flush()
    log_security_event_on_commit(
        session, SecurityEvent.TOKEN_CREATED, member_id=member.id, token=token.id, scopes=token.scopes
    )
    return token, secret


def delete_access_token(session: Session, token_id: str, member_id: str) -> None:
    """Delete an access token of the member. Raises NotFound."""
    session.delete(get_access_token(session, token_id, member_id))
    log_security_event_on_commit(session, SecurityEvent.TOKEN_REVOKED, member_id=member_id, token=token_id)


def record_token_use(session: Session, token_id: str, *, hour: datetime) -> None:
    session.execute(update(AccessToken).where(AccessToken.id == token_id).values(last_used_at=hour))


def delete_all_access_tokens(session: Session, member: Member) -> None:
    ids = session.scalars(delete(AccessToken).where(AccessToken.member_id == member.id).returning(AccessToken.id)).all()
    for token_id in ids:
        log_security_event_on_commit(session, SecurityEvent.TOKEN_REVOKED, member_id=member.id, token=token_id)


def create_personal_feed(session: Session, member: Member, *, name: str, now: datetime) -> tuple[PersonalFeed, str]:
    """Create a secret feed for a member and return its row and the plain secret. Raises QuotaExceeded."""
    existing = select(PersonalFeed.id).where(PersonalFeed.member_id == member.id, PersonalFeed.revoked_at.is_(None))
    FEED_QUOTA.check(session, existing, role=member.role)
    secret = new_secret("")
    feed = PersonalFeed(member_id=member.id, name=name, secret_hash=hash_secret(secret), created_at=now)
    session.add(feed)
    session.flush()
    log_security_event_on_commit(session, SecurityEvent.FEED_CREATED, member_id=member.id, feed=feed.id)
    return feed, secret


def revoke_personal_feed(session: Session, feed_id: str, member_id: str, *, now: datetime) -> None:
    """Revoke a secret feed of the member. Raises NotFound."""
    get_personal_feed(session, feed_id, member_id).revoked_at = now
    log_security_event_on_commit(session, SecurityEvent.FEED_REVOKED, member_id=member_id, feed=feed_id)


def revoke_all_personal_feeds(session: Session, member: Member, *, now: datetime) -> None:
    feeds = update(PersonalFeed).where(PersonalFeed.member_id == member.id, PersonalFeed.revoked_at.is_(None))
    for feed_id in session.scalars(feeds.values(revoked_at=now).returning(PersonalFeed.id)).all():
        log_security_event_on_commit(session, SecurityEvent.FEED_REVOKED, member_id=member.id, feed=feed_id)


def delete_idempotency_records(session: Session, text: str) -> None:
    """Delete the stored responses that contain `text`, so that retries do not return redacted text."""
    session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.body.contains(text, autoescape=True)))
