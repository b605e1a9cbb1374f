"""Reads of speakers: each asks only for what the caller may see."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from eventcal.kit.paging import Key, Page, Paging, fetch_page
from eventcal.kit.text import email_key
from eventcal.members.caller import Caller
from eventcal.speakers.errors import NoSuchSpeaker
from eventcal.speakers.models import Speaker


def find_speaker(session: Session, slug: str, caller: Caller) -> Speaker | None:
    """Return the speaker, or whoever they were merged into; None where the caller may know of none."""
    speaker = _find(session, Speaker.slug == slug)
    return speaker if speaker is not None and may_see_speaker(speaker, caller) else None


def get_speaker(session: Session, slug: str, caller: Caller) -> Speaker:
    """Return the speaker. Raises NoSuchSpeaker, also for what the caller may not know of."""
    speaker = find_speaker(session, slug, caller)
    if speaker is None:
        raise NoSuchSpeaker(slug)
    return speaker


def may_see_speaker(speaker: Speaker, caller: Caller) -> bool:
    """Say whether the caller may know of this speaker."""
    return speaker.published_at is not None or caller.moderates or is_own(speaker, caller)


def is_own(speaker: Speaker, caller: Caller) -> bool:
    """Say whether the caller is this speaker."""
    return caller.member_id is not None and speaker.member_id == caller.member_id


def find_by_email(session: Session, email: str) -> Speaker | None:
    """Return the speaker with this address; the same address is the same speaker."""
    return _find(session, Speaker.email == email_key(email))


def find_by_member(session: Session, member_id: str) -> Speaker | None:
    """Return the speaker that a member is."""
    return _find(session, Speaker.member_id == member_id)


def list_photos(session: Session) -> set[str]:
    """Return the pictures that speakers name, each as its row has it."""
    return {url for url in session.scalars(select(Speaker.photo_url).distinct()) if url is not None}


def names_of(session: Session, speaker_ids: Iterable[str]) -> dict[str, str]:
    """Return what speakers are called, by their ids. The caller must know of them already."""
    rows = select(Speaker.id, Speaker.name).where(Speaker.id.in_(list(speaker_ids)))
    return dict(session.execute(rows).all())


def _find(session: Session, unique: ColumnElement[bool]) -> Speaker | None:
    """Return the one speaker of whom this is true, or whoever they were merged into."""
    speaker = session.scalars(select(Speaker).where(unique)).one_or_none()
    while speaker is not None and speaker.merged_into_id is not None:
        speaker = session.get_one(Speaker, speaker.merged_into_id)
    return speaker


def list_speakers(session: Session, *, paging: Paging) -> Page[Speaker]:
    """Return a page of the speakers that anybody may know of, by slug."""
    rows = select(Speaker).where(Speaker.published_at.is_not(None), Speaker.merged_into_id.is_(None))
    return fetch_page(session, rows, order=[Key(Speaker.slug, str)], paging=paging)
