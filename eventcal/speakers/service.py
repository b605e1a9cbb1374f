"""Use cases of speakers: find or add one, edit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from eventcal.kit.ids import SlugFixed, SlugTaken, free_slug, slug_is_taken
from eventcal.kit.refusals import Forbidden, Sentence
from eventcal.kit.text import email_key
from eventcal.members.caller import Caller
from eventcal.members.models import Member
from eventcal.speakers.models import Speaker
from eventcal.speakers.queries import find_by_email, find_by_member, is_own


def speaker_of(session: Session, member: Member, *, now: datetime) -> Speaker:
    """Return the speaker that a member is: their own, the untied one with their proven address, or a new one."""
    speaker = find_by_member(session, member.id)
    if speaker is not None:
        return speaker
    speaker = find_by_email(session, member.email)
    if speaker is None:
        return add_speaker(session, {"name": member.name, "email": member.email}, member_id=member.id, now=now)
    if speaker.member_id is None and member.confirmed_at is not None:
        speaker.member_id = member.id
        session.flush()
    return speaker


def named_speaker(session: Session, fields: Mapping[str, Any], *, now: datetime) -> Speaker:
    """Return the speaker with the e-mail given, as they are, or a new one from `fields` (name and the rest)."""
    known = find_by_email(session, fields["email"]) if fields.get("email") else None
    return known or add_speaker(session, fields, member_id=None, now=now)


def add_speaker(session: Session, fields: Mapping[str, Any], *, member_id: str | None, now: datetime) -> Speaker:
    """Add a speaker under a slug that nobody has."""
    email = fields.get("email")
    plain = {name: fields[name] for name in ("name", "job_title", "affiliation", "bio") if name in fields}
    speaker = Speaker(
        slug=fields.get("slug") or free_slug(session, Speaker.slug, fields["name"], otherwise="speaker"),
        email=email_key(email) if email else None,
        member_id=member_id,
        links=list(fields.get("links") or []),
        created_at=now,
        updated_at=now,
        **plain,
    )
    session.add(speaker)
    session.flush()
    return speaker


def edit_speaker(
    session: Session, speaker: Speaker, fields: Mapping[str, Any], *, caller: Caller, now: datetime
) -> Speaker:
    """Change what is given of a speaker, by themselves or a moderator. Raises Forbidden, SlugFixed, SlugTaken."""
    check_may_edit(speaker, caller)
    if fields.get("slug", speaker.slug) != speaker.slug:
        if speaker.published_at is not None:
            raise SlugFixed(Sentence("The address of a public speaker does not change: people link to it."))
        if slug_is_taken(session, Speaker.slug, fields["slug"]):
            raise SlugTaken(fields["slug"])
    for name, value in fields.items():
        setattr(speaker, name, [] if name == "links" and value is None else value)
    if session.is_modified(speaker):
        speaker.updated_at = now
    session.flush()
    return speaker


def check_may_edit(speaker: Speaker, caller: Caller) -> None:
    """Refuse whoever is neither this speaker nor a moderator. Raises Forbidden."""
    if not (caller.moderates or is_own(speaker, caller)):
        raise Forbidden(Sentence("Only the speaker or a moderator may change this."))
