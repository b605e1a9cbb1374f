"""Overridden occurrences in the entry of a recurring event."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from eventcal.events.enums import Attendance, EventStatus
from eventcal.events.models import Event
from eventcal.feeds.entries.entry import CalendarEntry, Override, Status
from tests.feed_support.ics_entries import local_time
from tests.feed_support.in_memory_entries import ENTRY_BUILDER, build_event

CALL_FIELDS: dict[str, Any] = {
    "title": "Community call",
    "starts": "2026-03-03T16:00:00",
    "ends": "2026-03-03T17:00:00",
    "recurrence": "FREQ=MONTHLY;BYDAY=1TU",
    "attendance": Attendance.ONLINE,
    "summary": "What is *new*.",
    "description": "Bring questions.",
    "online_url": "https://meet.example/call?a=1&b=2",
}
APRIL = "2026-04-07T16:00:00"


def make_call(overrides: dict[str, dict[str, Any]], **fields: Any) -> Event:
    return build_event(**CALL_FIELDS | {"recurrence_overrides": overrides} | fields)


def build_entry(event: Event) -> CalendarEntry:
    return ENTRY_BUILDER.build_event_entry(event, talk_count=0, unscheduled_talks=())


def usual_and_overridden_entry(override: dict[str, Any], **fields: Any) -> tuple[CalendarEntry, CalendarEntry]:
    """Return the entry of a usual occurrence, and that of the April occurrence with the override."""
    entry = build_entry(make_call({APRIL: override}, **fields))
    [april] = entry.overrides
    usual = replace(
        entry, overrides=(), recurrence=None, starts=local_time("2026-04-07T16:00"), ends=local_time("2026-04-07T17:00")
    )
    return usual, april.entry


def test_entry_without_overrides_has_no_exclusions_or_overrides() -> None:
    entry = build_entry(make_call({}))
    assert (entry.excluded, entry.overrides) == ((), ())


def test_exclusions_and_overrides_are_separate_and_in_order() -> None:
    event = make_call(
        {
            "2026-04-07T16:00:00": {"excluded": True},
            "2026-05-05T16:00:00": {"title": "Second"},
            "2026-06-02T16:00:00": {"excluded": True},
            "2026-07-07T16:00:00": {"starts": "2026-01-01T09:00:00"},
        }
    )
    entry = build_entry(event)
    assert entry.excluded == (local_time("2026-04-07T16:00"), local_time("2026-06-02T16:00"))
    assert [one.occurrence for one in entry.overrides] == [
        local_time("2026-05-05T16:00"),
        local_time("2026-07-07T16:00"),
    ]
    assert {one.entry.uid for one in entry.overrides} == {entry.uid}


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ({"title": "With guests"}, {"title": "With guests"}),
        (
            {"starts": "2026-04-08T09:00:00"},
            {"starts": local_time("2026-04-08T09:00"), "ends": local_time("2026-04-08T10:00")},
        ),
        ({"ends": "2026-04-07T19:30:00"}, {"ends": local_time("2026-04-07T19:30")}),
        ({"status": "tentative"}, {"status": Status.TENTATIVE}),
        (
            {"status": "cancelled"},
            {"status": Status.CANCELLED, "title": "CANCELLED: Community call", "transparent": True},
        ),
    ],
)
def test_override_replaces_only_its_own_fields(override: dict[str, Any], expected: dict[str, Any]) -> None:
    usual, april = usual_and_overridden_entry(override)
    assert april == replace(usual, **expected)


def test_overridden_venue_keeps_the_city_and_drops_the_coordinates() -> None:
    usual, april = usual_and_overridden_entry(
        {"venue": "Attic"}, venue="Hall", city="Berlin", latitude=52.5, longitude=13.4
    )
    assert (usual.location, usual.geo) == ("Hall, Berlin", (52.5, 13.4))
    assert april == replace(usual, location="Attic, Berlin", geo=None)


def test_overridden_online_url_replaces_the_usual_one_everywhere() -> None:
    usual, april = usual_and_overridden_entry({"online_url": "https://meet.example/other?c=3&d=4"})
    assert april.conference == "https://meet.example/other?c=3&d=4"
    assert "Online: https://meet.example/call?a=1&b=2\n" in usual.description
    assert april.description == usual.description.replace("call?a=1&b=2", "other?c=3&d=4")
    assert april.html == usual.html.replace("call?a=1&amp;b=2", "other?c=3&amp;d=4")


def test_overridden_online_url_leaves_the_description_text_unchanged() -> None:
    said = "Online: https://meet.example/call?a=1&b=2\n\nis where we met so far."
    _usual, april = usual_and_overridden_entry({"online_url": "https://meet.example/other"}, description=said)
    assert "https://meet.example/call?a=1&b=2" in april.description
    assert "Online: https://meet.example/other\n" in april.description


def test_added_online_url_appears_in_the_description() -> None:
    usual, april = usual_and_overridden_entry({"online_url": "https://meet.example/"}, online_url=None)
    assert april.description == f"Online: https://meet.example/\n\n{usual.description}"
    assert april.html == f"<p>Online: https://meet.example/</p>{usual.html}"


def test_overridden_online_url_of_in_person_event_is_not_in_the_description() -> None:
    usual, april = usual_and_overridden_entry({"online_url": "https://meet.example/"}, attendance=Attendance.IN_PERSON)
    assert april == replace(usual, conference="https://meet.example/")


@pytest.mark.parametrize(
    ("usual", "given", "description", "html"),
    [
        ("What is *new*.", "Only **one** thing.", "Only one thing.\n\n", "<p>Only <strong>one</strong> thing.</p>\n"),
        (None, "Only **one** thing.", "Only one thing.\n\n", "<p>Only <strong>one</strong> thing.</p>\n"),
        ("What is *new*.", "", "", ""),
        ("", "", "", ""),
    ],
)
def test_overridden_summary_replaces_the_usual_one(usual: str | None, given: str, description: str, html: str) -> None:
    _, april = usual_and_overridden_entry({"summary": given}, summary=usual)
    without, _ = usual_and_overridden_entry({"title": "Other"}, summary=None)
    assert (april.description, april.html) == (description + without.description, html + without.html)


def test_overridden_title_has_the_status_prefix_of_the_series() -> None:
    fields = {"title": "With guests"}, {"status": "confirmed"}
    for status, titles in {
        EventStatus.CANCELLED: ["CANCELLED: With guests", "CANCELLED: Community call"],
        EventStatus.POSTPONED: ["POSTPONED: With guests", "Community call"],
        EventStatus.TENTATIVE: ["With guests", "Community call"],
    }.items():
        assert [usual_and_overridden_entry(override, status=status)[1].title for override in fields] == titles


def test_overridden_all_day_occurrence_has_an_exclusive_end() -> None:
    event = build_event(recurrence="FREQ=YEARLY", recurrence_overrides={"2027-06-10": {"starts": "2027-06-17"}})
    entry = build_entry(event)
    single = replace(entry, recurrence=None, overrides=())
    assert entry.overrides == (
        Override(
            occurrence=date(2027, 6, 10),
            entry=replace(single, starts=date(2027, 6, 17), ends=date(2027, 6, 20)),
        ),
    )


def test_overridden_end_in_the_repeated_hour_has_its_fold() -> None:
    entry = build_entry(make_call({APRIL: {"starts": "2026-10-25T02:30:00", "ends": "2026-10-25T03:30:00"}}))
    assert [one.entry.ends for one in entry.overrides] == [local_time("2026-10-25T03:30")]
    entry = build_entry(make_call({APRIL: {"starts": "2026-10-25T02:30:00"}}))
    [april] = entry.overrides
    assert isinstance(april.entry.ends, datetime)
    assert (april.entry.starts, april.entry.ends, april.entry.ends.fold) == (
        *(local_time("2026-10-25T02:30"),) * 2,
        1,
    )


def test_skipped_occurrence_is_shown_after_the_gap() -> None:
    entry = build_entry(
        build_event(
            starts="2026-03-01T02:30:00",
            ends="2026-03-01T03:30:00",
            recurrence="FREQ=DAILY",
            recurrence_overrides={"2026-03-29T02:30:00": {"title": "Early"}},
        )
    )
    early = entry.overrides[0]
    assert (early.occurrence, early.entry.starts, early.entry.ends) == (
        local_time("2026-03-29T02:30"),
        local_time("2026-03-29T03:30"),
        local_time("2026-03-29T04:30"),
    )


@pytest.mark.parametrize(("characters", "is_repeated"), [(900, True), (20_000, False)])
def test_total_size_of_overridden_occurrences_is_limited(characters: int, *, is_repeated: bool) -> None:
    days = [f"2026-{month:02}-{day:02}T16:00:00" for month in range(4, 8) for day in range(1, 26)]
    entry = build_entry(
        make_call(
            {day: {"title": "With guests"} for day in days},
            recurrence="FREQ=DAILY",
            description="日" * characters,
            summary="In short.",
        )
    )
    assert len(entry.overrides) == 100
    assert "日" * characters in entry.description
    for override in entry.overrides:
        description = override.entry.description
        assert ("日" in description, "日" in override.entry.html) == (is_repeated, is_repeated)
        assert "In short." in description
        assert description.endswith(entry.url)
    assert sum(len(override.entry.description) for override in entry.overrides) < 200_000
