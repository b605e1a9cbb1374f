"""Recurring events: storing overrides of single occurrences, and filtering by day."""

from datetime import date
from typing import Any, cast

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from eventcal.events.enums import EventStatus
from eventcal.events.fields import EventFields, OverrideFields
from eventcal.events.filter import NO_FILTER, Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import (
    exclude_without_occurrence,
    get_event,
    list_events,
    list_pending_events,
    select_public_events,
)
from eventcal.events.service import edit_event, propose_event
from eventcal.kit import migrate
from eventcal.kit.database import Database
from eventcal.kit.errors import FieldError, Invalid
from eventcal.kit.pagination import PageRequest
from eventcal.talks.enums import TalkState
from eventcal.talks.queries import list_talks
from tests.clocks import NOON
from tests.factories import MODERATOR_CALLER, flush_and_expunge, make_event, make_talk
from tests.sql_statements import record_statements

CALL_FIELDS: dict[str, Any] = {
    "title": "Community call",
    "timezone": "Europe/Berlin",
    "starts": "2026-03-03T16:00:00",
    "ends": "2026-03-03T17:00:00",
    "recurrence": "FREQ=MONTHLY;BYDAY=1TU",
}
APRIL, MAY, JUNE = "2026-04-07T16:00:00", "2026-05-05T16:00:00", "2026-06-02T16:00:00"


def propose(session: Session, **fields: Any) -> Event:
    return propose_event(session, cast("EventFields", CALL_FIELDS | fields), caller=MODERATOR_CALLER, now=NOON)


def reload_event(session: Session, event: Event) -> Event:
    """Return the event as the next request loads it."""
    flush_and_expunge(session)
    return get_event(session, event.slug, MODERATOR_CALLER)


def edit_and_load_overrides(session: Session, event: Event, **fields: Any) -> dict[str, dict[str, Any]]:
    """Return the overrides as the next request loads them."""
    edit_event(session, reload_event(session, event), cast("EventFields", fields), now=NOON)
    return reload_event(session, event).recurrence_overrides


def edit_errors(session: Session, event: Event, **fields: Any) -> list[FieldError]:
    with pytest.raises(Invalid) as faults:
        edit_event(session, reload_event(session, event), cast("EventFields", fields), now=NOON)
    session.expire_all()
    return list(faults.value.errors)


def day_filter(first: str | None = None, last: str | None = None, **fields: Any) -> Filter:
    return Filter(
        from_day=date.fromisoformat(first) if first else None,
        to_day=date.fromisoformat(last) if last else None,
        **fields,
    )


def find_event_titles(session: Session, filters: Filter) -> list[str]:
    flush_and_expunge(session)
    return sorted(
        row.title for row in list_events(session, filters, sort=Sort.STARTS, paging=PageRequest(), now=NOON).items
    )


# Storage


def test_event_without_overrides_returns_an_empty_mapping(session: Session) -> None:
    assert reload_event(session, propose(session)).recurrence_overrides == {}
    assert (
        reload_event(session, propose(session, recurrence=None, recurrence_overrides=None)).recurrence_overrides == {}
    )
    assert (
        reload_event(session, propose(session, recurrence_overrides={APRIL: None, MAY: {}})).recurrence_overrides == {}
    )


def test_overrides_are_sorted_and_merged(session: Session) -> None:
    event = propose(session, recurrence_overrides={MAY: {"title": "B", "venue": None}, APRIL: {"excluded": True}})
    assert list(reload_event(session, event).recurrence_overrides.items()) == [
        (APRIL, {"excluded": True}),
        (MAY, {"title": "B"}),
    ]
    assert edit_and_load_overrides(
        session, event, recurrence_overrides={MAY: {"title": None, "status": "cancelled"}, APRIL: None}
    ) == {MAY: {"status": "cancelled"}}
    assert edit_and_load_overrides(session, event, title="Call") == {MAY: {"status": "cancelled"}}
    assert edit_and_load_overrides(session, event, recurrence_overrides={MAY: {"status": None}}) == {}
    assert edit_and_load_overrides(session, event, recurrence_overrides={MAY: {"title": "C"}}) == {MAY: {"title": "C"}}
    assert edit_and_load_overrides(session, event, recurrence_overrides=None) == {}


def test_setting_the_same_overrides_does_not_modify_the_event(session: Session) -> None:
    overrides: dict[str, OverrideFields | None] = {MAY: {"title": "B", "starts": MAY}, APRIL: {"excluded": True}}
    event = reload_event(session, propose(session, recurrence_overrides=overrides))
    edit_event(session, event, {"recurrence_overrides": overrides}, now=NOON)
    assert not session.is_modified(event)


def test_change_that_invalidates_an_override_is_rejected(session: Session) -> None:
    event = propose(session, recurrence_overrides={APRIL: {"title": "A"}, MAY: {"starts": "2026-05-06T16:00:00"}})
    gone = "is no longer an occurrence of the rule; the next occurrence is {}"
    assert edit_errors(session, event, starts="2026-03-03T17:00:00", ends="2026-03-03T18:00:00") == [
        FieldError(f"/recurrence_overrides/{APRIL}", gone.format("2026-04-07T17:00:00")),
        FieldError(f"/recurrence_overrides/{MAY}", gone.format("2026-05-05T17:00:00")),
    ]
    assert edit_errors(session, event, recurrence="FREQ=MONTHLY;INTERVAL=2;BYDAY=1TU") == [
        FieldError(f"/recurrence_overrides/{APRIL}", gone.format(MAY))
    ]
    assert [fault.pointer for fault in edit_errors(session, event, recurrence=None)] == ["/recurrence_overrides"]
    assert edit_errors(
        session, event, timezone="America/New_York", recurrence_overrides={MAY: {"starts": "2027-03-14T02:30:00"}}
    ) == [
        FieldError(
            f"/recurrence_overrides/{MAY}/starts",
            "2027-03-14T02:30:00 does not exist in America/New_York because of a clock change; the next valid time "
            "is 2027-03-14T03:00:00",
        )
    ]
    # The change is valid together with the removal of the overrides.
    assert edit_and_load_overrides(session, event, recurrence=None, recurrence_overrides=None) == {}


def test_invalid_recurrence_rule_or_time_zone_is_the_only_error_reported(session: Session) -> None:
    event = propose(session, recurrence_overrides={APRIL: {"title": "A"}})
    assert [fault.pointer for fault in edit_errors(session, event, recurrence="FREQ=HOURLY")] == ["/recurrence"]
    assert [fault.pointer for fault in edit_errors(session, event, timezone="Mars/Olympus")] == ["/timezone"]


def test_text_search_covers_overrides(session: Session) -> None:
    propose(session, recurrence_overrides={APRIL: {"title": "With Grace Hopper", "summary": "Ships", "venue": "Attic"}})
    assert [find_event_titles(session, Filter(q=q)) for q in ("grace", "ship", "attic", "nothing")] == [
        *([CALL_FIELDS["title"]] for _ in range(3)),
        [],
    ]


# First and last day


def test_event_days_span_all_occurrences(session: Session) -> None:
    endless = propose(session)
    assert (endless.first_day, endless.last_day) == ("2026-03-03", "2199-12-31")
    counted = {"recurrence": "FREQ=MONTHLY;BYDAY=1TU;COUNT=4"}
    ended = propose(session, **counted)
    assert (ended.first_day, ended.last_day) == ("2026-03-03", "2026-06-02")
    moved: dict[str, OverrideFields | None] = {
        APRIL: {"starts": "2026-02-28T09:00:00"},
        MAY: {"ends": "2026-07-01T12:00:00"},
    }
    edit_event(session, ended, {"recurrence_overrides": moved}, now=NOON)
    assert (ended.first_day, ended.last_day) == ("2026-02-28", "2026-07-01")
    edit_event(session, ended, {"recurrence_overrides": None, "recurrence": None}, now=NOON)
    assert (ended.first_day, ended.last_day) == ("2026-03-03", "2026-03-03")
    # The event as a whole starts with its first occurrence.
    assert (moved_first := propose(session, recurrence_overrides=moved)).starts_at == endless.starts_at
    assert moved_first.ends_at == endless.ends_at


# Filtering by day


def test_day_filter_matches_only_events_with_an_occurrence_in_the_range(session: Session) -> None:
    overrides = {APRIL: {"excluded": True}, MAY: {"starts": "2026-05-12T16:00:00"}, JUNE: {"status": "cancelled"}}
    propose(session, recurrence_overrides=overrides)
    propose(session, title="Office hour", recurrence="FREQ=WEEKLY;BYDAY=TU")
    make_event(session, title="Summit")
    call, office, summit = "Community call", "Office hour", "Summit"
    expected = {
        day_filter("2026-03-03", "2026-03-03"): [call, office],
        day_filter("2026-03-04", "2026-03-09"): [],
        day_filter("2026-04-01", "2026-04-30"): [office],
        day_filter("2026-05-05", "2026-05-05"): [office],
        day_filter("2026-05-12", "2026-05-12"): [call, office],
        day_filter("2026-06-02", "2026-06-10"): [call, office, summit],
        day_filter("2150-01-01"): [call, office],
        day_filter(None, "2026-03-03"): [call, office],
        day_filter(None, "2026-03-02"): [],
        NO_FILTER: [call, office, summit],
    }
    assert {asked: find_event_titles(session, asked) for asked in expected} == expected


def test_day_filter_applies_to_waiting_events(session: Session) -> None:
    for status in (EventStatus.PENDING, EventStatus.CONFIRMED):
        make_event(session, **CALL_FIELDS, status=status)

    def waiting(asked: Filter) -> list[EventStatus]:
        flush_and_expunge(session)
        page = list_pending_events(session, asked, sort=Sort.STARTS, paging=PageRequest(), now=NOON)
        return [event.status for event in page.items]

    assert waiting(day_filter("2026-04-07", "2026-04-08")) == [EventStatus.PENDING]
    assert waiting(day_filter("2026-04-08", "2026-04-09")) == []


def test_narrowed_filter_excludes_events_without_an_occurrence_in_the_range(session: Session) -> None:
    call, office = propose(session), propose(session, recurrence="FREQ=WEEKLY;BYDAY=TU")
    ended = propose(session, recurrence="FREQ=WEEKLY;COUNT=2")
    hidden = make_event(session, **CALL_FIELDS, status=EventStatus.PENDING)
    make_event(session)
    flush_and_expunge(session)
    april = day_filter("2026-04-08", "2026-04-09", q="call")
    assert exclude_without_occurrence(session, april) == day_filter(
        "2026-04-08", "2026-04-09", q="call", excluded_event_ids=tuple(sorted([call.id, office.id]))
    )
    assert exclude_without_occurrence(session, day_filter("2026-04-14", "2026-04-14")).excluded_event_ids == (call.id,)
    assert exclude_without_occurrence(session, april, statuses=[EventStatus.PENDING]).excluded_event_ids == (hidden.id,)
    assert exclude_without_occurrence(
        session, day_filter("2026-04-08", "2026-04-09", events=(office.slug,))
    ).excluded_event_ids == (office.id,)
    assert ended.id not in exclude_without_occurrence(session, day_filter("2026-04-01")).excluded_event_ids
    everything = Filter(q="call")
    assert exclude_without_occurrence(session, everything) is everything


def test_absent_filter_excludes_an_event_but_not_its_talks(session: Session) -> None:
    event = propose(session)
    make_talk(session, event, state=TalkState.CONFIRMED, starts="2026-04-07T16:00:00", published_at=NOON)
    asked = day_filter(excluded_event_ids=(event.id,))
    flush_and_expunge(session)
    assert list(session.scalars(select_public_events(asked, now=NOON))) == []
    talks = list_talks(session, asked, sort=Sort.STARTS, paging=PageRequest(), now=NOON)
    assert [talk.title for talk in talks.items] == ["Xen on ARM"]


def test_narrowed_sends_one_statement_and_none_without_days(database: Database) -> None:
    with database.unit_of_work() as unit:
        for _ in range(5):
            make_event(unit.session, **CALL_FIELDS)
    for asked, cost in ((day_filter("2026-04-01"), 1), (day_filter(None, "2026-04-01"), 1), (NO_FILTER, 0)):
        with database.read_session() as session, record_statements(database) as seen:
            exclude_without_occurrence(session, asked)
        assert len([one for one in seen if one.startswith("SELECT")]) == cost


# Data from earlier releases


def test_events_of_an_earlier_schema_have_no_overrides(database: Database) -> None:
    with database.unit_of_work() as unit:
        make_event(unit.session, slug="before", recurrence="FREQ=YEARLY")
    migrate.downgrade(database.engine, "0003")
    migrate.upgrade(database.engine)
    with database.read_session() as session:
        assert session.execute(text("SELECT title, recurrence FROM events")).all() == [("Xen Summit", "FREQ=YEARLY")]
        assert get_event(session, "before", MODERATOR_CALLER).recurrence_overrides == {}
