"""Deadlines are exact to the second in every time zone."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from eventcal.events.enums import EventStatus, Programme
from eventcal.events.filter import NO_FILTER, Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import list_events
from eventcal.kit.errors import DomainError
from eventcal.kit.pagination import PageRequest
from eventcal.members.caller import Caller
from eventcal.members.enums import Role
from eventcal.talks.enums import TalkState
from eventcal.talks.errors import TalksClosed
from eventcal.talks.rules import TalkAction
from eventcal.talks.service import check_accepts_talks, submit_talk
from eventcal.talks.state_changes import apply_talk_action
from tests.clocks import NOON, FixedClock
from tests.factories import make_caller, make_event, make_member, make_talk

SECOND = timedelta(seconds=1)
MEMBER = Caller(member_id="m", role=Role.MEMBER)


def parse_utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("closes", "moment"),
    [
        (("2026-05-01T23:59:59", "Europe/Berlin"), "2026-05-01T21:59:59"),
        (("2026-05-01T23:59:59", "America/Chicago"), "2026-05-02T04:59:59"),
        (("2026-05-01T00:00:00", "Asia/Kathmandu"), "2026-04-30T18:15:00"),
        (("2026-05-01T23:59:59+02:00", "America/Chicago"), "2026-05-01T21:59:59"),
        # The days on which the clocks go forward (before and after the change) and back.
        (("2026-03-29T01:59:59", "Europe/Berlin"), "2026-03-29T00:59:59"),
        (("2026-03-29T03:00:00", "Europe/Berlin"), "2026-03-29T01:00:00"),
        (("2026-10-25T02:30:00", "Europe/Berlin"), "2026-10-25T00:30:00"),
        (("2026-10-25T23:59:59", "Europe/Berlin"), "2026-10-25T22:59:59"),
    ],
)
def test_submission_one_second_after_deadline_is_rejected(
    session: Session, clock: FixedClock, closes: tuple[str, str], moment: str
) -> None:
    written, tzid = closes
    event = make_event(session, timezone=tzid, starts="2026-12-01", ends="2026-12-02", talks_close_at=written)
    _check_closes_after(session, event, clock, last=parse_utc(moment))


@pytest.mark.parametrize("tzid", ["Pacific/Kiritimati", "Europe/Berlin", "Pacific/Pago_Pago"])
def test_anywhere_on_earth_deadline_ends_at_noon_utc_of_the_next_day(
    session: Session, clock: FixedClock, tzid: str
) -> None:
    call = {"closes": "2026-05-01", "anywhere_on_earth": True}
    event = make_event(session, timezone=tzid, starts="2026-12-01", ends="2026-12-02", call=call)
    _check_closes_after(session, event, clock, last=parse_utc("2026-05-02T12:00:00"))


def _check_closes_after(session: Session, event: Event, clock: FixedClock, *, last: datetime) -> None:
    member = make_member(session)
    caller = make_caller(member)
    clock.set_time(last)
    submit_talk(session, event, {"title": "On the second"}, member=member, caller=caller, now=clock.now())
    draft = make_talk(session, event, state=TalkState.DRAFT, submitter=member)
    clock.tick()
    with pytest.raises(TalksClosed, match="has closed"):
        submit_talk(session, event, {"title": "Too late"}, member=member, caller=caller, now=clock.now())
    with pytest.raises(TalksClosed, match="has closed"):
        apply_talk_action(session, draft, TalkAction.SUBMIT, caller=caller, reason=None, now=clock.now())


def test_call_accepts_no_talks_before_it_opens(session: Session, clock: FixedClock) -> None:
    event = make_event(session, call={"opens": "2026-04-01T09:00:00"})
    clock.set_time(parse_utc("2026-04-01T06:59:59"))
    with pytest.raises(TalksClosed, match="is not open yet"):
        check_accepts_talks(event, caller=MEMBER, now=clock.now())
    clock.tick()
    check_accepts_talks(event, caller=MEMBER, now=clock.now())


def test_curated_event_without_call_accepts_no_talks(session: Session) -> None:
    with pytest.raises(TalksClosed, match="has no call for talks"):
        check_accepts_talks(make_event(session, call=None), caller=MEMBER, now=NOON)


def test_call_open_filter_matches_exactly_the_events_accepting_talks(session: Session) -> None:
    noon = "2026-03-01T12:00:00+00:00"
    calls = [
        None,
        {},
        {"closes": noon},
        {"opens": noon},
        {"opens": "2026-03-01T12:00:01+00:00"},
        {"closes": "2026-03-01T11:59:59+00:00"},
        {"opens": "2026-01-01T00:00:00", "closes": "2026-04-01", "anywhere_on_earth": True},
    ]
    days = [("2026-06-10", None), ("2026-03-01", None), ("2026-02-01", None), ("2026-02-01", "FREQ=WEEKLY")]
    for call in calls:
        for programme in Programme:
            for starts, recurrence in days:
                make_event(session, call=call, programme=programme, starts=starts, ends=starts, recurrence=recurrence)
    for status in EventStatus:
        make_event(session, status=status)
    for now in (NOON - SECOND, NOON, NOON + timedelta(microseconds=999_999), NOON + SECOND):
        found = list_events(
            session, Filter(accepting_talks=True), sort=Sort.STARTS, paging=PageRequest(limit=200), now=now
        )
        listed = list_events(session, NO_FILTER, sort=Sort.STARTS, paging=PageRequest(limit=200), now=now)
        assert [event.id for event in found.items] == [event.id for event in listed.items if _accepts_talks(event, now)]


def _accepts_talks(event: Event, now: datetime) -> bool:
    try:
        check_accepts_talks(event, caller=MEMBER, now=now)
    except DomainError:
        return False
    return True
