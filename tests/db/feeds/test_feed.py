"""The entries of a feed: the same as in the lists, limited to a window, and sorted."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from eventcal.events.enums import EventStatus, TalkKind
from eventcal.events.filter import NO_FILTER, Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import list_events
from eventcal.events.state_changes import cancel_event
from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.entry_selection import Feed, with_window
from eventcal.feeds.format_registry import Options
from eventcal.kit.pagination import PageRequest
from eventcal.talks.enums import TalkState
from eventcal.talks.queries import list_talks
from tests.clocks import NOON, FixedClock
from tests.factories import make_event, make_speaker, make_talk
from tests.feed_support.feed_calendar import FeedCalendar, add_event, add_talk, load_event, open_feed_calendar

ONE_DAY = timedelta(days=1)
TODAY = NOON.date()
TALKS_ONLY = frozenset({EntryKind.TALK})


@pytest.fixture
def calendar(database_url: str, clock: FixedClock) -> Iterator[FeedCalendar]:
    with open_feed_calendar(database_url, clock) as calendar:
        yield calendar


def make_feed(**filters: object) -> Feed:
    return Feed(filters=Filter(**filters))  # type: ignore[arg-type]  # any field


# Contents


def test_feed_lists_entries_by_day_and_defines_every_time_zone_in_use(calendar: FeedCalendar) -> None:
    evening = {"starts": "2026-07-01T18:00:00", "ends": "2026-07-01T20:00:00"}
    add_event(calendar, title="Meetup", timezone="America/New_York", **evening)
    summit = add_event(calendar, title="Days need no zone", timezone="Asia/Tokyo", starts="2026-06-10")
    add_talk(calendar, summit, title="A talk in Tokyo", starts="2026-06-11T09:00:00")
    berlin = add_event(calendar, title="Berlin", starts="2026-06-08")
    add_talk(calendar, berlin, title="A talk in Berlin", starts="2026-06-09T09:00:00")
    add_event(calendar, title="UTC", timezone="Etc/UTC", starts="2026-06-20T18:00:00", ends="2026-06-20T20:00:00")
    feed = calendar.fetch_parsed()
    assert [entry.text("SUMMARY") for entry in feed.events()] == [
        "Berlin",
        "A talk in Berlin",
        "Days need no zone",
        "A talk in Tokyo",
        "UTC",
        "Meetup",
    ]
    assert feed.timezone_ids() == ["America/New_York", "Asia/Tokyo", "Europe/Berlin"]
    assert [part.name for part in feed.components] == ["VTIMEZONE"] * 3 + ["VEVENT"] * 6


def test_feed_last_modified_is_that_of_its_latest_entry(calendar: FeedCalendar) -> None:
    add_event(calendar, city="Berlin")
    bonn = add_event(calendar, city="Bonn")
    calendar.set_columns(Event, bonn, title="Else")
    assert calendar.fetch_parsed(make_feed(cities=("Berlin",))).value("LAST-MODIFIED") == "20260301T120100Z"
    assert calendar.fetch_parsed().value("LAST-MODIFIED") == "20260301T120300Z"
    assert calendar.fetch_parsed(make_feed(cities=("Köln",))).list_properties("LAST-MODIFIED") == []


def test_utc_option_keeps_the_time_zone_of_recurring_entries_only(calendar: FeedCalendar) -> None:
    times = {"starts": "2026-06-10T18:00:00", "ends": "2026-06-10T20:00:00"}
    add_event(calendar, title="Once", **times)
    add_event(calendar, title="Weekly", recurrence="FREQ=WEEKLY", timezone="Europe/London", **times)
    feed = calendar.fetch_parsed(options=Options(utc=True))
    starts = {entry.text("SUMMARY"): entry.get_property("DTSTART") for entry in feed.events()}
    assert {name: line.parameters + ":" + line.value for name, line in starts.items()} == {
        "Once": ":20260610T160000Z",
        "Weekly": ";TZID=Europe/London:20260610T180000",
    }
    assert feed.timezone_ids() == ["Europe/London"]


@pytest.mark.parametrize(("events", "talks"), [(True, True), (True, False), (False, True), (False, False)])
def test_feed_can_exclude_events_or_talks_or_both(calendar: FeedCalendar, *, events: bool, talks: bool) -> None:
    add_talk(calendar, add_event(calendar))
    kinds = [EntryKind.EVENT] * events + [EntryKind.TALK] * talks
    feed = Feed(filters=NO_FILTER, kinds=frozenset(kinds))
    assert calendar.list_titles(feed) == ["Xen Summit"] * events + ["Xen on ARM"] * talks


def test_feed_can_be_limited_to_given_talks(calendar: FeedCalendar) -> None:
    summit = add_event(calendar)
    first, _ = (add_talk(calendar, summit, title=title) for title in ("First", "Second"))
    add_talk(calendar, summit, title="Hidden", state=TalkState.DRAFT)
    wanted = frozenset({first, "nobody"})
    assert calendar.list_titles(Feed(filters=NO_FILTER, kinds=TALKS_ONLY, talk_ids=wanted)) == ["First"]
    assert calendar.list_titles(Feed(filters=NO_FILTER, kinds=TALKS_ONLY, talk_ids=frozenset())) == []
    # The limit applies only to talks: all events are included.
    assert calendar.list_titles(Feed(filters=NO_FILTER, talk_ids=wanted)) == ["First", "Xen Summit"]


def test_feed_without_entries_is_a_calendar(calendar: FeedCalendar) -> None:
    assert calendar.fetch_parsed().events() == []


# Windows


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ({}, (-30, 400)),
        ({"from_day": -60}, (-60, 400)),
        ({"to_day": 900}, (-30, 900)),
        ({"from_day": 5, "to_day": 6}, (5, 6)),
        ({"from_day": 500}, (500, None)),
        ({"to_day": -90}, (None, -90)),
    ],
)
def test_default_window_covers_30_days_back_and_400_ahead(
    asked: dict[str, int], days: tuple[int | None, int | None]
) -> None:
    wanted = Filter(**{name: TODAY + number * ONE_DAY for name, number in asked.items()})  # type: ignore[arg-type]  # days
    covered = with_window(wanted, now=NOON)
    assert [covered.from_day, covered.to_day] == [None if day is None else TODAY + day * ONE_DAY for day in days]


def test_window_moves_at_midnight_utc() -> None:
    for moment, day in (
        (datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC), date(2026, 1, 30)),
        (datetime(2026, 3, 2, tzinfo=UTC), date(2026, 1, 31)),
    ):
        assert with_window(NO_FILTER, now=moment).from_day == day


def test_window_includes_entries_that_overlap_its_first_or_last_day(calendar: FeedCalendar) -> None:
    for title, first, last in (
        ("over", -40, -31),
        ("just in", -40, -30),
        ("last", 400, 410),
        ("too late", 401, 402),
        ("over all", -100, 1000),
    ):
        add_event(calendar, title=title, starts=f"{TODAY + first * ONE_DAY}", ends=f"{TODAY + last * ONE_DAY}")
    assert calendar.list_titles(Feed(filters=with_window(NO_FILTER, now=calendar.clock.now()))) == [
        "just in",
        "last",
        "over all",
    ]


# Consistency with the lists


FILTERS = {
    "everything": Filter(),
    "from": Filter(from_day=date(2026, 6, 11)),
    "to": Filter(to_day=date(2026, 6, 9)),
    "days": Filter(from_day=date(2026, 6, 10), to_day=date(2026, 6, 10)),
    "words": Filter(q="xen arm"),
    "tag": Filter(tags=("arm",)),
    "tags": Filter(tags=("arm", "big")),
    "kinds": Filter(kinds=(TalkKind.KEYNOTE, "conference")),
    "country": Filter(countries=("DE",)),
    "city": Filter(cities=("Berlin", "Bonn")),
    "event": Filter(events=("summit",)),
    "track": Filter(tracks=("ARM",)),
    "room": Filter(rooms=("Room 1",)),
    "speaker": Filter(speakers=("grace",)),
    "language": Filter(languages=("de",)),
    "confirmed": Filter(states=("confirmed",)),
    "cancelled": Filter(states=("cancelled",)),
    "tentative": Filter(states=("tentative", "accepted")),
    "series": Filter(series=("Xen",)),
    "call": Filter(call_open=True),
    "scheduled": Filter(scheduled=True),
    "waiting": Filter(scheduled=False),
    "updated": Filter(updated_since=NOON + timedelta(minutes=3)),
    "nothing": Filter(q="nothing has this"),
}


def test_every_filter_matches_the_same_entries_in_feeds_and_lists(calendar: FeedCalendar) -> None:
    _add_events_and_talks(calendar)
    for later in (0 * ONE_DAY, 60 * ONE_DAY, 200 * ONE_DAY):
        for name, asked in FILTERS.items():
            now = calendar.clock.now() + later
            entries = calendar.fetch_parsed(Feed(filters=asked), later=later).events()
            with calendar.database.read_session() as session:
                paging = PageRequest(200)
                events = list_events(session, asked, sort=Sort.STARTS, paging=paging, now=now)
                talks = list_talks(session, asked, sort=Sort.STARTS, paging=paging, now=now)
                uids = {calendar.feed_index.builder.event_uid(event.id) for event in events.items}
                uids |= {calendar.feed_index.builder.talk_uid(talk.id) for talk in talks.items}
            assert (name, {entry.text("UID") for entry in entries}) == (name, uids)


def _add_events_and_talks(calendar: FeedCalendar) -> None:
    """Create events and talks such that each filter matches some and excludes some."""
    with calendar.write_session() as session:
        grace, ada = make_speaker(session, slug="grace"), make_speaker(session, slug="ada")
        summit = make_event(
            session,
            slug="summit",
            city="Berlin",
            country="DE",
            series="Xen",
            tracks=["ARM"],
            rooms=["Room 1"],
            tags=["arm"],
        )
        for number, (kind, state, language) in enumerate(
            [
                (TalkKind.KEYNOTE, TalkState.CONFIRMED, "de"),
                (TalkKind.TALK, TalkState.WITHDRAWN, None),
                (TalkKind.TALK, TalkState.DRAFT, "de"),
                (TalkKind.TALK, TalkState.CONFIRMED, "en"),
            ]
        ):
            make_talk(
                session,
                summit,
                kind=kind,
                state=state,
                language=language,
                published_at=None if state == TalkState.DRAFT else NOON,
                speakers=[grace, ada][number % 2 :],
                tags=["arm", "big"][: number % 3],
                track="ARM" if number % 2 else None,
                room="Room 1" if number % 2 else None,
                starts=None if number == 3 else f"2026-06-1{number}T10:00:00",
            )
    add_event(calendar, slug="pending", status=EventStatus.PENDING)
    add_event(calendar, slug="meetup", city="Bonn", kind="meetup", starts="2026-05-01", ends="2026-05-01", call=None)
    off = add_event(calendar, slug="off", starts="2026-06-09T18:00:00", ends="2026-06-09T20:00:00", tags=["arm", "big"])
    add_talk(calendar, off, state=TalkState.CONFIRMED, starts="2026-06-09T18:00:00", title="ARM and Xen")
    with calendar.write_session() as session:
        cancel_event(session, load_event(session, off), now=calendar.clock.now())
