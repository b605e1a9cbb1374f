"""Use cases that take something away from under talks: rooms, tracks, whole events that nobody has seen."""

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from eventcal.events.errors import InUse
from eventcal.events.models import Event, Room, Track
from eventcal.events.steps import check_never_public
from eventcal.kit.refusals import Sentence
from eventcal.talks.models import Talk
from eventcal.talks.queries import has_talks


def count_talks_in(session: Session, part: Room | Track) -> int:
    """Return how many talks are in a room or a track, in every state."""
    there = select(func.count()).select_from(Talk).where(_column_of(part) == part.id)
    return session.scalars(there).one()


def remove_part(session: Session, part: Room | Track) -> None:
    """Remove a room or a track; the talks that were in it are in none."""
    column = _column_of(part)
    for talk in session.scalars(select(Talk).where(column == part.id)):
        setattr(talk, column.key, None)
    session.delete(part)
    session.flush()


def _column_of(part: Room | Track) -> InstrumentedAttribute[str | None]:
    return Talk.room_id if isinstance(part, Room) else Talk.track_id


def remove_event(session: Session, event: Event) -> None:
    """Remove an event that the public has never seen. Raises WasPublic, and InUse where somebody offered a talk."""
    check_never_public(event)
    if has_talks(session, event):
        raise InUse(Sentence("Somebody offered a talk to this event; it cannot be deleted any more."))
    session.delete(event)
    session.flush()
