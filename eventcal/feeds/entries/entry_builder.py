"""Construction of calendar entries from events and talks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol

from eventcal.events.enums import PUBLIC_STATUSES, EventStatus
from eventcal.events.models import Event
from eventcal.events.recurrence.occurrences import Occurrence, excluded_occurrence_ids, list_explicit_occurrences
from eventcal.feeds.entries.descriptions import (
    EventDescription,
    format_html_description,
    format_plain_description,
    ical_status,
    prefix_title,
)
from eventcal.feeds.entries.entry import (
    CalendarEntry,
    EntryKind,
    Override,
    Participant,
    ParticipantType,
    Relation,
    Status,
    TalkFacts,
)
from eventcal.feeds.entries.locations import event_location, occurrence_location
from eventcal.kit.localtime import get_zone, parse_local
from eventcal.speakers.models import Speaker
from eventcal.sponsors.models import Sponsor, Tier
from eventcal.talks.enums import TalkState
from eventcal.talks.models import EnteredSpeaker, Talk
from eventcal.talks.queries import is_public

# The duration of an entry whose end would not be after its start because time zone rules have changed.
_MIN_DURATION = timedelta(minutes=1)


class EntryLinks(Protocol):
    """The URLs that entries contain. The protocol keeps the builder independent of the application's routes."""

    def event_page(self, slug: str) -> str: ...

    def talk_page(self, talk_id: str) -> str: ...

    def speaker_page(self, slug: str) -> str: ...


@dataclass(frozen=True, kw_only=True)
class EntryBuilder:
    """Builds calendar entries. `domain` is the part of every UID after the @ sign."""

    links: EntryLinks
    domain: str

    def event_uid(self, event_id: str) -> str:
        return f"event-{event_id}@{self.domain}"

    def talk_uid(self, talk_id: str) -> str:
        return f"talk-{talk_id}@{self.domain}"

    def deadline_uid(self, kind: EntryKind, event_id: str) -> str:
        return f"{kind}-{event_id}@{self.domain}"

    def build_event_entry(
        self,
        event: Event,
        *,
        talk_count: int,
        unscheduled_talks: Sequence[Talk],
        sponsors: Iterable[tuple[Tier, Sequence[Sponsor]]] = (),
    ) -> CalendarEntry:
        """Return the entry of a public event. `talk_count` is the number of public talks."""
        cancelled = event.status == EventStatus.CANCELLED
        starts, ends = _event_start_and_end(event)
        url = self.links.event_page(event.slug)
        line_up = [_format_line_up_line(talk) for talk in unscheduled_talks]
        description = EventDescription(event=event, line_up=line_up, url=url)
        plain, html = description.render_plain_and_html(summary=event.summary, online_url=event.online_url)
        neighbours = [row.other for row in event.neighbours if row.other.status in PUBLIC_STATUSES]
        entry = CalendarEntry(
            uid=self.event_uid(event.id),
            kind=EntryKind.EVENT,
            title=prefix_title(event.title, event.status),
            starts=starts,
            ends=ends,
            zone=event.timezone,
            status=ical_status(event.status),
            # The entry of an event with talks does not mark attendees as busy, because the entries of the talks do.
            transparent=cancelled or talk_count > 0,
            created_at=event.created_at,
            url=url,
            description=plain,
            html=html,
            website=event.url,
            location=event_location(event),
            geo=_event_coordinates(event),
            categories=tuple(tag.tag for tag in event.tags),
            conference=event.online_url,
            recurrence=event.recurrence,
            related=tuple((Relation.SIBLING, self.event_uid(other.id)) for other in neighbours),
            participants=tuple(_sponsor_participant(tier, one) for tier, several in sponsors for one in several),
        )
        if not event.recurrence:
            return entry
        excluded = tuple(parse_local(occurrence) for occurrence in excluded_occurrence_ids(event))
        return replace(entry, excluded=excluded, overrides=_build_overrides(event, entry, description))

    def build_talk_entry(self, talk: Talk) -> CalendarEntry:
        cancelled = talk.public_state == TalkState.CANCELLED
        starts, ends = _talk_start_and_end(talk)
        url = self.links.talk_page(talk.id)
        first_lines = [*map(_format_speaker, talk.speakers), talk.event.title]
        related = [(Relation.PARENT, self.event_uid(talk.event_id))]
        if talk.reprise_of is not None and is_public(talk.reprise_of):
            related.append((Relation.SIBLING, self.talk_uid(talk.reprise_of.id)))
        track = [talk.track.name] if talk.track else []
        return CalendarEntry(
            uid=self.talk_uid(talk.id),
            kind=EntryKind.TALK,
            title=prefix_title(talk.title, EventStatus.CANCELLED) if cancelled else talk.title,
            starts=starts,
            ends=ends,
            zone=talk.event.timezone,
            status=_talk_status(talk),
            transparent=cancelled or talk.starts_at is None,
            created_at=talk.created_at,
            url=url,
            description=format_plain_description([talk.abstract_plain], first_lines=first_lines, url=url),
            html=format_html_description([talk.abstract_html], first_lines=first_lines, url=url),
            location=event_location(talk.event, room=talk.room.name if talk.room else None),
            geo=_event_coordinates(talk.event),
            categories=tuple(dict.fromkeys([*track, *(tag.tag for tag in talk.tags)])),
            conference=talk.event.online_url,
            related=tuple(related),
            participants=tuple(self._speaker_participant(one) for one in talk.speakers if isinstance(one, Speaker)),
            talk=_build_talk_facts(talk),
        )

    def _speaker_participant(self, speaker: Speaker) -> Participant:
        about = ", ".join(part for part in (speaker.job_title, speaker.affiliation) if part) or None
        url = self.links.speaker_page(speaker.slug)
        return Participant(part=ParticipantType.SPEAKER, key=speaker.slug, name=speaker.name, about=about, url=url)


def _build_overrides(event: Event, entry: CalendarEntry, description: EventDescription) -> tuple[Override, ...]:
    single = replace(entry, recurrence=None, excluded=(), overrides=())
    occurrences = list_explicit_occurrences(event)
    build = partial(_build_override, event, single, description=description, repetitions=len(occurrences))
    return tuple(map(build, occurrences))


def _build_override(
    event: Event, base: CalendarEntry, occurrence: Occurrence, *, description: EventDescription, repetitions: int
) -> Override:
    starts, ends = _occurrence_start_and_end(event, occurrence)
    plain, html = description.render_plain_and_html(
        summary=occurrence.summary, online_url=occurrence.online_url, repetitions=repetitions
    )
    here = occurrence.venue == event.venue
    entry = replace(
        base,
        title=prefix_title(occurrence.title, occurrence.status),
        starts=starts,
        ends=ends,
        status=ical_status(occurrence.status),
        transparent=base.transparent or occurrence.status == EventStatus.CANCELLED,
        description=plain,
        html=html,
        location=occurrence_location(event, occurrence),
        # The coordinates are known only for the event's own venue.
        geo=base.geo if here else None,
        conference=occurrence.online_url,
    )
    return Override(occurrence=parse_local(occurrence.slot.occurrence), entry=entry)


def _occurrence_start_and_end(event: Event, occurrence: Occurrence) -> tuple[date | datetime, date | datetime]:
    slot, here = occurrence.slot, get_zone(event.timezone)
    if "T" not in slot.starts:
        return date.fromisoformat(slot.starts), date.fromisoformat(slot.ends) + timedelta(days=1)
    return slot.starts_at.astimezone(here).replace(tzinfo=None), slot.ends_at.astimezone(here).replace(tzinfo=None)


def _sponsor_participant(tier: Tier, one: Sponsor) -> Participant:
    return Participant(part=ParticipantType.SPONSOR, key=one.slug, name=one.name, about=tier.name, url=one.url)


def _build_talk_facts(talk: Talk) -> TalkFacts:
    return TalkFacts(
        event=talk.event.slug,
        kind=talk.kind,
        abstract=talk.abstract_plain or "",
        language=talk.language,
        track=talk.track.name if talk.track else None,
        room=talk.room.name if talk.room else None,
        slides_url=talk.slides_url,
        recording_url=talk.recording_url,
    )


def _event_start_and_end(event: Event) -> tuple[date | datetime, date | datetime]:
    starts, ends = parse_local(event.starts), parse_local(event.ends)
    if not isinstance(starts, datetime):
        return starts, ends + timedelta(days=1)
    # Recurring events keep their local times, even if a change to daylight-saving time skips the local start time.
    return (starts, ends) if event.recurrence else local_start_and_end(event.starts_at, event.ends_at, event.timezone)


def _talk_start_and_end(talk: Talk) -> tuple[date, date]:
    event = talk.event
    if talk.starts_at is not None and talk.ends_at is not None:
        return local_start_and_end(talk.starts_at, talk.ends_at, event.timezone)
    return date.fromisoformat(event.starts[:10]), date.fromisoformat(event.ends[:10]) + timedelta(days=1)


def local_start_and_end(starts_at: datetime, ends_at: datetime, tzid: str) -> tuple[datetime, datetime]:
    """Return the start and end in local time, with the end after the start (RFC 5545, section 3.8.2.2)."""
    here = get_zone(tzid)
    ends_at = max(ends_at, starts_at + _MIN_DURATION)
    return starts_at.astimezone(here).replace(tzinfo=None), ends_at.astimezone(here).replace(tzinfo=None)


def _talk_status(talk: Talk) -> Status:
    if talk.public_state == TalkState.CANCELLED:
        return Status.CANCELLED
    return Status.TENTATIVE if talk.starts_at is None else ical_status(talk.event.status)


def _format_speaker(speaker: Speaker | EnteredSpeaker) -> str:
    return ", ".join(part for part in (speaker.name, speaker.job_title, speaker.affiliation) if part)


def _format_line_up_line(talk: Talk) -> str:
    names = ", ".join(speaker.name for speaker in talk.speakers)
    return f"{talk.title} ({names})" if names else talk.title


def _event_coordinates(event: Event) -> tuple[float, float] | None:
    return None if event.latitude is None or event.longitude is None else (event.latitude, event.longitude)
