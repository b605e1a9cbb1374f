"""Proposing and editing events, including co-located events."""

from decimal import Decimal
from typing import Any, cast

import pytest
from sqlalchemy.orm import Session

from eventcal.events.enums import PUBLIC_STATUSES, EventStatus, TeamRole
from eventcal.events.errors import InvalidTransition
from eventcal.events.fields import EventFields
from eventcal.events.models import Event
from eventcal.events.queries import get_event, team_roles_by_event
from eventcal.events.rules import ALLOWED_STATUS_EDITS
from eventcal.events.service import edit_event, propose_event
from eventcal.kit.errors import FieldError, Invalid
from eventcal.kit.ids import DuplicateSlug, SlugImmutable
from eventcal.members.enums import Role
from tests.clocks import NOON
from tests.factories import MODERATOR_CALLER, flush_and_expunge, make_caller, make_event, make_member

EVENT_FIELDS: EventFields = {"title": "Xen Hackathon", "timezone": "Europe/London", "starts": "2026-05-29"}


def propose(session: Session, **fields: Any) -> Event:
    """Propose an event as a member."""
    return propose_event(
        session, cast("EventFields", {**EVENT_FIELDS, **fields}), caller=make_caller(make_member(session)), now=NOON
    )


def reload_event(session: Session, event: Event) -> Event:
    """Return the event as the next request loads it."""
    flush_and_expunge(session)
    return get_event(session, event.slug, MODERATOR_CALLER)


def tags_of(event: Event) -> list[str]:
    return [tag.tag for tag in event.tags]


def co_located_slugs(event: Event) -> list[str]:
    return [row.other.slug for row in event.neighbours]


# Proposing


def test_event_proposed_by_member_is_pending_and_the_member_organises_it(session: Session) -> None:
    member = make_member(session)
    event = propose_event(session, EVENT_FIELDS, caller=make_caller(member), now=NOON)
    assert (event.status, event.proposer_id) == (EventStatus.PENDING, member.id)
    assert team_roles_by_event(session, member.id) == {event.id: TeamRole.ORGANISER}


def test_event_proposed_by_moderator_is_published_at_once(session: Session) -> None:
    member = make_member(session, role=Role.MODERATOR)
    event = propose_event(session, EVENT_FIELDS, caller=make_caller(member), now=NOON)
    assert event.status == EventStatus.CONFIRMED
    assert reload_event(session, event).title == "Xen Hackathon"


def test_event_proposed_from_command_line_has_no_proposer(session: Session) -> None:
    event = propose_event(session, EVENT_FIELDS, caller=MODERATOR_CALLER, now=NOON)
    assert event.proposer_id is None


def test_member_can_propose_a_draft(session: Session) -> None:
    assert propose(session, status="draft").status == EventStatus.DRAFT


@pytest.mark.parametrize("status", sorted(PUBLIC_STATUSES))
def test_member_may_not_propose_an_event_with_a_public_status(session: Session, status: str) -> None:
    with pytest.raises(Invalid) as refused:
        propose(session, status=status)
    assert refused.value.errors == (
        FieldError("/status", "must be draft or pending, because only moderators publish events"),
    )


def test_proposed_event_stores_all_fields(session: Session) -> None:
    neighbour = make_event(session, slug="linuxcon")
    fields = {
        "slug": "xen-2026",
        "kind": "hackathon",
        "summary": "Two days",
        "programme": "listed",
        "attendance": "hybrid",
        "starts": "2026-05-29T09:00:00",
        "ends": "2026-05-30T17:00:00",
        "location": {"venue": "Rackspace", "city": "London", "country": "GB", "latitude": 51.5, "longitude": -0.4},
        "registration": {"url": "https://example.org", "price": {"amount": Decimal("99.50"), "currency": "GBP"}},
        "tags": ["xen", "arm", "Xen"],
        "call_for_talks": {"closes_at": "2026-05-01", "anywhere_on_earth": True, "kinds": ["talk"], "note": "Be brief"},
        "co_located_with": ["linuxcon"],
    }
    event = reload_event(session, propose(session, **fields))
    assert (event.slug, event.kind, event.programme, event.attendance) == ("xen-2026", "hackathon", "listed", "hybrid")
    assert (event.venue, event.city, event.country, event.latitude) == ("Rackspace", "London", "GB", 51.5)
    assert (event.registration_url, event.price_amount, event.price_currency) == (
        "https://example.org",
        Decimal("99.50"),
        "GBP",
    )
    assert tags_of(event) == ["xen", "arm", "Xen"]
    assert event.call is not None
    assert (event.call.closes, event.call.kinds, event.call.note) == ("2026-05-01", ["talk"], "Be brief")
    assert co_located_slugs(event) == [neighbour.slug]
    assert (event.starts_at.isoformat(), event.ends_at.isoformat()) == (
        "2026-05-29T08:00:00+00:00",
        "2026-05-30T16:00:00+00:00",
    )


def test_event_without_end_lasts_one_day(session: Session) -> None:
    assert propose(session).ends == "2026-05-29"


def test_event_with_a_start_time_requires_an_end(session: Session) -> None:
    with pytest.raises(Invalid) as refused:
        propose(session, starts="2026-05-29T09:00:00")
    assert [fault.pointer for fault in refused.value.errors] == ["/ends"]


def test_validation_reports_all_errors_at_once(session: Session) -> None:
    with pytest.raises(Invalid) as refused:
        propose(session, ends="2026-05-01", location={"latitude": 1.0}, co_located_with=["nowhere"])
    assert [fault.pointer for fault in refused.value.errors] == ["/location", "/ends", "/co_located_with/0"]


# Slugs


def test_slug_is_derived_from_the_title_and_made_unique(session: Session) -> None:
    slugs = [propose(session, title="Xen Çonf 2026!").slug for _ in range(3)]
    assert slugs == ["xen-conf-2026", "xen-conf-2026-2", "xen-conf-2026-3"]


def test_title_without_ascii_letters_gets_a_generated_slug(session: Session) -> None:
    assert propose(session, title="日本語").slug.startswith("event-")


def test_slug_of_long_title_is_truncated(session: Session) -> None:
    slugs = [propose(session, title="x" * 200).slug for _ in range(2)]
    assert slugs == ["x" * 70, "x" * 70 + "-2"]


def test_requested_slug_in_use_is_rejected(session: Session) -> None:
    make_event(session, slug="xen", status=EventStatus.PENDING)
    with pytest.raises(DuplicateSlug):
        propose(session, slug="xen")


def test_slug_can_change_only_until_the_event_is_published(session: Session) -> None:
    event = make_event(session, slug="xen", status=EventStatus.PENDING)
    assert edit_event(session, event, {"slug": "xen-2026"}, now=NOON).slug == "xen-2026"
    event.status = EventStatus.CONFIRMED
    edit_event(session, event, {"slug": "xen-2026"}, now=NOON)
    with pytest.raises(SlugImmutable):
        edit_event(session, event, {"slug": "xen"}, now=NOON)


# Editing


def test_edit_changes_only_the_given_fields(session: Session) -> None:
    event = reload_event(session, make_event(session, title="Xen", summary="Short", city="Berlin", tags=["a", "b"]))
    edit_event(session, event, {"title": "Xen 2026", "location": {"venue": "Hall"}, "tags": ["b"]}, now=NOON)
    event = reload_event(session, event)
    assert (event.title, event.summary, event.venue, event.city, tags_of(event)) == (
        "Xen 2026",
        "Short",
        "Hall",
        "Berlin",
        ["b"],
    )


def test_price_is_merged_into_the_existing_registration(session: Session) -> None:
    price = {"amount": Decimal(99), "currency": "USD"}
    event = propose(session, registration={"url": "https://example.org", "price": price})
    edit_event(session, event, {"registration": {"url": "https://example.com"}}, now=NOON)
    edit_event(session, event, {"registration": {"price": {"amount": Decimal(120)}}}, now=NOON)
    assert (event.registration_url, event.price_amount, event.price_currency) == (
        "https://example.com",
        Decimal(120),
        "USD",
    )
    edit_event(session, event, {"registration": {"price": None}}, now=NOON)
    assert (event.registration_url, event.price_amount, event.price_currency) == ("https://example.com", None, None)


def test_null_clears_a_field(session: Session) -> None:
    call = {"note": "Be brief", "closes": "2026-04-01T00:00:00"}
    event = make_event(session, summary="Short", city="Berlin", tags=["a"], call=call, registration_url="https://e.org")
    edit_event(session, event, {"summary": None, "location": None, "tags": None, "registration": None}, now=NOON)
    edit_event(session, event, {"call_for_talks": {"note": None}}, now=NOON)
    event = reload_event(session, event)
    assert (event.summary, event.city, tags_of(event), event.registration_url) == (None, None, [], None)
    assert event.call is not None
    assert (event.call.note, event.call.closes) == (None, "2026-04-01T00:00:00")
    edit_event(session, event, {"call_for_talks": None}, now=NOON)
    assert reload_event(session, event).call is None


def test_cleared_call_for_talks_can_be_opened_again(session: Session) -> None:
    event = reload_event(session, make_event(session, call=None))
    edit_event(session, event, {"call_for_talks": {"opens_at": "2026-04-01T00:00:00"}}, now=NOON)
    call = reload_event(session, event).call
    assert call is not None
    assert (call.opens, call.opens_at.isoformat() if call.opens_at else None, call.kinds) == (
        "2026-04-01T00:00:00",
        "2026-03-31T22:00:00+00:00",
        [],
    )


def test_changing_the_time_zone_keeps_local_times_and_moves_instants(session: Session) -> None:
    event = make_event(
        session, starts="2026-06-10T09:00:00", ends="2026-06-10T17:00:00", talks_close_at="2026-06-01T12:00"
    )
    edit_event(session, event, {"timezone": "America/Chicago"}, now=NOON)
    event = reload_event(session, event)
    assert event.call is not None
    assert event.call.closes_at is not None
    assert (event.starts, event.starts_at.hour, event.call.closes_at.hour) == ("2026-06-10T09:00:00", 14, 17)


def test_edit_that_puts_the_start_after_the_end_is_rejected(session: Session) -> None:
    event = make_event(session)
    with pytest.raises(Invalid) as refused:
        edit_event(session, event, {"starts": "2026-07-01"}, now=NOON)
    assert refused.value.errors == (FieldError("/ends", "must not be before `starts`; the last day is included"),)


@pytest.mark.parametrize("status", EventStatus)
def test_edit_allows_only_status_changes_in_the_transition_table(session: Session, status: EventStatus) -> None:
    reached = set()
    for wanted in EventStatus:
        event = make_event(session, status=status)
        try:
            reached.add(edit_event(session, event, {"status": wanted}, now=NOON).status)
        except InvalidTransition as refused:
            assert refused.code == "forbidden-step"  # noqa: PT017 - both outcomes are checked
    assert reached == {status, *ALLOWED_STATUS_EDITS[status]}


# Co-located events


def test_co_location_is_symmetric(session: Session) -> None:
    one, other = make_event(session, slug="xen"), make_event(session, slug="linuxcon")
    edit_event(session, one, {"co_located_with": ["linuxcon"]}, now=NOON)
    assert (co_located_slugs(reload_event(session, one)), co_located_slugs(reload_event(session, other))) == (
        ["linuxcon"],
        ["xen"],
    )


def test_removing_a_co_located_event_removes_both_links(session: Session) -> None:
    events = [make_event(session, slug=slug) for slug in ("xen", "linuxcon", "cloudopen")]
    edit_event(session, reload_event(session, events[0]), {"co_located_with": ["linuxcon", "cloudopen"]}, now=NOON)
    edit_event(session, reload_event(session, events[0]), {"co_located_with": ["cloudopen"]}, now=NOON)
    assert [co_located_slugs(reload_event(session, event)) for event in events] == [["cloudopen"], [], ["xen"]]
    edit_event(session, reload_event(session, events[2]), {"co_located_with": None}, now=NOON)
    assert [co_located_slugs(reload_event(session, event)) for event in events] == [[], [], []]


def test_co_located_events_keep_the_given_order(session: Session) -> None:
    for slug in ("a", "b", "c"):
        make_event(session, slug=slug)
    event = make_event(session, slug="xen")
    edit_event(session, reload_event(session, event), {"co_located_with": ["c", "a"]}, now=NOON)
    edit_event(session, reload_event(session, event), {"co_located_with": ["b", "c", "a"]}, now=NOON)
    assert co_located_slugs(reload_event(session, event)) == ["b", "c", "a"]


def test_event_cannot_be_co_located_with_itself_or_an_unknown_event(session: Session) -> None:
    make_event(session, slug="waiting", status=EventStatus.PENDING)
    event = make_event(session, slug="xen")
    with pytest.raises(Invalid) as refused:
        edit_event(session, event, {"co_located_with": ["xen", "nowhere", "waiting"]}, now=NOON)
    assert [fault.pointer for fault in refused.value.errors] == [f"/co_located_with/{i}" for i in range(3)]
