"""Use cases that take something away from under talks: rooms, tracks, whole events that nobody has seen."""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from eventcal.events.errors import InUse
from eventcal.events.models import Event, Room, Track
from eventcal.events.steps import check_never_public
from eventcal.kit.refusals import Sentence
from eventcal.talks.models import Talk
from eventcal.talks.queries import has_talks


def count_talks_in(session: Session, part: Room | Track) -> int:
    """Return how many talks are in a room or a track, in every state."""
    there = or_(Talk.room_id == part.id, Talk.track_id == part.id)
    return session.scalars(select(func.count()).select_from(Talk).where(there)).one()


def remove_track(session: Session, track: Track) -> None:
    """Remove a track; the talks that were in it are in none."""
    for talk in session.scalars(select(Talk).where(Talk.track_id == track.id)):
        talk.track_id = None
    session.delete(track)
    session.flush()


def remove_room(session: Session, room: Room) -> None:
    """Remove a room; the talks that were in it are in none."""
    for talk in session.scalars(select(Talk).where(Talk.room_id == room.id)):
        talk.room_id = None
    session.delete(room)
    session.flush()


def remove_event(session: Session, event: Event) -> None:
    """Remove an event that the public has never seen. Raises WasPublic, and InUse where somebody offered a talk."""
    check_never_public(event)
    if has_talks(session, event):
        raise InUse(Sentence("Somebody offered a talk to this event; it cannot be deleted any more."))
    session.delete(event)
    session.flush()
