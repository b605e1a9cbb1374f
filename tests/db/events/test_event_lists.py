"""Visibility of events, singly and in lists."""

from contextlib import suppress

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import PUBLIC_STATUSES, EventStatus
from eventcal.events.errors import EventNotFound
from eventcal.events.filter import NO_FILTER, Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import get_event, get_event_for_organiser, list_events, list_pending_events
from eventcal.events.service import edit_event
from eventcal.kit.database import Database
from eventcal.kit.errors import Forbidden, Unauthenticated
from eventcal.kit.pagination import PageRequest
from eventcal.members.caller import ANONYMOUS
from tests.clocks import NOON
from tests.factories import MODERATOR_CALLER, make_caller, make_event, make_member, make_organiser
from tests.sql_statements import record_statements

# Visibility


@pytest.mark.parametrize("status", EventStatus)
def test_unpublished_event_is_visible_only_to_its_team_and_moderators(session: Session, status: EventStatus) -> None:
    event, another = make_event(session, status=status), make_event(session)
    member = make_member(session)
    callers = {
        "visitor": ANONYMOUS,
        "member": make_caller(member),
        "organiser of another": make_caller(member, organises=[another]),
        "reviewer": make_caller(member, reviews=[event]),
        "organiser": make_caller(member, organises=[event]),
        "moderator": MODERATOR_CALLER,
    }
    found = set()
    for who, caller in callers.items():
        with suppress(EventNotFound):
            get_event(session, event.slug, caller)
            found.add(who)
    assert found == (set(callers) if status in PUBLIC_STATUSES else {"reviewer", "organiser", "moderator"})


def test_hidden_event_and_missing_event_give_the_same_error(session: Session) -> None:
    make_event(session, slug="hidden", status=EventStatus.DRAFT)
    for slug in ("hidden", "nowhere"):
        with pytest.raises(EventNotFound) as refused:
            get_event_for_organiser(session, slug, ANONYMOUS)
        assert refused.value.detail == f"Event “{slug}” not found."


def test_get_organised_event_requires_an_organiser(session: Session) -> None:
    event = make_event(session)
    organiser = make_organiser(session, event)
    assert get_event_for_organiser(session, event.slug, organiser) is event
    with pytest.raises(Forbidden):
        get_event_for_organiser(session, event.slug, make_caller(make_member(session), reviews=[event]))
    with pytest.raises(Unauthenticated):
        get_event_for_organiser(session, event.slug, ANONYMOUS)


# Lists


@pytest.mark.parametrize("sort", Sort)
def test_paging_lists_every_event_once_in_order(session: Session, sort: Sort) -> None:
    for day in (3, 1, 2, 1, 3):
        make_event(session, starts=f"2026-06-0{day}", ends="2026-06-09")
    found: list[Event] = []
    cursor = None
    while True:
        page = list_events(session, NO_FILTER, sort=sort, paging=PageRequest(limit=2, cursor=cursor), now=NOON)
        found.extend(page.items)
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    rows = session.scalars(select(Event)).all()
    expected = {
        Sort.STARTS: sorted(rows, key=lambda event: (event.starts_at, event.id)),
        Sort.STARTS_DOWN: sorted(rows, key=lambda event: (event.starts_at, event.id), reverse=True),
        Sort.UPDATED: sorted(rows, key=lambda event: (event.updated_at, event.id)),
    }
    assert found == expected[sort]


def test_public_list_holds_published_events_and_waiting_list_pending_ones(session: Session) -> None:
    for status in EventStatus:
        make_event(session, slug=status.value, status=status)
    public = list_events(session, NO_FILTER, sort=Sort.STARTS, paging=PageRequest(), now=NOON).items
    waiting = list_pending_events(
        session, Filter(states=("pending",)), sort=Sort.STARTS, paging=PageRequest(), now=NOON
    ).items
    assert {event.slug for event in public} == set(PUBLIC_STATUSES)
    assert [event.slug for event in waiting] == ["pending"]


def test_event_list_statement_count_is_independent_of_its_length(database: Database) -> None:
    counts = []
    for more in (1, 49):
        with database.unit_of_work() as unit:
            for _ in range(more):
                event = make_event(unit.session, tags=["xen"], tracks=["Main"], rooms=["Hall"])
                edit_event(unit.session, event, {"co_located_with": _other_event_slugs(unit.session, event)}, now=NOON)
        with record_statements(database) as sent, database.read_session() as session:
            page = list_events(session, NO_FILTER, sort=Sort.STARTS, paging=PageRequest(), now=NOON)
            shown = [
                (event.tags, event.tracks, event.rooms, event.call, [row.other.slug for row in event.neighbours])
                for event in page.items
            ]
        counts.append((len(shown), len(sent)))
    assert [length for length, _ in counts] == [1, 50]
    assert counts[0][1] == counts[1][1]


def _other_event_slugs(session: Session, event: Event) -> list[str]:
    return list(session.scalars(select(Event.slug).where(Event.id != event.id).limit(1)))
