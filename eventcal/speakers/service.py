"""Services for finding, adding and editing speakers."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from eventcal.kit.errors import Forbidden, Message, require
from eventcal.kit.ids import DuplicateSlug, SlugImmutable, generate_unique_slug, is_slug_taken
from eventcal.kit.pagination import Page, PageRequest, SortKey, fetch_page
from eventcal.kit.text import email_key
from eventcal.members.caller import Caller
from eventcal.members.models import Member
from eventcal.speakers.errors import SpeakerNotFound
from eventcal.speakers.models import Speaker


def find_speaker(session: Session, slug: str, caller: Caller) -> Speaker | None:
    """Return the speaker with this slug, or None if the speaker is missing or hidden from the caller."""
    speaker = _find_speaker_where(session, Speaker.slug == slug)
    if speaker is None or not (speaker.published_at or caller.is_moderator or is_own_speaker(speaker, caller)):
        return None
    return speaker


def get_speaker(session: Session, slug: str, caller: Caller) -> Speaker:
    """Return the speaker with this slug. Raises SpeakerNotFound if the speaker is unknown or hidden from the caller."""
    return require(find_speaker(session, slug, caller), SpeakerNotFound(slug))


def is_own_speaker(speaker: Speaker, caller: Caller) -> bool:
    return caller.member_id is not None and speaker.member_id == caller.member_id


def find_speaker_by_email(session: Session, email: str) -> Speaker | None:
    return _find_speaker_where(session, Speaker.email == email_key(email))


def find_speaker_by_member(session: Session, member_id: str) -> Speaker | None:
    return _find_speaker_where(session, Speaker.member_id == member_id)


def speakers_by_slug(session: Session, slugs: Iterable[str]) -> dict[str, Speaker]:
    """Return the speakers with the given slugs. The slug of a merged speaker is mapped to the remaining speaker."""
    rows = session.scalars(select(Speaker).where(Speaker.slug.in_(list(slugs))))
    return {speaker.slug: _follow_merges(session, speaker) for speaker in rows.all()}


def _find_speaker_where(session: Session, condition: ColumnElement[bool]) -> Speaker | None:
    speaker = session.scalars(select(Speaker).where(condition)).one_or_none()
    return speaker and _follow_merges(session, speaker)


def _follow_merges(session: Session, speaker: Speaker) -> Speaker:
    while speaker.merged_into_id is not None:
        speaker = session.get_one(Speaker, speaker.merged_into_id)
    return speaker


def list_public_speakers(session: Session, *, paging: PageRequest) -> Page[Speaker]:
    rows = select(Speaker).where(Speaker.published_at.is_not(None), Speaker.merged_into_id.is_(None))
    return fetch_page(session, rows, order=[SortKey(Speaker.slug, str)], paging=paging)


def get_or_create_own_speaker(session: Session, member: Member, *, now: datetime) -> Speaker:
    """Return the speaker of a member: the linked speaker, the speaker with the member's email, or a new speaker."""
    speaker = find_speaker_by_member(session, member.id) or find_speaker_by_email(session, member.email)
    if speaker is None:
        return create_speaker(session, {"name": member.name, "email": member.email}, member_id=member.id, now=now)
    if speaker.member_id is None and member.confirmed_at is not None:
        prefer_member_data(session, member, now=now)
        speaker.member_id = member.id
        session.flush()
    return speaker


def prefer_member_data(session: Session, member: Member, *, now: datetime) -> None:
    """Replace what other people entered about the speaker with a member's confirmed email address.

    The job title and affiliation of a speaker who is public were reviewed by organisers, and are kept.
    """
    speaker = find_speaker_by_email(session, member.email)
    if speaker is None or speaker.member_id is not None:
        return
    speaker.name = member.name
    if speaker.published_at is None:
        speaker.job_title = speaker.affiliation = None
    speaker.updated_at = now
    session.flush()


def get_or_create_speaker(session: Session, fields: Mapping[str, Any], *, now: datetime) -> Speaker:
    known = find_speaker_by_email(session, fields["email"]) if fields.get("email") else None
    return known or create_speaker(session, fields, member_id=None, now=now)


def create_speaker(session: Session, fields: Mapping[str, Any], *, member_id: str | None, now: datetime) -> Speaker:
    speaker = build_speaker(session, fields, member_id=member_id, now=now)
    session.add(speaker)
    session.flush()
    return speaker


def build_speaker(session: Session, fields: Mapping[str, Any], *, member_id: str | None, now: datetime) -> Speaker:
    """Return a new speaker without adding it to the session."""
    email = fields.get("email")
    return Speaker(
        slug=fields.get("slug") or generate_unique_slug(session, Speaker.slug, fields["name"], fallback="speaker"),
        email=email_key(email) if email else None,
        member_id=member_id,
        links=list(fields.get("links") or []),
        created_at=now,
        updated_at=now,
        **{name: fields[name] for name in ("name", "job_title", "affiliation", "bio", "photo_url") if name in fields},
    )


def update_speaker(
    session: Session, speaker: Speaker, fields: Mapping[str, Any], *, caller: Caller, now: datetime
) -> Speaker:
    """Update the given fields of a speaker. Raises Forbidden, SlugImmutable or DuplicateSlug."""
    check_can_edit_speaker(speaker, caller)
    if fields.get("slug", speaker.slug) != speaker.slug:
        if speaker.published_at is not None:
            detail = Message("The slug of a public speaker cannot be changed, because other sites link to it.")
            raise SlugImmutable(detail)
        if is_slug_taken(session, Speaker.slug, fields["slug"]):
            raise DuplicateSlug(fields["slug"])
    for name, value in fields.items():
        setattr(speaker, name, [] if name == "links" and value is None else value)
    if session.is_modified(speaker):
        speaker.updated_at = now
    session.flush()
    return speaker


def get_speaker_to_edit(session: Session, slug: str, caller: Caller) -> Speaker:
    """Return a speaker whose profile the caller is allowed to change. Raises SpeakerNotFound or Forbidden."""
    speaker = get_speaker(session, slug, caller)
    check_can_edit_speaker(speaker, caller)
    return speaker


def check_can_edit_speaker(speaker: Speaker, caller: Caller) -> None:
    """Raise Forbidden unless the caller is this speaker or a moderator."""
    if not (caller.is_moderator or is_own_speaker(speaker, caller)):
        raise Forbidden(Message("Only the speaker or a moderator may change this profile."))
