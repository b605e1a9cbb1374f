"""The meaning of each filter for events and talks, and the tombstones that are still listed."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from eventcal.events.enums import PUBLIC_STATUSES, EventStatus, Programme
from eventcal.events.filter import NO_FILTER, Filter, Sort
from eventcal.events.queries import list_events
from eventcal.kit.pagination import PageRequest
from eventcal.speakers.models import Speaker
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from eventcal.talks.queries import list_talks
from eventcal.talks.rules import is_public_state
from tests.clocks import NOON
from tests.factories import flush_and_expunge, make_event, make_speaker, make_talk

ALL_ON_ONE_PAGE = PageRequest(limit=200)
ONE_DAY = timedelta(days=1)


def find_event_titles(session: Session, filters: Filter = NO_FILTER, *, now: datetime = NOON) -> list[str]:
    """Return the titles of the matching events, sorted."""
    flush_and_expunge(session)
    return sorted(
        event.title for event in list_events(session, filters, sort=Sort.STARTS, paging=ALL_ON_ONE_PAGE, now=now).items
    )


def find_talk_titles(session: Session, filters: Filter = NO_FILTER, *, now: datetime = NOON) -> list[str]:
    """Return the titles of the matching public talks, sorted."""
    flush_and_expunge(session)
    return sorted(
        talk.title for talk in list_talks(session, filters, sort=Sort.STARTS, paging=ALL_ON_ONE_PAGE, now=now).items
    )


def make_public_talk(session: Session, *, event: dict[str, Any] | None = None, **fields: Any) -> Talk:
    """Return a public talk at an event with the given columns."""
    state = fields.pop("state", TalkState.CONFIRMED)
    published = {"published_at": NOON} if state in {TalkState.CANCELLED, TalkState.WITHDRAWN} else {}
    return make_talk(session, make_event(session, **(event or {})), state=state, **published | fields)


# Places


def test_place_filters_match_events_and_their_talks_alike(session: Session) -> None:
    expected = {
        Filter(countries=("de",)): ["Berlin", "Köln"],
        Filter(countries=("DE", "US")): ["Berlin", "Chicago", "Köln"],
        Filter(cities=("Köln",)): ["Köln"],
        Filter(countries=("DE",), cities=("Chicago",)): [],
        Filter(series=("summit",)): ["Chicago", "Köln"],
        Filter(events=("ber", "chi", "nowhere")): ["Berlin", "Chicago"],
        NO_FILTER: ["Berlin", "Chicago", "Köln"],
    }
    for city, country, series in (("Berlin", "DE", None), ("Köln", "DE", "summit"), ("Chicago", "US", "summit")):
        event = {"title": city, "city": city, "country": country, "series": series, "slug": city[:3].lower()}
        make_public_talk(session, event=event, title=city)
    assert {asked: find_event_titles(session, asked) for asked in expected} == expected
    assert {asked: find_talk_titles(session, asked) for asked in expected} == expected


# Text


def test_text_search_matches_every_word_of_a_talk_as_a_prefix(session: Session) -> None:
    expected = {
        "xen": ["Xen on ARM"],
        "XE": ["Xen on ARM"],
        "arm xen": ["Xen on ARM"],
        "en": [],
        "xen virtualisation": [],
        "dontu": ["Ünïted Introspection"],
        "Donțu": ["Ünïted Introspection"],
        "united": ["Ünïted Introspection"],
        "ÜNÏTED": ["Ünïted Introspection"],
        "tagged": ["Xen on ARM"],
        "summary": ["Xen on ARM"],
        "%": ["Xen on ARM", "Ünïted Introspection"],
        "_en": [],
        "x%n": [],
        "xen* OR united": [],
        "": ["Xen on ARM", "Ünïted Introspection"],
        "'; drop table talks; --": [],
    }
    make_public_talk(session, title="Xen on ARM", abstract="A summary of ports.", tags=["Tagged-it"])
    speakers = [make_speaker(session, name="Mihai Donțu")]
    make_public_talk(session, title="Ünïted Introspection", speakers=speakers)
    assert {q: find_talk_titles(session, Filter(q=q)) for q in expected} == expected


def test_text_search_covers_title_summary_description_place_and_tags_of_events(session: Session) -> None:
    expected = {
        "hack": ["Xen Hackathon"],
        "hack xen koln": ["Xen Hackathon"],
        "STRASSE": ["Xen Hackathon"],
        "cloud": ["Xen Hackathon"],
        "short tagged": ["Xen Hackathon"],
        "pear": [],
    }
    words: dict[str, Any] = {"summary": "Short", "description": "…clouds", "venue": "Straße 3", "city": "Köln"}
    make_event(session, title="Xen Hackathon", tags=["tagged"], **words)
    make_event(session, title="Apples")
    assert {q: find_event_titles(session, Filter(q=q)) for q in expected} == expected


# Tags and kinds


def test_tags_filter_requires_all_given_tags(session: Session) -> None:
    expected = {("arm",): ["A", "B"], ("arm", "xen"): ["B"], ("arm", "kvm"): [], ("Arm",): []}
    for title, own in (("A", ["arm"]), ("B", ["xen", "arm"]), ("C", ["xen"])):
        make_public_talk(session, event={"title": title, "tags": own}, title=title, tags=own)
    assert {tags: find_event_titles(session, Filter(tags=tags)) for tags in expected} == expected
    assert {tags: find_talk_titles(session, Filter(tags=tags)) for tags in expected} == expected


def test_kinds_filter_matches_any_given_kind(session: Session) -> None:
    for kind, event_kind in (("talk", "meetup"), ("workshop", "workshop"), ("panel", "webinar")):
        make_public_talk(session, event={"title": event_kind, "kind": event_kind}, title=kind, kind=kind)
    asked = Filter(kinds=("workshop", "panel", "nonsense"))
    assert (find_event_titles(session, asked), find_talk_titles(session, asked)) == (
        ["workshop"],
        ["panel", "workshop"],
    )


# Filters specific to talks


def test_talk_filters_match_talks(session: Session) -> None:
    expected = {
        Filter(tracks=("Main",)): ["A"],
        Filter(tracks=("Main", "Side")): ["A", "B"],
        Filter(rooms=("Hall",)): ["B"],
        Filter(languages=("de",)): ["B"],
        Filter(speakers=("grace",)): ["A", "B"],
        Filter(speakers=("ada",)): ["B"],
        Filter(speakers=("ada",), tracks=("Main",)): [],
        Filter(speakers=("nobody",)): [],
        Filter(scheduled=False): ["A", "C"],
        Filter(scheduled=True): ["B"],
    }
    event = make_event(session, tracks=["Main", "Side"], rooms=["Hall"])
    ada, grace = make_speaker(session, slug="ada"), make_speaker(session, slug="grace")
    confirmed = TalkState.CONFIRMED
    make_talk(session, event, title="A", state=confirmed, track="Main", speakers=[grace])
    make_talk(
        session,
        event,
        title="B",
        state=confirmed,
        track="Side",
        room="Hall",
        language="de",
        speakers=[ada, grace],
        starts="2026-06-11T10:00:00",
    )
    make_talk(session, event, title="C", state=confirmed)
    assert {asked: find_talk_titles(session, asked) for asked in expected} == expected


def test_talk_filters_match_no_events(session: Session) -> None:
    make_event(session, tracks=["Main"], rooms=["Hall"])
    for asked in (
        Filter(tracks=("Main",)),
        Filter(rooms=("Hall",)),
        Filter(languages=("de",)),
        Filter(speakers=("ada",)),
        Filter(scheduled=False),
    ):
        assert find_event_titles(session, asked) == []


def test_scheduled_filter_matches_every_event(session: Session) -> None:
    make_event(session, title="A")
    assert find_event_titles(session, Filter(scheduled=True)) == ["A"]


def test_speaker_filter_accepts_the_slug_of_a_merged_speaker(session: Session) -> None:
    kept, merged = make_speaker(session, slug="kept"), make_speaker(session, slug="merged")
    make_public_talk(session, title="Theirs", speakers=[kept])
    session.get_one(Speaker, merged.id).merged_into_id = kept.id
    assert (
        find_talk_titles(session, Filter(speakers=("merged",)))
        == find_talk_titles(session, Filter(speakers=("kept",)))
        == ["Theirs"]
    )


# Days


def test_day_filter_matches_overlapping_days_in_the_local_time_zone(session: Session) -> None:
    expected = {
        Filter(to_day=date(2026, 6, 9)): [],
        Filter(to_day=date(2026, 6, 10)): ["Days", "Night"],
        Filter(from_day=date(2026, 6, 11), to_day=date(2026, 6, 11)): ["Days", "Night"],
        Filter(from_day=date(2026, 6, 12)): ["Days"],
        Filter(from_day=date(2026, 6, 13)): [],
    }
    # In UTC, "Night" would begin on the 11th and "Days" on the 9th.
    night = {"timezone": "America/Los_Angeles", "starts": "2026-06-10T20:00:00", "ends": "2026-06-11T01:00:00"}
    days = {"timezone": "Pacific/Auckland", "starts": "2026-06-10", "ends": "2026-06-12"}
    make_public_talk(session, event={"title": "Night", **night}, title="Night", starts="2026-06-10T23:30:00")
    make_public_talk(session, event={"title": "Days", **days}, title="Days")
    assert {asked: find_event_titles(session, asked) for asked in expected} == expected
    assert {asked: find_talk_titles(session, asked) for asked in expected} == expected


def test_from_filter_matches_talks_that_began_long_before_and_go_on(session: Session) -> None:
    camp = make_event(session, starts="2026-05-01", ends="2026-08-31")
    times = {
        "Over": ("2026-05-02T10:00:00", "2026-05-30T10:00:00"),
        "Long": ("2026-05-02T10:00:00", "2026-07-30T10:00:00"),
        "Past": ("2026-05-31T10:00:00", None),
        "Overnight": ("2026-06-30T23:30:00", "2026-07-01T00:30:00"),
        "Short": ("2026-07-01T10:00:00", None),
        "Without a time": (None, None),
    }
    for title, (starts, ends) in times.items():
        make_talk(session, camp, state=TalkState.CONFIRMED, title=title, starts=starts, ends=ends)
    make_public_talk(session, title="Later", event={"starts": "2026-09-01", "ends": "2026-09-02"})
    expected = ["Later", "Long", "Overnight", "Short", "Without a time"]
    assert find_talk_titles(session, Filter(from_day=date(2026, 7, 1))) == expected
    assert find_talk_titles(session, Filter(from_day=date(2026, 8, 31))) == ["Later", "Without a time"]
    assert find_talk_titles(session, Filter(from_day=date(2026, 9, 3))) == []


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_day_filter_matches_the_first_and_last_minute_of_a_day_in_every_time_zone(session: Session, zone: str) -> None:
    event = make_event(session, timezone=zone, starts="2026-06-09", ends="2026-06-11")
    for starts in ("2026-06-09T23:58:00", "2026-06-10T00:00:00", "2026-06-10T23:58:00", "2026-06-11T00:00:00"):
        make_talk(session, event, state=TalkState.CONFIRMED, title=starts[8:], starts=starts, duration_minutes=1)
    one_day = Filter(from_day=date(2026, 6, 10), to_day=date(2026, 6, 10), scheduled=True)
    assert find_talk_titles(session, one_day) == ["10T00:00:00", "10T23:58:00"]


def test_endless_recurring_event_has_no_last_day(session: Session) -> None:
    make_event(session, title="Meetup", recurrence="FREQ=MONTHLY;BYDAY=2WE")
    assert find_event_titles(session, Filter(from_day=date(2030, 1, 1))) == ["Meetup"]
    assert find_event_titles(session, Filter(to_day=date(2026, 6, 9))) == []


def test_updated_since_filter_is_inclusive(session: Session) -> None:
    for title, moment in (("Old", NOON - ONE_DAY), ("New", NOON), ("Newer", NOON + ONE_DAY)):
        make_public_talk(session, event={"title": title, "now": moment}, title=title, now=moment)
    asked = Filter(updated_since=NOON)
    assert find_event_titles(session, asked) == ["New", "Newer"]
    assert find_talk_titles(session, asked) == ["New", "Newer"]


# States


def test_status_filter_matches_any_given_public_status(session: Session) -> None:
    for status in EventStatus:
        make_event(session, title=status.value, status=status)
    assert find_event_titles(session, Filter(states=("pending", "tentative", "cancelled"))) == [
        "cancelled",
        "tentative",
    ]


def test_state_filter_matches_the_state_shown_to_the_public(session: Session) -> None:
    expected: dict[tuple[str, ...], list[str]] = {
        ("confirmed",): ["confirmed"],
        ("cancelled",): ["cancelled", "event off", "withdrawn"],
        ("withdrawn",): [],
        ("submitted", "rejected"): [],
        ("confirmed", "cancelled"): ["cancelled", "confirmed", "event off", "withdrawn"],
        (): ["cancelled", "confirmed", "event off", "withdrawn"],
    }
    for state in TalkState:
        make_public_talk(session, title=state.value, state=state)
    make_public_talk(session, title="event off", event={"status": EventStatus.CANCELLED})
    make_public_talk(session, title="hidden", state=TalkState.ACCEPTED, event={"status": EventStatus.CANCELLED})
    assert {states: find_talk_titles(session, Filter(states=states)) for states in expected} == expected


def test_talk_is_public_only_if_its_state_and_event_are_public(session: Session) -> None:
    public = []
    for status, programme in itertools.product(EventStatus, Programme):
        event = make_event(session, status=status, programme=programme)
        for state in TalkState:
            title = f"{status} {programme} {state}"
            make_talk(session, event, state=state, title=title)
            if status in PUBLIC_STATUSES and is_public_state(programme, state):
                public.append(title)
    assert find_talk_titles(session) == sorted(public)


def test_call_open_filter_applies_to_talks_through_their_event(session: Session) -> None:
    make_public_talk(session, title="Open", event={"title": "Open"})
    make_public_talk(session, title="Closed", event={"title": "Closed", "call": None})
    assert find_event_titles(session, Filter(call_open=True)) == ["Open"]
    assert find_talk_titles(session, Filter(call_open=True)) == ["Open"]


def test_listed_event_without_call_accepts_talks_but_has_no_open_call(session: Session) -> None:
    make_event(session, title="Listed", programme=Programme.LISTED, call=None)
    assert find_event_titles(session, Filter(call_open=True)) == []
    assert find_event_titles(session, Filter(accepting_talks=True)) == ["Listed"]


# Tombstones


def test_cancelled_event_and_its_talks_are_unlisted_thirty_days_after_its_end(session: Session) -> None:
    off = {"title": "Off", "status": EventStatus.CANCELLED}
    end = make_public_talk(session, title="Off", event=off).event.ends_at
    make_public_talk(session, title="On", event={"title": "On"})
    for after, found in (
        (30 * ONE_DAY - ONE_DAY, ["Off", "On"]),
        (30 * ONE_DAY, ["Off", "On"]),
        (31 * ONE_DAY, ["On"]),
    ):
        assert find_event_titles(session, now=end + after) == found
        assert find_talk_titles(session, now=end + after) == found


@pytest.mark.parametrize("state", [TalkState.WITHDRAWN, TalkState.CANCELLED])
def test_cancelled_talk_is_unlisted_thirty_days_after_its_end(session: Session, state: TalkState) -> None:
    make_public_talk(session, title="Off", state=state, starts="2026-06-10T12:00:00")
    ends_at = datetime(2026, 6, 10, 10, 45, tzinfo=UTC)
    assert find_talk_titles(session, now=ends_at + 30 * ONE_DAY) == ["Off"]
    assert find_talk_titles(session, now=ends_at + 31 * ONE_DAY) == []


def test_talk_cancelled_after_its_end_is_listed_for_thirty_days(session: Session) -> None:
    past = {"starts": "2026-01-10", "ends": "2026-01-11"}
    make_public_talk(session, title="Off", event=past, state=TalkState.CANCELLED)
    assert find_talk_titles(session, now=NOON + 30 * ONE_DAY) == ["Off"]
    assert find_talk_titles(session, now=NOON + 31 * ONE_DAY) == []
