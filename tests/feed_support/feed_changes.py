"""All changes that tests make in the calendar of feed_scenario.py, by name."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

from sqlalchemy import delete, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from eventcal.events import service
from eventcal.events.fields import EventFields
from eventcal.events.models import Room, Track
from eventcal.events.service import edit_event
from eventcal.events.state_changes import cancel_event, publish_event, redact_event
from eventcal.feeds.index.models import FeedStateRow
from eventcal.kit.errors import DomainError
from eventcal.schema import metadata
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import get_speaker
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from eventcal.talks.delete_and_merge_referenced import delete_track_or_room, merge_speakers
from eventcal.talks.enums import TalkState
from eventcal.talks.rules import TalkAction
from eventcal.talks.service import redact_talk
from tests.clocks import NOON
from tests.factories import MODERATOR_CALLER, make_event, make_talk
from tests.feed_support.feed_calendar import FeedCalendar
from tests.feed_support.feed_scenario import (
    Change,
    FeedScenario,
    apply_action,
    change_talk,
    edit_grace,
    edit_room,
    edit_track,
    publish_draft,
    set_columns,
)

_EVENING_TIMES = {"starts": "2026-06-11T18:00:00", "ends": "2026-06-11T20:00:00"}
_OVERRIDES = {
    "2026-06-18T18:00:00": {"starts": "2026-06-19T18:00:00", "ends": "2026-06-19T19:00:00"},
    "2026-06-25T18:00:00": {"excluded": True},
}

_EVENT_EDITS: list[dict[str, Any]] = [
    {"title": "Else"},
    {"title": "Xen Summit"},
    {"description": "Else"},
    {"location": {"city": "Bonn"}},
    {"location": {"city": "Berlin", "country": "DE", "venue": "Barn"}},
    {"location": {"country": "FR"}},
    {"series": "Xen"},
    {"series": None},
    {"tags": ["a"]},
    {"tags": []},
    {"kind": "meetup"},
    {"status": "tentative"},
    {"status": "postponed"},
    {"status": "confirmed"},
    {"starts": "2026-06-10", "ends": "2026-06-12"},
    {"starts": "2026-01-10", "ends": "2026-01-12"},
    _EVENING_TIMES,
    {"timezone": "America/New_York"},
    {"timezone": "Etc/UTC"},
    {"co_located_with": []},
    {"call_for_talks": None},
    {"call_for_talks": {"opens_at": None, "closes_at": "2026-05-01T12:00:00", "note": "Else"}},
    {"call_for_talks": {"opens_at": "2026-03-02", "closes_at": "2026-04-01", "anywhere_on_earth": True}},
    {**_EVENING_TIMES, "recurrence": "FREQ=WEEKLY;COUNT=5"},
    {
        **_EVENING_TIMES,
        "recurrence": "FREQ=WEEKLY",
        "recurrence_overrides": {"2026-06-18T18:00:00": {"status": "cancelled"}},
    },
    {**_EVENING_TIMES, "recurrence": "FREQ=WEEKLY;COUNT=3", "recurrence_overrides": _OVERRIDES},
    {"recurrence_overrides": {"2026-06-18T18:00:00": {"title": "Else"}}},
    {"recurrence_overrides": None},
    {"recurrence": None},
]

_TALK_EDITS: list[dict[str, Any]] = [
    {"title": "Else"},
    {"title": "Xen on ARM"},
    {"tags": ["a", "b"]},
    {"tags": []},
    {"language": "de"},
    {"language": None},
    {"kind": "keynote"},
    {"track": None},
    {"room": None},
    {"starts": "2026-06-10T13:30:00"},
    {"starts": "2026-06-12T23:30:00"},
    {"starts": None},
    {"speakers": [{"slug": "ada"}]},
    {"speakers": [{"slug": "grace"}, {"slug": "ada"}]},
    {"recording_url": "https://video.example.org/"},
    {"notes": "private"},
]


def _edit_event(name: str, fields: dict[str, Any]) -> Change:
    return lambda world, session: edit_event(
        session, world.get_event(session, name), cast("EventFields", fields), now=world.calendar.clock.now()
    )


def _cancel_event(name: str) -> Change:
    return lambda world, session: cancel_event(session, world.get_event(session, name), now=world.calendar.clock.now())


def _redact_event(name: str) -> Change:
    return lambda world, session: redact_event(
        session, world.get_event(session, name), caller=MODERATOR_CALLER, now=world.calendar.clock.now()
    )


def _redact_talk(world: FeedScenario, session: Session) -> None:
    redact_talk(session, world.get_talk(session), caller=MODERATOR_CALLER, now=world.calendar.clock.now())


def _merge_speakers(kept: str, other: str) -> Change:
    def merge(world: FeedScenario, session: Session) -> None:
        slugs = [world.get_row(session, Speaker, name).slug for name in (kept, other)]
        # Speakers are looked up as in the API, so that a merged speaker resolves to the remaining speaker.
        one, another = (get_speaker(session, slug, MODERATOR_CALLER) for slug in slugs)
        if one.id != another.id:
            merge_speakers(session, one, another, caller=MODERATOR_CALLER, now=world.calendar.clock.now())

    return merge


def _make_talk(world: FeedScenario, session: Session) -> None:
    make_talk(session, world.get_event(session), state=TalkState.CONFIRMED, starts="2026-06-11T11:00:00", tags=["a"])


def _make_event(world: FeedScenario, session: Session) -> None:
    make_event(session, title="New", city="Bonn", tags=["a"], call={"closes": "2026-05-01T12:00:00"})
    del world


def _add_room_and_track(world: FeedScenario, session: Session) -> None:
    service.create_track_or_room(session, world.get_event(session), {"name": "Annex"}, table=Room)
    service.create_track_or_room(session, world.get_event(session), {"name": "Security"}, table=Track)


def _iter_changes() -> Iterator[tuple[str, Change]]:
    for name in ("summit", "hackday"):
        yield from ((f"{name}: {fields}", _edit_event(name, fields)) for fields in _EVENT_EDITS)
    for name in ("talk", "waiting", "again", "draft"):
        yield from ((f"{name}: {fields}", change_talk(name, **fields)) for fields in _TALK_EDITS)
        yield from (
            (f"{name}: {wanted}", apply_action(name, wanted)) for wanted in (TalkAction.WITHDRAW, TalkAction.CANCEL)
        )
    for name in ("talk", "waiting"):
        yield f"{name}: in a room and a track", change_talk(name, track="ARM", room="Room 1")
    for kept, other in (("grace", "ada"), ("ada", "grace"), ("grace", "unknown"), ("unknown", "grace")):
        yield f"{other} is {kept}", _merge_speakers(kept, other)
    for name in ("summit", "hackday"):
        yield f"{name}: cancelled", _cancel_event(name)
        yield f"{name}: redacted", _redact_event(name)


CHANGES: dict[str, Change] = {
    **dict(_iter_changes()),
    "talk: redacted": _redact_talk,
    "draft: public at last": publish_draft,
    "proposed: public at last": lambda world, session: publish_event(
        session, world.get_event(session, "proposed"), caller=MODERATOR_CALLER
    ),
    "grace: another name": edit_grace(name="Amazing Grace"),
    "grace: the same name": edit_grace(name="Grace Hopper"),
    "grace: another address": set_columns(Speaker, "grace", slug="amazing-grace"),
    "grace: a word about her": edit_grace(bio="Else"),
    "room: another name": edit_room(name="Room 2"),
    "room: the same name": edit_room(name="Room 1"),
    "room: removed": lambda world, session: delete_track_or_room(session, world.get_row(session, Room, "room")),
    "track: another name": edit_track(name="RISC-V"),
    "track: the same name": edit_track(name="ARM"),
    "track: removed": lambda world, session: delete_track_or_room(session, world.get_row(session, Track, "track")),
    "room and track: new ones": _add_room_and_track,
    "tier: another name": set_columns(Tier, "tier", name="Silver"),
    "sponsor: another name": set_columns(Sponsor, "sponsor", name="Citrix"),
    "sponsorship: cancelled": set_columns(Sponsorship, "sponsorship", state=SponsorshipState.CANCELLED),
    "sponsorship: confirmed": set_columns(Sponsorship, "sponsorship", state=SponsorshipState.CONFIRMED),
    "a new talk": _make_talk,
    "a new event": _make_event,
}


def apply_changes(world: FeedScenario, *names: str) -> None:
    """Apply the changes in one unit of work, or no change if one of the changes fails."""
    # A change fails if a transition is not allowed or a row no longer exists.
    with suppress(DomainError, NoResultFound), world.calendar.write_session() as session:
        for name in names:
            CHANGES[name](world, session)


def clear_calendar(calendar: FeedCalendar) -> None:
    """Delete all rows of a calendar and reset its feed state."""
    with calendar.database.engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name != FeedStateRow.__tablename__:
                connection.execute(delete(table))
        nothing = {
            "revision": 0,
            "changed_at": NOON,
            "full_rebuild_revision": 0,
            "last_serial": 0,
            "renderer_version": "",
        }
        connection.execute(update(FeedStateRow), nothing)
    calendar.clock.set_time(NOON)
