"""Finds the feed entries that must be rendered again after rows changed.

Extend this module when a new table appears in an entry or in a resource.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.models import CallForTalks, CoLocation, Event, EventTag, Room, Track
from eventcal.events.words import PUBLIC_STATUSES
from eventcal.kit.database import Change, any_public
from eventcal.speakers.models import Speaker
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from eventcal.sponsors.words import SponsorshipState
from eventcal.talks.models import Talk, TalkSpeaker, TalkTag


@dataclass
class AffectedEntries:
    """The events and talks that a set of changes affects, by id.

    events, talks: changed themselves. entries: events whose entry may have changed. beside: talks whose room or track
    was renamed. parts: talks with changed tags or speakers. by_speaker: talks that show changed data of a speaker.
    elsewhere: whether other public data changed. reshapes: whether other entries may join or leave a feed.
    """

    events: set[str] = field(default_factory=set)
    talks: set[str] = field(default_factory=set)
    beside: set[str] = field(default_factory=set)
    entries: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    by_speaker: set[str] = field(default_factory=set)
    elsewhere: bool = False
    reshapes: bool = False


# The fields of an event that its talks show: in their entries, or as offsets and states in their resources.
_SHOWN_BY_TALKS = frozenset(
    {"slug", "title", "timezone", "starts", "ends", "status", "programme", "venue", "city", "latitude", "longitude"}
    | {"online_url", "recurrence", "recurrence_overrides"}
)
_SHOWN_BY_TALKS_OF_SPEAKER = frozenset({"slug", "name", "job_title", "affiliation"})
# The fields that decide which talks a search by speaker slug finds.
_NAMES_A_SPEAKER = frozenset({"slug", "merged_into_id"})
# The fields that affect an event's talk count and its list of talks without a time.
_COUNTED_BY_EVENT = frozenset({"event_id", "starts", "starts_at", "tombstone_until", "state", "published_at"})


def affected_entries(session: Session, changes: Sequence[Change]) -> AffectedEntries:
    """Return the entries that these changes affect. Changes to private columns alone affect none."""
    reach = AffectedEntries()
    for change in changes:
        follow = _FOLLOW.get(type(change.row))
        if follow is not None and (change.done != "changed" or any_public(type(change.row), change.fields)):
            follow(session, change, reach)
    unseen = reach.parts | reach.by_speaker
    if unseen:
        waiting = select(Talk.event_id).where(
            Talk.id.in_(unseen), Talk.starts_at.is_(None), Talk.published_at.is_not(None)
        )
        reach.entries.update(session.scalars(waiting))
    reach.entries -= reach.events
    reach.beside -= reach.talks
    return reach


def _event(session: Session, change: Change, reach: AffectedEntries) -> None:
    event: Event = change.row
    reach.events.add(event.id)
    if change.done == "changed" and change.fields & _SHOWN_BY_TALKS:
        reach.talks.update(session.scalars(select(Talk.id).where(Talk.event_id == event.id)))
    # Co-located events do not show an event before it is public, so they must not change with it.
    if change.done == "changed" and event.status in PUBLIC_STATUSES:
        neighbours = session.scalars(select(CoLocation.event_id).where(CoLocation.other_id == event.id)).all()
        if "slug" in change.fields:
            reach.events.update(neighbours)
        if "status" in change.fields:
            reach.entries.update(neighbours)


def _part_of_event(_session: Session, change: Change, reach: AffectedEntries) -> None:
    reach.events.add(change.row.event_id)


def _co_location(session: Session, change: Change, reach: AffectedEntries) -> None:
    if _is_public(session, change.row.other_id):
        reach.events.add(change.row.event_id)


def _track_or_room(session: Session, change: Change, reach: AffectedEntries) -> None:
    reach.events.add(change.row.event_id)
    if "name" in change.fields:
        key = Talk.track_id if isinstance(change.row, Track) else Talk.room_id
        reach.beside.update(session.scalars(select(Talk.id).where(key == change.row.id)))


def _talk(_session: Session, change: Change, reach: AffectedEntries) -> None:
    talk: Talk = change.row
    if change.done != "deleted":
        reach.talks.add(talk.id)
    if talk.published_at is None and "published_at" not in change.before:
        # Events do not show talks that are not public.
        return
    if change.done != "changed" or change.fields & _COUNTED_BY_EVENT or talk.starts_at is None:
        reach.entries.add(talk.event_id)


def _part_of_talk(_session: Session, change: Change, reach: AffectedEntries) -> None:
    reach.talks.add(change.row.talk_id)
    reach.parts.add(change.row.talk_id)


def _speaker(session: Session, change: Change, reach: AffectedEntries) -> None:
    speaker: Speaker = change.row
    published = speaker.published_at is not None
    reach.elsewhere |= published
    if change.done == "changed" and change.fields & _NAMES_A_SPEAKER and (published or _joins_known(session, speaker)):
        # A search for either of two merged speakers now finds the talks of both.
        reach.elsewhere = reach.reshapes = True
    if change.fields & _SHOWN_BY_TALKS_OF_SPEAKER:
        given = select(TalkSpeaker.talk_id).where(TalkSpeaker.speaker_id == speaker.id)
        reach.by_speaker.update(session.scalars(given))
        reach.talks |= reach.by_speaker


def _joins_known(session: Session, speaker: Speaker) -> bool:
    """Return whether a speaker was merged into a published one."""
    if speaker.merged_into_id is None:
        return False
    return session.get_one(Speaker, speaker.merged_into_id).published_at is not None


def _tier(session: Session, change: Change, reach: AffectedEntries) -> None:
    _sponsored(session, change.row.event_id, reach)


def _sponsor(session: Session, change: Change, reach: AffectedEntries) -> None:
    held = (
        select(Tier.event_id)
        .select_from(Sponsorship)
        .join(Sponsorship.tier)
        .join(Tier.event)
        .where(Sponsorship.sponsor_id == change.row.id, Sponsorship.state == SponsorshipState.CONFIRMED)
        .where(Event.status.in_(PUBLIC_STATUSES))
    )
    sponsored = set(session.scalars(held))
    reach.elsewhere |= bool(sponsored)
    reach.entries |= sponsored


def _sponsorship(session: Session, change: Change, reach: AffectedEntries) -> None:
    # Enquiries are private to the member and the organisers, even if they are declined.
    if SponsorshipState.CONFIRMED in {change.row.state, change.before.get("state")}:
        event_id = session.scalars(select(Tier.event_id).where(Tier.id == change.row.tier_id)).one_or_none()
        _sponsored(session, event_id, reach)


def _sponsored(session: Session, event_id: str | None, reach: AffectedEntries) -> None:
    """Record a change of a public event's sponsors, whom its entry may name."""
    if event_id is not None and _is_public(session, event_id):
        reach.elsewhere = True
        reach.entries.add(event_id)


def _is_public(session: Session, event_id: str) -> bool:
    status = session.scalars(select(Event.status).where(Event.id == event_id)).one_or_none()
    return status in PUBLIC_STATUSES


_FOLLOW: dict[type, Callable[[Session, Change, AffectedEntries], None]] = {
    Event: _event,
    EventTag: _part_of_event,
    CallForTalks: _part_of_event,
    CoLocation: _co_location,
    Track: _track_or_room,
    Room: _track_or_room,
    Talk: _talk,
    TalkSpeaker: _part_of_talk,
    TalkTag: _part_of_talk,
    Speaker: _speaker,
    Tier: _tier,
    Sponsor: _sponsor,
    Sponsorship: _sponsorship,
}


def later_reprises(session: Session, talk_ids: Iterable[str]) -> set[str]:
    """Return the ids of the talks that repeat one of these talks; their entries refer to the earlier ones."""
    return set(session.scalars(select(Talk.id).where(Talk.reprise_of_id.in_(list(talk_ids)))))
