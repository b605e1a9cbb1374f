"""Invalidation of the feed entries that must be rendered again after a change to the database.

Every table with data that appears in entries or API resources requires a handler in this module.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import PUBLIC_STATUSES
from eventcal.events.models import CallForTalks, CoLocation, Event, EventTag, Room, Track
from eventcal.kit.database import Change, any_public
from eventcal.speakers.models import Speaker
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from eventcal.talks.models import Talk, TalkSpeaker, TalkTag


@dataclass
class AffectedEntries:
    """The IDs of the events and talks that a set of changes affects.

    `talks_of_renamed_part` contains the talks in a renamed room or track. `event_entries` contains the events whose
    entries may have changed. `talks_with_changed_children` contains the talks whose tags or list of speakers changed.
    `full_rebuild` is true if entries that have not changed themselves can join or leave a feed.
    """

    events: set[str] = field(default_factory=set)
    talks: set[str] = field(default_factory=set)
    talks_of_renamed_part: set[str] = field(default_factory=set)
    event_entries: set[str] = field(default_factory=set)
    talks_with_changed_children: set[str] = field(default_factory=set)
    talks_of_changed_speaker: set[str] = field(default_factory=set)
    other_public_data: bool = False
    full_rebuild: bool = False


# The fields of an event that affect the entries or the API resources of its talks.
_EVENT_FIELDS_IN_TALKS = frozenset(
    {"slug", "title", "timezone", "starts", "ends", "status", "programme", "venue", "city", "latitude", "longitude"}
    | {"address", "region", "country", "attendance", "online_url", "recurrence", "recurrence_overrides"}
)
_SPEAKER_FIELDS_IN_TALKS = frozenset({"slug", "name", "job_title", "affiliation"})
# The fields of a speaker that affect the results of a search by speaker slug.
_SPEAKER_SEARCH_FIELDS = frozenset({"slug", "merged_into_id"})
# The fields of a talk that affect the talk count or the line-up of its event.
_TALK_FIELDS_IN_EVENT = frozenset({"event_id", "starts", "starts_at", "tombstone_until", "state", "published_at"})


def affected_entries(session: Session, changes: Sequence[Change]) -> AffectedEntries:
    """Return the entries that the changes affect. Changes to private columns do not affect any entry."""
    reach = AffectedEntries()
    for change in changes:
        follow = _CHANGE_HANDLERS.get(type(change.row))
        if follow is not None and (change.action != "changed" or any_public(type(change.row), change.changed_fields)):
            follow(session, change, reach)
    unseen = reach.talks_with_changed_children | reach.talks_of_changed_speaker
    if unseen:
        ids = select(Talk.event_id).where(Talk.id.in_(unseen), Talk.starts_at.is_(None), Talk.published_at.is_not(None))
        reach.event_entries.update(session.scalars(ids))
    reach.event_entries -= reach.events
    reach.talks_of_renamed_part -= reach.talks
    return reach


def _on_event_change(session: Session, change: Change, affected: AffectedEntries) -> None:
    event: Event = change.row
    affected.events.add(event.id)
    if change.action == "changed" and change.changed_fields & _EVENT_FIELDS_IN_TALKS:
        affected.talks.update(session.scalars(select(Talk.id).where(Talk.event_id == event.id)))
    # The entry of an event does not mention co-located events that are not public.
    if change.action == "changed" and event.status in PUBLIC_STATUSES:
        neighbours = session.scalars(select(CoLocation.event_id).where(CoLocation.other_id == event.id)).all()
        if "slug" in change.changed_fields:
            affected.events.update(neighbours)
        if "status" in change.changed_fields:
            affected.event_entries.update(neighbours)


def _on_event_part_change(_session: Session, change: Change, affected: AffectedEntries) -> None:
    affected.events.add(change.row.event_id)


def _on_co_location_change(session: Session, change: Change, affected: AffectedEntries) -> None:
    if _is_public_event(session, change.row.other_id):
        affected.events.add(change.row.event_id)


def _on_track_or_room_change(session: Session, change: Change, affected: AffectedEntries) -> None:
    affected.events.add(change.row.event_id)
    if "name" in change.changed_fields:
        key = Talk.track_id if isinstance(change.row, Track) else Talk.room_id
        affected.talks_of_renamed_part.update(session.scalars(select(Talk.id).where(key == change.row.id)))


def _on_talk_change(_session: Session, change: Change, affected: AffectedEntries) -> None:
    talk: Talk = change.row
    if change.action != "deleted":
        affected.talks.add(talk.id)
    # The entry of an event does not mention talks that are not public.
    if talk.published_at is None and "published_at" not in change.old_values:
        return
    if change.action != "changed" or change.changed_fields & _TALK_FIELDS_IN_EVENT or talk.starts_at is None:
        affected.event_entries.add(talk.event_id)


def _on_talk_part_change(_session: Session, change: Change, affected: AffectedEntries) -> None:
    affected.talks.add(change.row.talk_id)
    affected.talks_with_changed_children.add(change.row.talk_id)


def _on_speaker_change(session: Session, change: Change, affected: AffectedEntries) -> None:
    speaker: Speaker = change.row
    published = speaker.published_at is not None
    affected.other_public_data |= published
    affects_search = change.action == "changed" and change.changed_fields & _SPEAKER_SEARCH_FIELDS
    if affects_search and (published or _is_merged_into_published(session, speaker)):
        # A search for either of two merged speakers finds the talks of both speakers.
        affected.other_public_data = affected.full_rebuild = True
    if change.changed_fields & _SPEAKER_FIELDS_IN_TALKS:
        given = select(TalkSpeaker.talk_id).where(TalkSpeaker.speaker_id == speaker.id)
        affected.talks_of_changed_speaker.update(session.scalars(given))
        affected.talks |= affected.talks_of_changed_speaker


def _is_merged_into_published(session: Session, speaker: Speaker) -> bool:
    target_id = speaker.merged_into_id
    return target_id is not None and session.get_one(Speaker, target_id).published_at is not None


def _on_sponsor_change(session: Session, change: Change, affected: AffectedEntries) -> None:
    held = (
        select(Tier.event_id)
        .select_from(Sponsorship)
        .join(Sponsorship.tier)
        .join(Tier.event)
        .where(Sponsorship.sponsor_id == change.row.id, Sponsorship.state == SponsorshipState.CONFIRMED)
        .where(Event.status.in_(PUBLIC_STATUSES))
    )
    sponsored = set(session.scalars(held))
    affected.other_public_data |= bool(sponsored)
    affected.event_entries |= sponsored


def _on_sponsorship_change(session: Session, change: Change, affected: AffectedEntries) -> None:
    # Sponsorship enquiries are visible only to the enquirer and the organisers, even after the enquiry is declined.
    if SponsorshipState.CONFIRMED in {change.row.state, change.old_values.get("state")}:
        event_id = session.scalars(select(Tier.event_id).where(Tier.id == change.row.tier_id)).one_or_none()
        _add_sponsored_event(session, event_id, affected)


def _add_sponsored_event(session: Session, event_id: str | None, affected: AffectedEntries) -> None:
    if event_id is not None and _is_public_event(session, event_id):
        affected.other_public_data = True
        affected.event_entries.add(event_id)


def _is_public_event(session: Session, event_id: str) -> bool:
    return session.scalars(select(Event.status).where(Event.id == event_id)).one_or_none() in PUBLIC_STATUSES


_CHANGE_HANDLERS: dict[type, Callable[[Session, Change, AffectedEntries], None]] = {
    Event: _on_event_change,
    EventTag: _on_event_part_change,
    CallForTalks: _on_event_part_change,
    CoLocation: _on_co_location_change,
    Track: _on_track_or_room_change,
    Room: _on_track_or_room_change,
    Talk: _on_talk_change,
    TalkSpeaker: _on_talk_part_change,
    TalkTag: _on_talk_part_change,
    Speaker: _on_speaker_change,
    Tier: lambda session, change, affected: _add_sponsored_event(session, change.row.event_id, affected),
    Sponsor: _on_sponsor_change,
    Sponsorship: _on_sponsorship_change,
}


def reprise_ids(session: Session, talk_ids: Iterable[str]) -> set[str]:
    return set(session.scalars(select(Talk.id).where(Talk.reprise_of_id.in_(list(talk_ids)))))
