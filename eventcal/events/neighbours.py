"""What an event is held beside: a list of its own on each of the two sides."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.models import CoLocation, Event
from eventcal.events.queries import find_events_by_slug
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.kit.refusals import Fault, Sentence

# Where an event stands in the list of one that it named: at the end.
_LAST = 1000


def set_neighbours(session: Session, event: Event, slugs: Sequence[str]) -> list[Fault]:
    """Set what the event is held beside, on both sides.

    Returns a fault for each slug that cannot be; where there is one, nothing is changed.
    """
    found = find_events_by_slug(session, slugs)
    faults = [
        Fault(f"/co_located_with/{i}", Sentence("there is no public event “%(slug)s”", slug=slug))
        for i, slug in enumerate(slugs)
        if slug not in found or slug == event.slug
    ]
    faults += [
        Fault(f"/co_located_with/{i}", Sentence("is on the list already"))
        for i, slug in enumerate(slugs)
        if slug in slugs[:i]
    ]
    if faults:
        return faults
    here = {row.other_id: row for row in event.neighbours}
    wanted = [found[slug] for slug in slugs]
    # Neighbours that are not public yet were not on any list that the caller saw: they stay, behind.
    hidden = [row.other for row in event.neighbours if row.other.status not in PUBLIC_STATUSES]
    places = [row.position for row in event.neighbours]
    in_order = [row.other_id for row in event.neighbours] == [other.id for other in [*wanted, *hidden]]
    # Those who named this event came behind, all at one place: only by chance in the order that is wanted.
    if not in_order or places != sorted(set(places)):
        event.neighbours = [
            here.get(other.id) or CoLocation(other_id=other.id, other=other) for other in [*wanted, *hidden]
        ]
        for position, row in enumerate(event.neighbours):
            row.position = position
    _mirror_neighbours(session, event)
    return []


def _mirror_neighbours(session: Session, event: Event) -> None:
    """Let the other side of each co-location name this event too, behind whatever it names by itself."""
    ids = {row.other_id for row in event.neighbours}
    back = session.scalars(select(CoLocation).where(CoLocation.other_id == event.id)).all()
    for row in back:
        if row.event_id not in ids:
            session.delete(row)
    for other_id in sorted(ids - {row.event_id for row in back}):
        session.add(CoLocation(event_id=other_id, other_id=event.id, position=_LAST))
