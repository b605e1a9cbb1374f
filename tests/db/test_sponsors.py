"""Visibility and editing of sponsors, and the public sponsors of an event."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from eventcal.events.enums import PUBLIC_STATUSES, EventStatus
from eventcal.events.models import Event
from eventcal.kit.database import Database
from eventcal.kit.errors import Forbidden
from eventcal.kit.pagination import PageRequest
from eventcal.members.caller import ANONYMOUS
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.errors import SponsorNotFound
from eventcal.sponsors.models import Sponsor
from eventcal.sponsors.queries import find_sponsor, get_sponsor, list_confirmed_sponsors_by_tier, list_sponsorships
from eventcal.sponsors.service import update_sponsor
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
from tests.sql_statements import record_statements

CONFIRMED = SponsorshipState.CONFIRMED


# Visibility


@pytest.mark.parametrize("state", SponsorshipState)
def test_sponsor_is_public_only_with_a_confirmed_tier_of_a_public_event(
    session: Session, state: SponsorshipState
) -> None:
    enquirer = make_member(session)
    for status in EventStatus:
        event, sponsor = make_event(session, status=status), make_sponsor(session, slug=status.value)
        make_sponsorship(session, make_tier(session, event), sponsor=sponsor, state=state, enquirer=enquirer)
        for caller in (ANONYMOUS, make_caller(enquirer), make_organiser(session, event)):
            found = find_sponsor(session, status.value, caller)
            assert found is (sponsor if state == CONFIRMED and status in PUBLIC_STATUSES else None)
        assert find_sponsor(session, status.value, MODERATOR_CALLER) is sponsor


def test_sponsor_of_several_events_is_returned_once(session: Session) -> None:
    sponsor = make_sponsor(session, slug="acme")
    for _ in range(2):
        make_sponsorship(session, make_tier(session, make_event(session)), sponsor=sponsor, state=CONFIRMED)
    assert get_sponsor(session, "acme", ANONYMOUS) is sponsor


def test_hidden_sponsor_and_missing_sponsor_give_the_same_error(session: Session) -> None:
    make_sponsor(session, slug="hidden")
    for slug in ("hidden", "nobody"):
        with pytest.raises(SponsorNotFound) as refused:
            get_sponsor(session, slug, ANONYMOUS)
        assert refused.value.detail == f"Sponsor “{slug}” not found."


def test_only_moderators_may_edit_a_sponsor(session: Session, clock: FixedClock) -> None:
    event, sponsor = make_event(session), make_sponsor(session)
    make_sponsorship(session, make_tier(session, event), sponsor=sponsor, state=CONFIRMED)
    clock.tick()
    update_sponsor(session, sponsor, {"name": sponsor.name}, caller=MODERATOR_CALLER, now=clock.now())
    assert sponsor.updated_at == NOON
    update_sponsor(
        session, sponsor, {"logo_url": "https://l.org", "url": None}, caller=MODERATOR_CALLER, now=clock.now()
    )
    assert (sponsor.logo_url, sponsor.url, sponsor.updated_at) == ("https://l.org", None, clock.now())
    with pytest.raises(Forbidden):
        update_sponsor(session, sponsor, {"name": "Mine"}, caller=make_organiser(session, event), now=clock.now())


# Public sponsors of an event


def test_confirmed_sponsors_are_listed_by_tier_rank(session: Session, clock: FixedClock) -> None:
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
    flush_and_expunge(session)
    shown = [
        (tier.name, [sponsor.name for sponsor in held])
        for tier, held in list_confirmed_sponsors_by_tier(session, event)
    ]
    assert shown == [("Gold", ["Grace"]), ("Art", []), ("Silver", ["Zoe", "Ada"]), ("Bronze", [])]


def test_event_without_tiers_has_no_sponsors(session: Session) -> None:
    assert list_confirmed_sponsors_by_tier(session, make_event(session)) == []


def test_sponsor_list_statement_count_is_independent_of_its_length(database: Database) -> None:
    with database.unit_of_work() as unit:
        event = make_event(unit.session)
    counts = []
    for more in (1, 49):
        with database.unit_of_work() as unit:
            here = unit.session.get_one(Event, event.id)
            for _ in range(more):
                make_sponsorship(unit.session, make_tier(unit.session, here), state=CONFIRMED)
        with record_statements(database) as sent, database.read_session() as session:
            public = [sponsor.slug for sponsor in _confirmed_sponsors(session, event)]
            listed = list_sponsorships(session, event, paging=PageRequest()).items
            names = [(row.sponsor.name, row.tier.event.slug) for row in listed]
        counts.append((len(public), len(names), len(sent)))
    assert [count[:2] for count in counts] == [(1, 1), (50, 50)]
    assert counts[0][2] == counts[1][2]


def _confirmed_sponsors(session: Session, event: Event) -> Iterator[Sponsor]:
    for _, held in list_confirmed_sponsors_by_tier(session, event):
        yield from held
