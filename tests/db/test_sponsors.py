"""Sponsors enquire, organisers confirm and cancel, and who knows of which sponsor."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.errors import EventOver, ForbiddenStep, InUse
from eventcal.events.models import Event
from eventcal.events.words import PUBLIC_STATUSES, EventStatus
from eventcal.kit.database import Database
from eventcal.kit.paging import Paging
from eventcal.kit.refusals import Fault, Forbidden, Invalid, Refusal
from eventcal.members.caller import VISITOR, Caller
from eventcal.sponsors.errors import EventCancelled, NoSuchSponsor, NoSuchSponsorship, TierFull
from eventcal.sponsors.models import Sponsor, Sponsorship, SponsorshipState
from eventcal.sponsors.queries import (
    confirmed_sponsors,
    find_sponsor,
    get_sponsor,
    get_sponsorship,
    list_sponsorships,
)
from eventcal.sponsors.rules import STEPS, SponsorshipStep
from eventcal.sponsors.service import (
    cancel_sponsorship,
    check_unsponsored,
    confirm_sponsorship,
    edit_sponsor,
    enquire,
)
from tests.clocks import NOON, FixedClock
from tests.make import (
    MODERATOR,
    caller_of,
    forget,
    make_event,
    make_member,
    make_organiser,
    make_sponsor,
    make_sponsorship,
    make_tier,
)
from tests.statements import statements

TAKE = {SponsorshipStep.CONFIRM: confirm_sponsorship, SponsorshipStep.CANCEL: cancel_sponsorship}
RACKSPACE = {"name": "Rackspace", "url": "https://rackspace.example", "description": "Hosts"}
CONFIRMED = SponsorshipState.CONFIRMED


def ask(session: Session, event: Event, sponsor: object, *, caller: Caller, **fields: Any) -> Sponsorship:  # noqa: ANN401 - any field
    """Enquire for the event's first tier, or for the one named."""
    tier = fields.pop("tier", None) or make_tier(session, event).id
    return enquire(session, event, {"tier": tier, "sponsor": sponsor, **fields}, caller=caller, now=NOON)


# Enquiring


def test_a_member_enquires_for_somebody_new(session: Session) -> None:
    member, event = make_member(session), make_event(session)
    row = ask(session, event, RACKSPACE, caller=caller_of(member), note="Call us")
    assert (row.state, row.note, row.enquirer_id) == (SponsorshipState.ENQUIRY, "Call us", member.id)
    sponsor = row.sponsor
    assert (sponsor.slug, sponsor.name, sponsor.url, sponsor.description, sponsor.logo_url) == (
        "rackspace",
        "Rackspace",
        "https://rackspace.example",
        "Hosts",
        None,
    )


def test_somebody_new_gets_a_slug_that_nobody_has(session: Session) -> None:
    event, caller = make_event(session), caller_of(make_member(session))
    names = ["ACME, Inc.", "Acme Inc", "acme inc", "株式会社"]
    slugs = [ask(session, event, {"name": name, "url": None}, caller=caller).sponsor.slug for name in names]
    assert slugs[:3] == ["acme-inc", "acme-inc-2", "acme-inc-3"]
    assert slugs[3].startswith("sponsor-")


@pytest.mark.parametrize(
    "named", ["rackspace", {"slug": "rackspace"}, {"slug": "rackspace", "name": "Mine", "url": "x"}]
)
def test_whoever_is_known_is_named_by_their_slug_and_stays_as_they_are(session: Session, named: object) -> None:
    sponsor = make_sponsor(session, slug="rackspace", name="Rackspace")
    make_sponsorship(session, make_tier(session, make_event(session)), sponsor=sponsor, state=CONFIRMED)
    row = ask(session, make_event(session), named, caller=caller_of(make_member(session)))
    assert (row.sponsor, row.sponsor.name, row.sponsor.updated_at) == (sponsor, "Rackspace", NOON)


def test_a_sponsor_that_the_caller_may_not_know_of_cannot_be_named(session: Session) -> None:
    member, another = make_member(session), make_member(session)
    event = make_event(session)
    ask(session, event, RACKSPACE, caller=caller_of(member))
    assert ask(session, event, "rackspace", caller=caller_of(member)).sponsor.slug == "rackspace"
    for slug in ("rackspace", "nobody"):
        with pytest.raises(Invalid) as refused:
            ask(session, event, slug, caller=caller_of(another))
        assert refused.value.faults == (Fault("/sponsor", "there is no such sponsor; describe it"),)


def test_every_fault_is_named_at_once(session: Session) -> None:
    tier = make_tier(session, make_event(session))
    with pytest.raises(Invalid) as refused:
        ask(session, make_event(session), "nobody", caller=caller_of(make_member(session)), tier=tier.id)
    assert refused.value.faults == (
        Fault("/tier", "the event has no such tier"),
        Fault("/sponsor", "there is no such sponsor; describe it"),
    )


def test_nobody_sponsors_what_is_over_or_off(session: Session) -> None:
    caller = caller_of(make_member(session))
    with pytest.raises(EventOver):
        ask(session, make_event(session, starts="2026-02-27", ends="2026-02-28"), RACKSPACE, caller=caller)
    with pytest.raises(EventCancelled):
        ask(session, make_event(session, status=EventStatus.CANCELLED), RACKSPACE, caller=caller)
    meetup = make_event(session, starts="2026-02-03", ends="2026-02-03", recurrence="FREQ=MONTHLY")
    assert ask(session, meetup, RACKSPACE, caller=caller).state == SponsorshipState.ENQUIRY


# Confirming and cancelling


@pytest.mark.parametrize("state", SponsorshipState)
def test_a_sponsorship_goes_where_the_table_leads_and_nowhere_else(
    session: Session, clock: FixedClock, state: SponsorshipState
) -> None:
    tier = make_tier(session, make_event(session))
    rows = {step: make_sponsorship(session, tier, state=state) for step in SponsorshipStep}
    clock.tick()
    went = {}
    for step, row in rows.items():
        try:
            went[step] = TAKE[step](session, row, caller=MODERATOR, now=clock.now()).state
            assert row.updated_at == clock.now()
        except ForbiddenStep:
            assert (row.state, row.updated_at) == (state, NOON)
    assert went == {step: target for step, (sources, target) in STEPS.items() if state in sources}


@pytest.mark.parametrize("step", SponsorshipStep)
def test_only_who_decides_for_the_event_decides(session: Session, step: SponsorshipStep) -> None:
    enquirer, event = make_member(session), make_event(session)
    row = make_sponsorship(session, make_tier(session, event), enquirer=enquirer)
    for caller in (caller_of(enquirer), caller_of(make_member(session), reviews=[event])):
        with pytest.raises(Forbidden):
            TAKE[step](session, row, caller=caller, now=NOON)
    assert TAKE[step](session, row, caller=make_organiser(session, event), now=NOON).state == STEPS[step][1]


def test_a_full_tier_takes_the_next_one_when_a_place_is_free_again(session: Session) -> None:
    tier = make_tier(session, make_event(session), name="Gold", capacity=1)
    first, second = make_sponsorship(session, tier), make_sponsorship(session, tier)
    confirm_sponsorship(session, first, caller=MODERATOR, now=NOON)
    with pytest.raises(TierFull, match="All 1 places of “Gold” are taken") as refused:
        confirm_sponsorship(session, second, caller=MODERATOR, now=NOON)
    assert (refused.value.code, second.state) == ("tier-full", SponsorshipState.ENQUIRY)
    cancel_sponsorship(session, first, caller=MODERATOR, now=NOON)
    assert confirm_sponsorship(session, second, caller=MODERATOR, now=NOON).state == CONFIRMED


def test_twenty_confirm_at_once_and_three_places_take_three(database: Database) -> None:
    with database.unit_of_work() as unit:
        tier = make_tier(unit.session, make_event(unit.session), capacity=3)
        ids = [make_sponsorship(unit.session, tier).id for _ in range(20)]

    def confirm(sponsorship_id: str) -> str:
        try:
            with database.unit_of_work() as unit:
                row = get_sponsorship(unit.session, sponsorship_id, MODERATOR)
                return confirm_sponsorship(unit.session, row, caller=MODERATOR, now=unit.now).state
        except Refusal as refused:
            return refused.code

    with ThreadPoolExecutor(max_workers=20) as pool:
        outcomes = sorted(pool.map(confirm, ids))
    assert outcomes == ["confirmed"] * 3 + ["tier-full"] * 17
    with database.reading() as session:
        held = select(Sponsorship).where(Sponsorship.state == CONFIRMED)
        assert len(session.scalars(held).all()) == 3


# Who knows of which sponsorship


def test_organisers_find_a_sponsorship_and_so_does_whoever_enquired(session: Session) -> None:
    enquirer, event = make_member(session), make_event(session)
    row = make_sponsorship(session, make_tier(session, event), enquirer=enquirer)
    callers = {
        "visitor": VISITOR,
        "member": caller_of(make_member(session)),
        "reviewer": caller_of(make_member(session), reviews=[event]),
        "enquirer": caller_of(enquirer),
        "organiser": make_organiser(session, event),
        "organiser of another": make_organiser(session, make_event(session)),
        "moderator": MODERATOR,
    }
    forget(session)
    found = set()
    for who, caller in callers.items():
        try:
            assert get_sponsorship(session, row.id, caller).tier.event.id == event.id
            found.add(who)
        except NoSuchSponsorship as refused:
            assert refused.detail == f"There is no sponsorship “{row.id}” here."  # noqa: PT017 - both ways are looked at
    assert found == {"enquirer", "organiser", "moderator"}


def test_organisers_list_what_was_asked_of_their_event_page_by_page(session: Session, clock: FixedClock) -> None:
    event = make_event(session)
    tiers = [make_tier(session, event), make_tier(session, event)]
    rows = []
    for i, state in enumerate((*SponsorshipState, *SponsorshipState)):
        clock.tick()
        rows.append(make_sponsorship(session, tiers[i % 2], state=state, now=clock.now()))
    make_sponsorship(session, make_tier(session, make_event(session)))
    expected = [(row.id, row.sponsor.slug, row.tier.name) for row in rows]
    forget(session)
    found, cursor = [], None
    for _ in range(2):
        page = list_sponsorships(session, event, paging=Paging(limit=3, cursor=cursor))
        found += [(row.id, row.sponsor.slug, row.tier.name) for row in page.items]
        cursor = page.next
    assert (found, cursor) == (expected, None)


def test_an_event_that_somebody_asked_to_sponsor_is_not_deleted(session: Session) -> None:
    event, another = make_event(session), make_event(session)
    make_sponsorship(session, make_tier(session, event), state=SponsorshipState.CANCELLED)
    make_tier(session, another)
    with pytest.raises(InUse):
        check_unsponsored(session, event)
    check_unsponsored(session, another)


# Who knows of which sponsor


@pytest.mark.parametrize("state", SponsorshipState)
def test_a_sponsor_is_known_while_it_holds_a_tier_of_a_public_event(session: Session, state: SponsorshipState) -> None:
    enquirer = make_member(session)
    for status in EventStatus:
        event, sponsor = make_event(session, status=status), make_sponsor(session, slug=status.value)
        make_sponsorship(session, make_tier(session, event), sponsor=sponsor, state=state, enquirer=enquirer)
        for caller in (VISITOR, caller_of(enquirer), make_organiser(session, event)):
            found = find_sponsor(session, status.value, caller)
            assert found is (sponsor if state == CONFIRMED and status in PUBLIC_STATUSES else None)
        assert find_sponsor(session, status.value, MODERATOR) is sponsor


def test_a_sponsor_of_several_events_is_found_once(session: Session) -> None:
    sponsor = make_sponsor(session, slug="acme")
    for _ in range(2):
        make_sponsorship(session, make_tier(session, make_event(session)), sponsor=sponsor, state=CONFIRMED)
    assert get_sponsor(session, "acme", VISITOR) is sponsor


def test_a_hidden_sponsor_and_nobody_are_refused_alike(session: Session) -> None:
    make_sponsor(session, slug="hidden")
    for slug in ("hidden", "nobody"):
        with pytest.raises(NoSuchSponsor) as refused:
            get_sponsor(session, slug, VISITOR)
        assert refused.value.detail == f"There is no sponsor “{slug}” here."


def test_only_a_moderator_edits_a_sponsor(session: Session, clock: FixedClock) -> None:
    event, sponsor = make_event(session), make_sponsor(session)
    make_sponsorship(session, make_tier(session, event), sponsor=sponsor, state=CONFIRMED)
    clock.tick()
    edit_sponsor(session, sponsor, {"name": sponsor.name}, caller=MODERATOR, now=clock.now())
    assert sponsor.updated_at == NOON
    edit_sponsor(session, sponsor, {"logo_url": "https://l.org", "url": None}, caller=MODERATOR, now=clock.now())
    assert (sponsor.logo_url, sponsor.url, sponsor.updated_at) == ("https://l.org", None, clock.now())
    with pytest.raises(Forbidden):
        edit_sponsor(session, sponsor, {"name": "Mine"}, caller=make_organiser(session, event), now=clock.now())


# What the public sees of an event


def test_the_public_sees_confirmed_sponsors_by_tier_in_rank_order(session: Session, clock: FixedClock) -> None:
    event = make_event(session)
    ranks = {"Silver": 2, "Gold": 1, "Bronze": 3, "Art": 2}
    tiers = {name: make_tier(session, event, name=name, rank=rank) for name, rank in ranks.items()}
    for name, tier, state in (
        ("Zoe", "Silver", CONFIRMED),
        ("Asks", "Gold", SponsorshipState.ENQUIRY),
        ("Ada", "Silver", CONFIRMED),
        ("Left", "Bronze", SponsorshipState.CANCELLED),
        ("Grace", "Gold", CONFIRMED),
    ):
        clock.tick()
        make_sponsorship(session, tiers[tier], sponsor=make_sponsor(session, name=name), state=state, now=clock.now())
    make_sponsorship(session, make_tier(session, make_event(session)), state=CONFIRMED)
    forget(session)
    shown = [(tier.name, [sponsor.name for sponsor in held]) for tier, held in confirmed_sponsors(session, event)]
    assert shown == [("Gold", ["Grace"]), ("Art", []), ("Silver", ["Zoe", "Ada"]), ("Bronze", [])]


def test_an_event_without_tiers_has_no_sponsors(session: Session) -> None:
    assert confirmed_sponsors(session, make_event(session)) == []


def test_lists_take_the_same_number_of_statements_at_any_length(database: Database) -> None:
    with database.unit_of_work() as unit:
        event = make_event(unit.session)
    counts = []
    for more in (1, 49):
        with database.unit_of_work() as unit:
            here = unit.session.get_one(Event, event.id)
            for _ in range(more):
                make_sponsorship(unit.session, make_tier(unit.session, here), state=CONFIRMED)
        with statements(database) as sent, database.reading() as session:
            public = [sponsor.slug for sponsor in _shown(session, event)]
            listed = list_sponsorships(session, event, paging=Paging()).items
            names = [(row.sponsor.name, row.tier.event.slug) for row in listed]
        counts.append((len(public), len(names), len(sent)))
    assert [count[:2] for count in counts] == [(1, 1), (50, 50)]
    assert counts[0][2] == counts[1][2]


def _shown(session: Session, event: Event) -> Iterator[Sponsor]:
    for _, held in confirmed_sponsors(session, event):
        yield from held
