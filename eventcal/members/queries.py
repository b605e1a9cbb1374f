"""Reads of members and of what only they have."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.kit.ids import secret_hash
from eventcal.kit.paging import Key, Page, Paging, fetch_page
from eventcal.kit.refusals import NotFound, Sentence
from eventcal.kit.text import email_key
from eventcal.members.models import AccessToken, KeptAnswer, Member, PersonalFeed


def find_member_by_email(session: Session, email: str) -> Member | None:
    """Return the member with this address, however it is written."""
    return session.scalars(select(Member).where(Member.email_key == email_key(email))).one_or_none()


def get_member(session: Session, member_id: str) -> Member:
    """Return the member. Raises NotFound."""
    member = session.get(Member, member_id)
    if member is None:
        raise NotFound(Sentence("There is no member “%(member_id)s”.", member_id=member_id))
    return member


def get_member_by_email(session: Session, email: str) -> Member:
    """Return the member with this address. Raises NotFound."""
    member = find_member_by_email(session, email)
    if member is None:
        raise NotFound(Sentence("Nobody with this address has an account; ask them to register first."))
    return member


def find_active_member(session: Session, key: str) -> Member | None:
    """Return the active member whom an emailed token names by this key (`fs_uniquifier`)."""
    return session.scalars(select(Member).where(Member.fs_uniquifier == key, Member.active)).one_or_none()


def list_tokens(session: Session, member_id: str, *, paging: Paging) -> Page[AccessToken]:
    """Return a page of a member's access tokens, the newest first, those that are over among them."""
    order = [Key(AccessToken.created_at, datetime, falls=True), Key(AccessToken.id, str, falls=True)]
    return fetch_page(
        session, select(AccessToken).where(AccessToken.member_id == member_id), order=order, paging=paging
    )


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
