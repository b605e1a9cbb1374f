"""What does not go together in a programme, in words, each with its talks; it can be so all the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.models import Event
from eventcal.kit.localtime import zone
from eventcal.speakers.queries import names_of
from eventcal.talks.rules import Clash, Slot, clashes, outside
from eventcal.talks.submissions import slots_of
from eventcal.web.rendering.dates import hour, short_day

MOST = 20
"""So many are said at once; when some of them are put right, others are."""


@dataclass(frozen=True)
class Warned:
    """What is wrong, and with which talks."""

    said: str
    talks: Sequence[Slot]


def warnings_of(session: Session, event: Event) -> list[Warned]:
    """Return what does not go together in an event's programme as it stands, at most MOST of each sort."""
    slots = slots_of(session, event)
    found = list(islice(clashes(slots), MOST))
    names = names_of(session, {speaker for clash in found for speaker in clash.speakers}) if found else {}
    rooms = {room.id: room.name for room in event.rooms}
    warned = [one for clash in found for one in _of_clash(clash, event, rooms, names)]
    if event.recurrence is None:
        beside = outside(slots, starts_at=event.starts_at, ends_at=event.ends_at)
        warned += [Warned(_("This talk is not within the event's own times:"), [slot]) for slot in beside[:MOST]]
    return warned


def _of_clash(clash: Clash, event: Event, rooms: Mapping[str, str], names: Mapping[str, str]) -> Iterator[Warned]:
    talks, at = [clash.first, clash.second], _at(clash.second.starts_at, event.timezone)
    if clash.room_id is not None:
        room = rooms.get(clash.room_id, clash.room_id)
        yield Warned(_("Two talks are in the same room at once: %(room)s, %(at)s.", room=room, at=at), talks)
    for speaker in sorted(names.get(one, one) for one in clash.speakers):
        yield Warned(_("One speaker is in two talks at once: %(speaker)s, %(at)s.", speaker=speaker, at=at), talks)


def _at(moment: datetime, tzid: str) -> str:
    return f"{short_day(moment.astimezone(zone(tzid)).date())}, {hour(moment, tzid=tzid)}"
