"""The use case of two speakers who turn out to be one person."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.kit.refusals import Sentence
from eventcal.members.caller import Caller
from eventcal.members.rules import check_moderator
from eventcal.speakers.errors import SameSpeaker
from eventcal.speakers.models import Speaker
from eventcal.talks.derive import derive_talk
from eventcal.talks.models import Talk, TalkSpeaker
from eventcal.talks.queries import whole_talk
from eventcal.talks.service import put_on_stage

_ABOUT = ("job_title", "affiliation", "bio", "links", "photo_url")
# Two speakers can never have the same one.
_UNIQUE = ("email", "member_id")


def merge_speakers(session: Session, kept: Speaker, other: Speaker, *, caller: Caller, now: datetime) -> Speaker:
    """Make two speakers one: `kept` gives the talks of both, and `other` leads there from then on.

    What is blank in `kept` is filled from `other`. Both are as find_speaker gives them, merged into nobody yet.
    Raises Forbidden for anybody but a moderator, SameSpeaker.
    """
    check_moderator(caller)
    if kept.id == other.id:
        raise SameSpeaker(Sentence("“%(slug)s” is one speaker already; name another one to merge.", slug=kept.slug))
    if kept.merged_into_id is not None or other.merged_into_id is not None:
        # Two who lead to each other would lead nowhere.
        raise SameSpeaker(Sentence("One of them was merged into somebody already; name whom they lead to."))
    _hand_over_talks(session, kept, other, now=now)
    _fill_blanks(session, kept, other)
    kept.published_at = min((when for when in (kept.published_at, other.published_at) if when), default=None)
    # Whoever was merged into the other one: each of them leads straight to the one who stays.
    for earlier in session.scalars(select(Speaker).where(Speaker.merged_into_id == other.id)):
        earlier.merged_into_id = kept.id
    other.merged_into_id = kept.id
    kept.updated_at = other.updated_at = now
    session.flush()
    return kept


def _hand_over_talks(session: Session, kept: Speaker, other: Speaker, *, now: datetime) -> None:
    rows = select(Talk).join(Talk.speaking).where(TalkSpeaker.speaker_id == other.id).options(*whole_talk())
    for talk in session.scalars(rows).all():
        # Where both were on stage, one of them stands in the place of the first.
        put_on_stage(talk, list(dict.fromkeys(kept if one.id == other.id else one for one in talk.speakers)))
        derive_talk(talk, now=now)


def _fill_blanks(session: Session, kept: Speaker, other: Speaker) -> None:
    for name in _ABOUT:
        setattr(kept, name, getattr(kept, name) or getattr(other, name))
    # Nobody sees it there any more: it must not be kept for that row's sake.
    other.photo_url = None
    handed = {name: getattr(other, name) for name in _UNIQUE if getattr(kept, name) is None}
    for name in handed:
        setattr(other, name, None)
    # The database must see them given up before it sees them taken.
    session.flush()
    for name, value in handed.items():
        setattr(kept, name, value)
