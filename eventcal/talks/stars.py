"""Use cases of a member's own agenda."""

from datetime import datetime

from sqlalchemy.orm import Session

from eventcal.members.caller import Caller
from eventcal.talks.errors import NoSuchTalk
from eventcal.talks.models import Star, Talk
from eventcal.talks.queries import is_public


def add_star(session: Session, talk: Talk, *, caller: Caller, now: datetime) -> None:
    """Put a public talk on the caller's agenda; once more changes nothing. Raises NoSuchTalk."""
    if not is_public(talk):
        raise NoSuchTalk(talk.id)
    if session.get(Star, (caller.member_id, talk.id)) is None:
        session.add(Star(member_id=caller.member_id, talk_id=talk.id, starred_at=now))
        session.flush()


def remove_star(session: Session, talk_id: str, *, caller: Caller) -> None:
    """Take a talk off the caller's agenda, if it is there."""
    star = session.get(Star, (caller.member_id, talk_id))
    if star is not None:
        session.delete(star)
        session.flush()
