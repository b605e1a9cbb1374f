"""Enquiring about sponsorships, confirming and cancelling them without overselling a tier."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import EventStatus
from eventcal.events.errors import EventEnded, InUse, InvalidTransition
from eventcal.events.models import Event
from eventcal.kit.database import Database
from eventcal.kit.errors import DomainError, FieldError, Forbidden, Invalid
from eventcal.kit.pagination import PageRequest
from eventcal.members.caller import ANONYMOUS, Caller
from eventcal.members.errors import EmailNotConfirmed
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.errors import EventCancelled, SponsorshipNotFound, TierFull
from eventcal.sponsors.models import Sponsorship
from eventcal.sponsors.queries import get_sponsorship, list_sponsorships
from eventcal.sponsors.rules import SPONSORSHIP_TRANSITIONS, SponsorshipAction
from eventcal.sponsors.service import apply_sponsorship_action, check_has_no_sponsorships, request_sponsorship
from tests.clocks import NOON, FixedClock
from tests.factories import (
    MODERATOR_CALLER,
    flush_and_expunge,
    make_caller,
    make_event,
    make_member,
    make_organiser,
    make_sponsor,
    make_sponsorship,
    make_tier,
)

SPONSOR_FIELDS = {"name": "Rackspace", "url": "https://rackspace.example", "description": "Hosts"}
CONFIRMED = SponsorshipState.CONFIRMED


def request_new_sponsorship(
    session: Session,
    event: Event,
    sponsor: object,
    *,
    caller: Caller,
    **fields: Any,
) -> Sponsorship:
    """Enquire about a new tier of the event, or about the given one."""
    tier = fields.pop("tier", None) or make_tier(session, event).id
    return request_sponsorship(session, event, {"tier": tier, "sponsor": sponsor, **fields}, caller=caller, now=NOON)


# Enquiries


def test_member_enquires_for_a_new_sponsor(session: Session) -> None:
    member, event = make_member(session), make_event(session)
    row = request_new_sponsorship(session, event, SPONSOR_FIELDS, caller=make_caller(member), note="Call us")
    assert (row.state, row.note, row.enquirer_id) == (SponsorshipState.ENQUIRY, "Call us", member.id)
    sponsor = row.sponsor
    assert (sponsor.slug, sponsor.name, sponsor.url, sponsor.description, sponsor.logo_url) == (
        "rackspace",
        "Rackspace",
        "https://rackspace.example",
        "Hosts",
        None,
    )


def test_new_sponsor_gets_a_unique_slug(session: Session) -> None:
    event, caller = make_event(session), make_caller(make_member(session))
    names = ["ACME, Inc.", "Acme Inc", "acme inc", "株式会社"]
    slugs = [
        request_new_sponsorship(session, event, {"name": name, "url": None}, caller=caller).sponsor.slug
        for name in names
    ]
    assert slugs[:3] == ["acme-inc", "acme-inc-2", "acme-inc-3"]
    assert slugs[3].startswith("sponsor-")


@pytest.mark.parametrize(
    "named", ["rackspace", {"slug": "rackspace"}, {"slug": "rackspace", "name": "Mine", "url": "x"}]
)
def test_existing_sponsor_is_referenced_by_slug_and_unchanged(session: Session, named: object) -> None:
    sponsor = make_sponsor(session, slug="rackspace", name="Rackspace")
    make_sponsorship(session, make_tier(session, make_event(session)), sponsor=sponsor, state=CONFIRMED)
    row = request_new_sponsorship(session, make_event(session), named, caller=make_caller(make_member(session)))
    assert (row.sponsor, row.sponsor.name, row.sponsor.updated_at) == (sponsor, "Rackspace", NOON)


def test_hidden_sponsor_cannot_be_referenced(session: Session) -> None:
    member, another = make_member(session), make_member(session)
    event = make_event(session)
    request_new_sponsorship(session, event, SPONSOR_FIELDS, caller=make_caller(member))
    assert request_new_sponsorship(session, event, "rackspace", caller=make_caller(member)).sponsor.slug == "rackspace"
    for slug in ("rackspace", "nobody"):
        with pytest.raises(Invalid) as refused:
            request_new_sponsorship(session, event, slug, caller=make_caller(another))
        assert refused.value.errors == (
            FieldError("/sponsor", "does not exist; send an object that describes the sponsor"),
        )


def test_validation_reports_all_errors_at_once(session: Session) -> None:
    tier = make_tier(session, make_event(session))
    with pytest.raises(Invalid) as refused:
        request_new_sponsorship(
            session, make_event(session), "nobody", caller=make_caller(make_member(session)), tier=tier.id
        )
    assert refused.value.errors == (
        FieldError("/tier", "is not a tier of this event"),
        FieldError("/sponsor", "does not exist; send an object that describes the sponsor"),
    )


def test_past_or_cancelled_event_accepts_no_enquiries(session: Session) -> None:
    caller = make_caller(make_member(session))
    with pytest.raises(EventEnded):
        request_new_sponsorship(
            session, make_event(session, starts="2026-02-27", ends="2026-02-28"), SPONSOR_FIELDS, caller=caller
        )
    with pytest.raises(EventCancelled):
        request_new_sponsorship(
            session, make_event(session, status=EventStatus.CANCELLED), SPONSOR_FIELDS, caller=caller
        )
    meetup = make_event(session, starts="2026-02-03", ends="2026-02-03", recurrence="FREQ=MONTHLY")
    assert request_new_sponsorship(session, meetup, SPONSOR_FIELDS, caller=caller).state == SponsorshipState.ENQUIRY


# Confirming and cancelling


@pytest.mark.parametrize("state", SponsorshipState)
def test_sponsorship_steps_follow_the_transition_table(
    session: Session, clock: FixedClock, state: SponsorshipState
) -> None:
    tier = make_tier(session, make_event(session))
    rows = {step: make_sponsorship(session, tier, state=state) for step in SponsorshipAction}
    clock.tick()
    went = {}
    for step, row in rows.items():
        try:
            went[step] = apply_sponsorship_action(session, row, step, caller=MODERATOR_CALLER, now=clock.now()).state
            assert row.updated_at == clock.now()
        except InvalidTransition:
            assert (row.state, row.updated_at) == (state, NOON)
    assert went == {step: target for step, (sources, target) in SPONSORSHIP_TRANSITIONS.items() if state in sources}


@pytest.mark.parametrize("step", SponsorshipAction)
def test_only_organisers_may_confirm_or_cancel_a_sponsorship(session: Session, step: SponsorshipAction) -> None:
    enquirer, event = make_member(session), make_event(session)
    row = make_sponsorship(session, make_tier(session, event), enquirer=enquirer)
    for caller in (make_caller(enquirer), make_caller(make_member(session), reviews=[event])):
        with pytest.raises(Forbidden):
            apply_sponsorship_action(session, row, step, caller=caller, now=NOON)
    assert (
        apply_sponsorship_action(session, row, step, caller=make_organiser(session, event), now=NOON).state
        == SPONSORSHIP_TRANSITIONS[step].target
    )


def test_full_tier_accepts_a_sponsorship_after_a_cancellation(session: Session) -> None:
    tier = make_tier(session, make_event(session), name="Gold", capacity=1)
    first, second = make_sponsorship(session, tier), make_sponsorship(session, tier)
    apply_sponsorship_action(session, first, SponsorshipAction.CONFIRM, caller=MODERATOR_CALLER, now=NOON)
    with pytest.raises(TierFull, match="The tier “Gold” has no free places") as refused:
        apply_sponsorship_action(session, second, SponsorshipAction.CONFIRM, caller=MODERATOR_CALLER, now=NOON)
    assert (refused.value.code, second.state) == ("tier-full", SponsorshipState.ENQUIRY)
    apply_sponsorship_action(session, first, SponsorshipAction.CANCEL, caller=MODERATOR_CALLER, now=NOON)
    assert (
        apply_sponsorship_action(session, second, SponsorshipAction.CONFIRM, caller=MODERATOR_CALLER, now=NOON).state
        == CONFIRMED
    )


def test_concurrent_confirmations_never_oversell_a_tier(database: Database) -> None:
    with database.unit_of_work() as unit:
        tier = make_tier(unit.session, make_event(unit.session), capacity=3)
        ids = [make_sponsorship(unit.session, tier).id for _ in range(20)]

    def confirm(sponsorship_id: str) -> str:
        try:
            with database.unit_of_work() as unit:
                row = get_sponsorship(unit.session, sponsorship_id, MODERATOR_CALLER)
                return apply_sponsorship_action(
                    unit.session, row, SponsorshipAction.CONFIRM, caller=MODERATOR_CALLER, now=unit.now
                ).state
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(max_workers=20) as pool:
        outcomes = sorted(pool.map(confirm, ids))
    assert outcomes == ["confirmed"] * 3 + ["tier-full"] * 17
    with database.read_session() as session:
        held = select(Sponsorship).where(Sponsorship.state == CONFIRMED)
        assert len(session.scalars(held).all()) == 3


# Visibility


def test_sponsorship_is_visible_to_its_enquirer_organisers_and_moderators(session: Session) -> None:
    enquirer, event = make_member(session), make_event(session)
    row = make_sponsorship(session, make_tier(session, event), enquirer=enquirer)
    callers = {
        "visitor": ANONYMOUS,
        "member": make_caller(make_member(session)),
        "reviewer": make_caller(make_member(session), reviews=[event]),
        "enquirer": make_caller(enquirer),
        "organiser": make_organiser(session, event),
        "organiser of another": make_organiser(session, make_event(session)),
        "moderator": MODERATOR_CALLER,
    }
    flush_and_expunge(session)
    found = set()
    for who, caller in callers.items():
        try:
            assert get_sponsorship(session, row.id, caller).tier.event.id == event.id
            found.add(who)
        except SponsorshipNotFound as refused:
            assert refused.detail == f"Sponsorship “{row.id}” not found."  # noqa: PT017 - both outcomes are checked
    assert found == {"enquirer", "organiser", "moderator"}


def test_sponsorships_of_an_event_are_listed_page_by_page(session: Session, clock: FixedClock) -> None:
    event = make_event(session)
    tiers = [make_tier(session, event), make_tier(session, event)]
    rows = []
    for i, state in enumerate((*SponsorshipState, *SponsorshipState)):
        clock.tick()
        rows.append(make_sponsorship(session, tiers[i % 2], state=state, now=clock.now()))
    make_sponsorship(session, make_tier(session, make_event(session)))
    expected = [(row.id, row.sponsor.slug, row.tier.name) for row in rows]
    flush_and_expunge(session)
    found, cursor = [], None
    for _ in range(2):
        page = list_sponsorships(session, event, paging=PageRequest(limit=3, cursor=cursor))
        found += [(row.id, row.sponsor.slug, row.tier.name) for row in page.items]
        cursor = page.next_cursor
    assert (found, cursor) == (expected, None)


def test_event_with_sponsorships_cannot_be_deleted(session: Session) -> None:
    event, another = make_event(session), make_event(session)
    make_sponsorship(session, make_tier(session, event), state=SponsorshipState.CANCELLED)
    make_tier(session, another)
    with pytest.raises(InUse):
        check_has_no_sponsorships(session, event)
    check_has_no_sponsorships(session, another)


def test_enquiry_requires_a_confirmed_email_address(session: Session) -> None:
    event = make_event(session)
    tier = make_tier(session, event)
    unconfirmed = replace(make_caller(make_member(session)), email_confirmed=False)
    with pytest.raises(EmailNotConfirmed):
        request_sponsorship(
            session, event, {"tier": tier.id, "sponsor": {"name": "Citrix"}}, caller=unconfirmed, now=NOON
        )
