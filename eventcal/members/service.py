"""Members and what only they have: accounts, tokens, secret feeds and kept answers, read, added and removed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from eventcal.kit.ids import new_secret, secret_hash
from eventcal.kit.paging import Key, Page, Paging, fetch_page
from eventcal.kit.refusals import Fault, NotFound, Sentence, refuse_faults, required
from eventcal.kit.text import email_key
from eventcal.members.caller import Caller
from eventcal.members.errors import AddressTaken, NotConfirmed
from eventcal.members.models import AccessToken, KeptAnswer, Member, PersonalFeed
from eventcal.members.words import Role, Scope

TOKEN_PREFIX = "evc_"  # noqa: S105 - what scanners know our tokens by, and no secret


def find_member_by_email(session: Session, email: str) -> Member | None:
    """Return the member with this address, however it is written."""
    return session.scalars(select(Member).where(Member.email_key == email_key(email))).one_or_none()


def get_member(session: Session, member_id: str) -> Member:
    """Return the member. Raises NotFound."""
    unknown = NotFound(Sentence("There is no member “%(member_id)s”.", member_id=member_id))
    return required(session.get(Member, member_id), unknown)


def get_member_by_email(session: Session, email: str) -> Member:
    """Return the member with this address. Raises NotFound."""
    unknown = NotFound(Sentence("Nobody with this address has an account; ask them to register first."))
    return required(find_member_by_email(session, email), unknown)


def find_active_member(session: Session, key: str) -> Member | None:
    """Return the active member whom an emailed token names by this key (`fs_uniquifier`)."""
    return session.scalars(select(Member).where(Member.fs_uniquifier == key, Member.active)).one_or_none()


def list_tokens(session: Session, member_id: str, *, paging: Paging) -> Page[AccessToken]:
    """Return a page of a member's access tokens, the newest first, those that are over among them."""
    order = [Key(AccessToken.created_at, datetime, falls=True), Key(AccessToken.id, str, falls=True)]
    rows = select(AccessToken).where(AccessToken.member_id == member_id)
    return fetch_page(session, rows, order=order, paging=paging)


def get_token(session: Session, token_id: str, member_id: str) -> AccessToken:
    """Return one of the member's access tokens. Raises NotFound."""
    token = session.get(AccessToken, token_id)
    if token is None or token.member_id != member_id:
        raise NotFound(Sentence("You have no token “%(token_id)s”.", token_id=token_id))
    return token


def list_feeds(session: Session, member_id: str, *, paging: Paging) -> Page[PersonalFeed]:
    """Return a page of a member's secret feeds that still work, the newest first."""
    rows = select(PersonalFeed).where(PersonalFeed.member_id == member_id, PersonalFeed.revoked_at.is_(None))
    order = [Key(PersonalFeed.created_at, datetime, falls=True), Key(PersonalFeed.id, str, falls=True)]
    return fetch_page(session, rows, order=order, paging=paging)


def get_feed(session: Session, feed_id: str, member_id: str) -> PersonalFeed:
    """Return one of the member's secret feeds that still work. Raises NotFound."""
    feed = session.get(PersonalFeed, feed_id)
    if feed is None or feed.member_id != member_id or feed.revoked_at is not None:
        raise NotFound(Sentence("You have no feed “%(feed_id)s”.", feed_id=feed_id))
    return feed


def find_feed_by_secret(session: Session, secret: str) -> PersonalFeed | None:
    """Return the feed at a secret address, a revoked one too; None where there never was one."""
    return session.scalars(select(PersonalFeed).where(PersonalFeed.secret_hash == secret_hash(secret))).one_or_none()


def find_kept_answer(session: Session, member_id: str, key: str) -> KeptAnswer | None:
    """Return the answer that the member's Idempotency-Key was given."""
    rows = select(KeptAnswer).where(KeptAnswer.member_id == member_id, KeptAnswer.key == key)
    return session.scalars(rows).one_or_none()


def normal_address(address: str) -> str:
    """Return the address as it is stored: in NFC, its domain in lower case. Raises ValueError with a Sentence."""
    try:
        return validate_email(address, check_deliverability=False, strict=True).normalized
    except EmailNotValidError as error:
        raise ValueError(Sentence("must be an e-mail address such as ada@example.org")) from error


def add_member(
    session: Session,
    *,
    email: str,
    name: str,
    password_hash: str | None,
    now: datetime,
    confirmed_at: datetime | None = None,
    role: Role = Role.MEMBER,
) -> Member:
    """Add a member, flushed. `email` is a normal address. Raises AddressTaken.

    confirmed_at: when they showed that the address is theirs. Only then they are the speaker who has it.
    """
    # Writers follow one another: nobody takes the address between this look and the commit.
    if find_member_by_email(session, email) is not None:
        raise AddressTaken(Sentence("There is an account with this address; sign in, or ask for a new password."))
    member = Member(
        email=email,
        email_key=email_key(email),
        name=name,
        password=password_hash,
        fs_uniquifier=new_secret(""),
        confirmed_at=confirmed_at,
        role=role,
        created_at=now,
    )
    session.add(member)
    session.flush()
    return member


def edit_member(session: Session, member: Member, fields: Mapping[str, Any]) -> Member:
    """Change what is given of a member's own profile: `name`."""
    member.name = fields.get("name", member.name)
    session.flush()
    return member


def check_confirmed(caller: Caller) -> None:
    """Refuse whoever has not shown yet that their address is theirs (NotConfirmed)."""
    if not caller.confirmed:
        detail = Sentence("Follow the link that was mailed to you, or ask for another at POST /api/v1/auth/confirm.")
        raise NotConfirmed(detail)


def give_token(
    session: Session, member: Member, *, name: str, scopes: list[Scope], expires_at: datetime | None, now: datetime
) -> tuple[AccessToken, str]:
    """Give a member a new access token. Returns its row, and the token, which is not stored. Raises Invalid if over."""
    if expires_at is not None and expires_at <= now:
        refuse_faults([Fault("/expires_at", Sentence("is past; choose a later time, or leave it out"))])
    secret = new_secret(TOKEN_PREFIX)
    token = AccessToken(
        member_id=member.id,
        name=name,
        token_hash=secret_hash(secret),
        scopes=[scope.value for scope in Scope if scope in scopes],
        expires_at=expires_at,
        created_at=now,
    )
    session.add(token)
    session.flush()
    return token, secret


def revoke_token(session: Session, token_id: str, member_id: str) -> None:
    """Delete an access token of the member's. Raises NotFound."""
    session.delete(get_token(session, token_id, member_id))


def revoke_every_token(session: Session, member: Member) -> None:
    """Make every access token of a member's void."""
    session.execute(delete(AccessToken).where(AccessToken.member_id == member.id))


def give_feed(session: Session, member: Member, *, name: str, now: datetime) -> tuple[PersonalFeed, str]:
    """Give a member a new secret feed. Returns what is kept of it, and the secret, which is not."""
    secret = new_secret("")
    feed = PersonalFeed(member_id=member.id, name=name, secret_hash=secret_hash(secret), created_at=now)
    session.add(feed)
    session.flush()
    return feed, secret


def revoke_feed(session: Session, feed_id: str, member_id: str, *, now: datetime) -> None:
    """Close a secret feed of the member's; its row stays, so that the address can say so. Raises NotFound."""
    get_feed(session, feed_id, member_id).revoked_at = now


def revoke_every_feed(session: Session, member: Member, *, now: datetime) -> None:
    """Close every secret feed of a member's for good."""
    feeds = update(PersonalFeed).where(PersonalFeed.member_id == member.id, PersonalFeed.revoked_at.is_(None))
    session.execute(feeds.values(revoked_at=now))


def remove_member(session: Session, member: Member, *, now: datetime) -> None:
    """Remove a member, with their tokens, stars and kept answers; their secret feeds are closed."""
    revoke_every_feed(session, member, now=now)
    session.delete(member)
    session.flush()


def forget_answers(session: Session, said: str) -> None:
    """Forget the answers kept for a retry that say this: a blanked text must not come back from there."""
    session.execute(delete(KeptAnswer).where(KeptAnswer.body.contains(said, autoescape=True)))
