"""Events and talks as the feed index loads them, created without a database, and their feed entries."""

from typing import Any

from eventcal.events.enums import Attendance, EventStatus, Programme, TalkKind
from eventcal.events.models import CoLocation, Event, EventTag, Room, Track
from eventcal.events.rules import recompute_event_columns
from eventcal.feeds.entries.entry import CalendarEntry
from eventcal.feeds.entries.entry_builder import EntryBuilder
from eventcal.speakers.models import Speaker
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk, TalkSpeaker, TalkTag
from eventcal.talks.rules import recompute_talk_columns
from eventcal.web.http.urls import UrlBuilder
from tests.clocks import NOON
from tests.feed_support.feed_calendar import BASE_URL, DOMAIN

ENTRY_BUILDER = EntryBuilder(links=UrlBuilder(BASE_URL), domain=DOMAIN)
GRACE = Speaker(id="grace", slug="grace", name="Grace Hopper", job_title="Rear Admiral", affiliation="US Navy")
ADA = Speaker(id="ada", slug="ada", name="Ada Lovelace")


def build_event(*, tags: tuple[str, ...] = (), beside: tuple[Event, ...] = (), **fields: Any) -> Event:
    """Return an event as the feed index loads it."""
    values: dict[str, Any] = {
        "id": "summit",
        "slug": "xen-summit",
        "title": "Xen Summit",
        "programme": Programme.CURATED,
        "attendance": Attendance.IN_PERSON,
        "timezone": "Europe/Berlin",
        "starts": "2026-06-10",
        "ends": "2026-06-12",
        "status": EventStatus.CONFIRMED,
        "created_at": NOON,
    }
    event = Event(
        tags=[EventTag(position=i, tag=tag) for i, tag in enumerate(tags)],
        neighbours=[CoLocation(other=other) for other in beside],
        call=None,
        **(values | fields),
    )
    recompute_event_columns(event, now=NOON)
    return event


def build_talk(
    event: Event,
    *,
    speakers: tuple[Speaker, ...] = (),
    tags: tuple[str, ...] = (),
    room: str | None = None,
    track: str | None = None,
    **fields: Any,
) -> Talk:
    """Return a public talk on the first day at 13:30, as the feed index loads it."""
    values: dict[str, Any] = {
        "id": "t1",
        "title": "Xen on ARM",
        "kind": TalkKind.TALK,
        "state": TalkState.CONFIRMED,
        "starts": "2026-06-10T13:30:00",
        "published_at": NOON,
        "created_at": NOON,
        "reprise_of": None,
    }
    talk = Talk(
        event=event,
        event_id=event.id,
        speaking=[TalkSpeaker(speaker=speaker, position=i) for i, speaker in enumerate(speakers)],
        tags=[TalkTag(position=i, tag=tag) for i, tag in enumerate(tags)],
        room=Room(id="room", name=room) if room else None,
        track=Track(id="track", name=track) if track else None,
        **(values | fields),
    )
    recompute_talk_columns(talk, now=NOON)
    return talk


def build_event_entry(*, talks: int = 0, line_up: tuple[Talk, ...] = (), **fields: Any) -> CalendarEntry:
    """Return the feed entry of an event."""
    return ENTRY_BUILDER.build_event_entry(build_event(**fields), talk_count=talks, unscheduled_talks=line_up)


def build_talk_entry(event: Event | None = None, **fields: Any) -> CalendarEntry:
    """Return the feed entry of a talk, by default a talk at a new event."""
    return ENTRY_BUILDER.build_talk_entry(build_talk(event or build_event(), **fields))
