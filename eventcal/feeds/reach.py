"""How far a change reaches: which events and talks look different once a row was touched.

The one place to extend when a new table shows in an entry or in a resource.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from eventcal.events.models import CallForTalks, CoLocation, Event, EventTag, Room, Track
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.kit.database import Change
from eventcal.speakers.models import Speaker
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from eventcal.sponsors.words import SponsorshipState
from eventcal.talks.models import Talk, TalkSpeaker, TalkTag


@dataclass
class Reach:
    """What changed: ids of events and talks, of events whose entry may have, and whether anything else public did."""

    events: set[str] = field(default_factory=set)
    talks: set[str] = field(default_factory=set)
    entries: set[str] = field(default_factory=set)
    elsewhere: bool = False


# What of an event its talks show as well: in their entries, or as offsets and states in their resources.
_SHOWN_BY_TALKS = frozenset(
    {
        "slug",
        "title",
        "timezone",
        "starts",
        "ends",
        "status",
        "programme",
        "venue",
        "city",
        "latitude",
        "longitude",
        "online_url",
        "recurrence",
    }
)
_SHOWN_BY_TALKS_OF_SPEAKER = frozenset({"slug", "name", "job_title", "affiliation"})


def reach_of(session: Session, changes: Sequence[Change]) -> Reach:
    """Return how far these changes reach. Changes to private columns alone reach nowhere."""
    reach = Reach()
    for change in changes:
        follow = _FOLLOW.get(type(change.row))
        if follow is not None and (change.done != "changed" or _shows(change)):
            follow(session, change, reach)
    if reach.talks:
        reach.entries.update(session.scalars(select(Talk.event_id).where(Talk.id.in_(reach.talks))))
    reach.entries -= reach.events
    return reach


def _shows(change: Change) -> bool:
    columns = inspect(type(change.row)).columns
    return any(not (name in columns and columns[name].info.get("private")) for name in change.fields)


def _event(session: Session, change: Change, reach: Reach) -> None:
    event: Event = change.row
    reach.events.add(event.id)
    if change.done == "changed" and change.fields & _SHOWN_BY_TALKS:
        reach.talks.update(session.scalars(select(Talk.id).where(Talk.event_id == event.id)))
    # Until it is public, its neighbours do not show it, and must not move with it.
    if change.done == "changed" and event.status in PUBLIC_STATUSES:
        neighbours = session.scalars(select(CoLocation.event_id).where(CoLocation.other_id == event.id)).all()
        if "slug" in change.fields:
            reach.events.update(neighbours)
        if "status" in change.fields:
            reach.entries.update(neighbours)


def _part_of_event(session: Session, change: Change, reach: Reach) -> None:
    del session
    reach.events.add(change.row.event_id)


def _co_location(session: Session, change: Change, reach: Reach) -> None:
    if _is_public(session, change.row.other_id):
        reach.events.add(change.row.event_id)


def _track(session: Session, change: Change, reach: Reach) -> None:
    reach.events.add(change.row.event_id)
    if "name" in change.fields:
        reach.talks.update(session.scalars(select(Talk.id).where(Talk.track_id == change.row.id)))


def _room(session: Session, change: Change, reach: Reach) -> None:
    reach.events.add(change.row.event_id)
    if "name" in change.fields:
        reach.talks.update(session.scalars(select(Talk.id).where(Talk.room_id == change.row.id)))


def _talk(session: Session, change: Change, reach: Reach) -> None:
    del session
    if change.done != "deleted":
        reach.talks.add(change.row.id)


def _part_of_talk(session: Session, change: Change, reach: Reach) -> None:
    del session
    reach.talks.add(change.row.talk_id)


def _speaker(session: Session, change: Change, reach: Reach) -> None:
    speaker: Speaker = change.row
    reach.elsewhere |= speaker.published_at is not None
    if change.fields & _SHOWN_BY_TALKS_OF_SPEAKER:
        reach.talks.update(session.scalars(select(TalkSpeaker.talk_id).where(TalkSpeaker.speaker_id == speaker.id)))


def _tier(session: Session, change: Change, reach: Reach) -> None:
    reach.elsewhere |= _is_public(session, change.row.event_id)


def _sponsor(session: Session, change: Change, reach: Reach) -> None:
    held = (
        select(Sponsorship.id)
        .join(Sponsorship.tier)
        .join(Tier.event)
        .where(Sponsorship.sponsor_id == change.row.id, Sponsorship.state == SponsorshipState.CONFIRMED)
        .where(Event.status.in_(PUBLIC_STATUSES))
    )
    reach.elsewhere |= session.scalars(held.limit(1)).first() is not None


def _sponsorship(session: Session, change: Change, reach: Reach) -> None:
    # An enquiry is between the member and the organisers, also where it is turned down.
    if SponsorshipState.CONFIRMED in {change.row.state, change.before.get("state")}:
        event_id = session.scalars(select(Tier.event_id).where(Tier.id == change.row.tier_id)).one_or_none()
        reach.elsewhere |= _is_public(session, event_id)


def _is_public(session: Session, event_id: str | None) -> bool:
    status = session.scalars(select(Event.status).where(Event.id == event_id)).one_or_none()
    return status in PUBLIC_STATUSES


_FOLLOW: dict[type, Callable[[Session, Change, Reach], None]] = {
    Event: _event,
    EventTag: _part_of_event,
    CallForTalks: _part_of_event,
    CoLocation: _co_location,
    Track: _track,
    Room: _room,
    Talk: _talk,
    TalkSpeaker: _part_of_talk,
    TalkTag: _part_of_talk,
    Speaker: _speaker,
    Tier: _tier,
    Sponsor: _sponsor,
    Sponsorship: _sponsorship,
}


def later_reprises(session: Session, talk_ids: Iterable[str]) -> set[str]:
    """Return the ids of the talks that were given again after these; their entries point back."""
    return set(session.scalars(select(Talk.id).where(Talk.reprise_of_id.in_(list(talk_ids)))))
