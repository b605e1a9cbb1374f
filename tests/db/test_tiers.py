"""Adding, editing and removing tiers, and their capacity."""

from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import EventStatus
from eventcal.events.errors import DuplicateName, InUse
from eventcal.events.models import Event
from eventcal.kit.database import Database
from eventcal.kit.errors import FieldError, Forbidden, Invalid
from eventcal.members.caller import ANONYMOUS
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.errors import TierNotFound
from eventcal.sponsors.models import Sponsorship, Tier
from eventcal.sponsors.queries import count_taken_places, get_tier_for_organiser, list_tiers_with_taken_places
from eventcal.sponsors.service import create_tier, delete_tier, update_tier
from tests.factories import (
    MODERATOR_CALLER,
    flush_and_expunge,
    make_caller,
    make_event,
    make_member,
    make_organiser,
    make_sponsorship,
    make_tier,
)
from tests.sql_statements import record_statements

PRICE_FIELDS = {"amount": Decimal("5000.00"), "currency": "EUR"}


def reload_tier(session: Session, tier: Tier) -> Tier:
    """Return the tier as the next request loads it."""
    flush_and_expunge(session)
    return get_tier_for_organiser(session, tier.id, MODERATOR_CALLER)


def column_values(tier: Tier) -> tuple[object, ...]:
    return (tier.name, tier.rank, tier.price_amount, tier.price_currency, tier.capacity, tier.benefits)


def test_added_tier_stores_all_fields(session: Session) -> None:
    fields = {"name": "Gold", "rank": 2, "price": PRICE_FIELDS, "capacity": 3, "benefits": ["Logo", "Booth"]}
    tier = create_tier(session, make_event(session), fields)
    assert column_values(reload_tier(session, tier)) == ("Gold", 2, Decimal("5000.00"), "EUR", 3, ["Logo", "Booth"])


def test_tier_requires_only_a_name(session: Session) -> None:
    tier = create_tier(session, make_event(session), {"name": "Gold"})
    assert column_values(reload_tier(session, tier)) == ("Gold", 1, None, None, None, [])


def test_edit_changes_only_the_given_fields_and_null_clears(session: Session) -> None:
    fields = {"name": "Gold", "price": PRICE_FIELDS, "capacity": 3, "benefits": ["Logo"]}
    tier = create_tier(session, make_event(session), fields)
    update_tier(session, reload_tier(session, tier), {"name": "Gold", "price": {"amount": Decimal(10)}, "rank": 7})
    assert column_values(reload_tier(session, tier)) == ("Gold", 7, Decimal(10), "EUR", 3, ["Logo"])
    update_tier(session, reload_tier(session, tier), {"price": None, "capacity": None, "benefits": None})
    assert column_values(reload_tier(session, tier)) == ("Gold", 7, None, None, None, [])


def test_price_without_currency_is_rejected(session: Session) -> None:
    with pytest.raises(Invalid) as refused:
        create_tier(session, make_event(session), {"name": "Gold", "price": {"amount": Decimal(10)}})
    assert refused.value.errors == (FieldError("/price", "must have both an amount and a currency, or be null"),)


def test_tier_name_is_unique_within_an_event(session: Session) -> None:
    event = make_event(session)
    gold, silver = make_tier(session, event, name="Gold"), make_tier(session, event, name="Silver")
    with pytest.raises(DuplicateName):
        create_tier(session, event, {"name": "Gold"})
    with pytest.raises(DuplicateName):
        update_tier(session, silver, {"name": "Gold"})
    assert update_tier(session, gold, {"name": "Gold", "rank": 5}).rank == 5
    assert create_tier(session, make_event(session), {"name": "Gold"}).name == "Gold"


def test_capacity_cannot_be_less_than_the_confirmed_sponsorships(session: Session) -> None:
    tier = make_tier(session, make_event(session), capacity=3)
    for state in (*SponsorshipState, SponsorshipState.CONFIRMED):
        make_sponsorship(session, tier, state=state)
    assert count_taken_places(session, tier) == 2
    with pytest.raises(Invalid) as refused:
        update_tier(session, tier, {"capacity": 1})
    assert refused.value.errors == (
        FieldError("/capacity", "must be at least 2, the number of confirmed sponsorships"),
    )
    assert update_tier(session, tier, {"capacity": 2}).capacity == 2


@pytest.mark.parametrize("state", SponsorshipState)
def test_tier_can_be_removed_only_if_all_its_sponsorships_are_cancelled(
    session: Session, state: SponsorshipState
) -> None:
    tier = make_tier(session, make_event(session))
    make_sponsorship(session, tier, state=SponsorshipState.CANCELLED)
    make_sponsorship(session, tier, state=state)
    tier = reload_tier(session, tier)
    if state == SponsorshipState.CANCELLED:
        delete_tier(session, tier)
        assert [session.scalars(select(table)).all() for table in (Tier, Sponsorship)] == [[], []]
    else:
        with pytest.raises(InUse):
            delete_tier(session, tier)


def test_get_tier_requires_an_organiser(session: Session) -> None:
    event = make_event(session)
    tier = make_tier(session, event)
    assert get_tier_for_organiser(session, tier.id, make_organiser(session, event)) is tier
    with pytest.raises(Forbidden):
        get_tier_for_organiser(session, tier.id, make_caller(make_member(session)))


def test_tier_of_hidden_event_is_not_found(session: Session) -> None:
    tier = make_tier(session, make_event(session, status=EventStatus.PENDING))
    for tier_id in (tier.id, "nothing"):
        with pytest.raises(TierNotFound) as refused:
            get_tier_for_organiser(session, tier_id, ANONYMOUS)
        assert refused.value.detail == f"Tier “{tier_id}” not found."


def test_tiers_are_listed_by_rank_and_name_with_their_confirmed_count(session: Session) -> None:
    event = make_event(session)
    ranks = {"Silver": 2, "Gold": 1, "Bronze": 3, "Art": 2}
    tiers = {name: make_tier(session, event, name=name, rank=rank) for name, rank in ranks.items()}
    for state in (*SponsorshipState, SponsorshipState.CONFIRMED):
        make_sponsorship(session, tiers["Silver"], state=state)
    make_sponsorship(session, make_tier(session, make_event(session)), state=SponsorshipState.CONFIRMED)
    listed = [(tier.name, taken) for tier, taken in list_tiers_with_taken_places(session, event)]
    assert listed == [("Gold", 0), ("Art", 0), ("Silver", 2), ("Bronze", 0)]


def test_tier_list_takes_one_statement_at_any_length(database: Database) -> None:
    with database.unit_of_work() as unit:
        event = make_event(unit.session)
        for _ in range(20):
            make_sponsorship(unit.session, make_tier(unit.session, event), state=SponsorshipState.CONFIRMED)
    with database.read_session() as session:
        here = session.get_one(Event, event.id)
        with record_statements(database) as sent:
            assert [taken for _, taken in list_tiers_with_taken_places(session, here)] == [1] * 20
    assert len(sent) == 1
