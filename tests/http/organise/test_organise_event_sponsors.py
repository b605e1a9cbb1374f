"""The page of an event's sponsor tiers and sponsorships: offer, confirm and cancel, without overselling a tier."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.models import Event
from eventcal.members.models import Member
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Sponsor, Sponsorship, Tier
from tests.api import count, row
from tests.browsing import Browser
from tests.http_app import writing
from tests.make import make_event, make_member, make_sponsor, make_sponsorship, make_tier
from tests.organising import HOSTILE, browser_of_team, invalid_fields, is_harmless

HERE = "/organise/summit/sponsors"
GOLD = {"name": "Gold", "rank": "1", "price_amount": "1000", "price_currency": "EUR", "capacity": "2"}
GOLD |= {"benefits": "A\r\n\r\nB"}


@pytest.fixture
def olga(app: Flask, summit: str) -> Browser:
    return browser_of_team(app, summit, "olga@example.org")


@pytest.fixture
def gold(app: Flask, olga: Browser) -> str:
    """Return the id of a tier with a capacity of one."""
    del olga
    return a_tier(app, name="Gold", capacity=1)


def a_tier(app: Flask, slug: str = "summit", **fields: Any) -> str:
    with writing(app) as session:
        event = session.scalars(select(Event).where(Event.slug == slug)).one()
        return make_tier(session, event, **fields).id


def an_enquiry(app: Flask, tier: str, **fields: Any) -> str:
    with writing(app) as session:
        sponsor = make_sponsor(session, name=fields.pop("name", "Rackspace"))
        return make_sponsorship(session, session.get_one(Tier, tier), sponsor=sponsor, **fields).id


def state(app: Flask, sponsorship: str) -> str:
    found: SponsorshipState = row(app, Sponsorship, id=sponsorship).state
    return found.value


def post(browser: Browser, **typed: str) -> int:
    """Submit these values with the page's CSRF token and return the status."""
    browser.go(HERE)
    csrf = browser.fields(HERE, "add-tier")["csrf_token"]
    browser.at = browser.client.post(HERE, data={"csrf_token": csrf, **typed})
    return browser.at.status_code


def in_row(whose: str, typed: dict[str, str]) -> dict[str, str]:
    return {f"{whose}-{name}": value for name, value in typed.items()}


def test_tier_can_be_added_changed_and_removed(app: Flask, olga: Browser) -> None:
    assert "There are no tiers yet" in olga.go(HERE)
    assert "0 of 2 places are taken." in olga.send(HERE, do="add-tier", **in_row("new-tier", GOLD))
    tier = row(app, Tier, name="Gold")
    assert (f"{tier.price_amount:.2f}", tier.price_currency, tier.benefits) == ("1000.00", "EUR", ["A", "B"])
    emptied = dict.fromkeys(("price_amount", "price_currency", "capacity", "rank"), "")
    changed = {"name": "Platinum", "benefits": "C", **emptied}
    assert post(olga, do="save-tier", row=tier.id, **in_row(tier.id, changed)) == 303
    tier = row(app, Tier, name="Platinum")
    assert (tier.price_amount, tier.price_currency, tier.capacity, tier.rank) == (None, None, None, 1)
    olga.go(f"{HERE}/tiers/{tier.id}/remove")
    assert count(app, Tier) == 1
    assert "It is removed." in olga.send(HERE, do="remove-tier")
    assert count(app, Tier) == 0


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"name": ""}, {"name"}),
        ({"price_currency": ""}, {"price_currency"}),
        ({"price_amount": ""}, {"price_amount"}),
        ({"price_amount": "1e9", "price_currency": "euro"}, {"price_amount", "price_currency"}),
        ({"capacity": "0", "rank": "first"}, {"capacity", "rank"}),
        ({"benefits": "x" * 301}, {"benefits"}),
    ],
)
def test_tier_errors_are_shown_beside_their_fields(
    app: Flask, olga: Browser, typed: dict[str, str], wrong: set[str]
) -> None:
    olga.go(HERE)
    olga.send(HERE, do="add-tier", **in_row("new-tier", GOLD | typed))
    assert (olga.at.status_code, invalid_fields(olga)) == (422, {f"new-tier-{name}" for name in wrong})
    assert olga.fields(HERE, "add-tier")["new-tier-name"] == (GOLD | typed)["name"]
    assert count(app, Tier) == 0


def test_tier_capacity_below_confirmed_sponsorships_and_duplicate_name_are_rejected(
    app: Flask, olga: Browser, gold: str
) -> None:
    other = a_tier(app, name="Silver", capacity=3)
    for name in ("One", "Two"):
        an_enquiry(app, other, name=name, state=SponsorshipState.CONFIRMED)
    assert post(olga, do="save-tier", row=other, **in_row(other, {"name": "Silver", "capacity": "1"})) == 422
    assert invalid_fields(olga) == {f"{other}-capacity"}
    assert post(olga, do="save-tier", row=gold, **in_row(gold, {"name": "Silver", "capacity": "1"})) == 409
    assert invalid_fields(olga) == {f"{gold}-name"}


def test_enquiry_can_be_confirmed_and_cancelled_after_confirmation(app: Flask, olga: Browser, gold: str) -> None:
    with writing(app) as session:
        asker = make_member(session, name="Sam Seller", email="sam@example.org")
    one = an_enquiry(app, gold, note="We would love to.", enquirer=asker)
    said = olga.go(HERE)
    assert "Asked for by: Sam Seller (sam@example.org)" in said
    assert "We would love to." in said
    assert "0 of 1 places are taken." in said
    assert "stands on the event's page" in olga.send(HERE, do="confirm")
    assert (state(app, one), "1 of 1 places are taken." in olga.says()) == ("confirmed", True)
    assert "Rackspace" in olga.go("/events/summit")
    assert "you cannot take this back" in olga.go(f"{HERE}/{one}/cancel")
    assert state(app, one) == "confirmed"
    assert "its place is free again" in olga.send(HERE, do="cancel")
    assert (state(app, one), "0 of 1 places are taken." in olga.says()) == ("cancelled", True)


def test_confirming_in_a_full_tier_shows_an_error(app: Flask, olga: Browser, gold: str) -> None:
    an_enquiry(app, gold, name="First", state=SponsorshipState.CONFIRMED)
    late = an_enquiry(app, gold, name="Late")
    assert post(olga, do="confirm", row=late) == 409
    assert "All 1 places of “Gold” are taken." in olga.says()
    assert state(app, late) == "enquiry"


def test_concurrent_confirmations_do_not_oversell_a_tier(app: Flask, olga: Browser, gold: str) -> None:
    rivals = [an_enquiry(app, gold, name=f"Rival {number}") for number in range(4)]
    others = [browser_of_team(app, "summit", f"o{number}@example.org") for number in range(4)]
    for browser in others:
        browser.go(HERE)
    tokens = [browser.fields(HERE, "add-tier")["csrf_token"] for browser in others]

    def confirm(number: int) -> int:
        sent = {"csrf_token": tokens[number], "do": "confirm", "row": rivals[number]}
        return others[number].client.post(HERE, data=sent).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(confirm, range(4)))
    assert statuses == [303, 409, 409, 409]
    assert "1 of 1 places are taken." in olga.go(HERE)


def test_tier_with_sponsorships_cannot_be_removed(app: Flask, olga: Browser, gold: str) -> None:
    an_enquiry(app, gold)
    olga.go(f"{HERE}/tiers/{gold}/remove")
    assert "cancel those sponsorships first" in olga.send(HERE, do="remove-tier")
    assert (olga.at.status_code, count(app, Tier)) == (409, 1)


def test_organiser_adds_a_sponsor_and_confirms_it(app: Flask, olga: Browser, gold: str) -> None:
    olga.go(HERE)
    typed = {"tier": gold, "name": "Example Corp", "url": "https://corp.example/", "description": "Makes\r\nthings."}
    assert "confirm it" in olga.send(HERE, do="add-sponsor", **in_row("new-sponsor", typed))
    made = row(app, Sponsor, name="Example Corp")
    assert (made.url, made.description) == ("https://corp.example/", "Makes\nthings.")
    olga.send(HERE, do="confirm")
    assert "Example Corp" in olga.go("/events/summit")
    silver = a_tier(app, name="Silver")
    olga.go(HERE)
    olga.send(HERE, do="add-sponsor", **in_row("new-sponsor", {"tier": silver, "slug": "example-corp"}))
    assert (count(app, Sponsor), count(app, Sponsorship)) == (1, 2)


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({}, {"name"}),
        ({"slug": "nobody"}, {"slug"}),
        ({"slug": "nobody", "name": "Both"}, {"slug"}),
        ({"name": "Corp", "url": "corp.example"}, {"url"}),
    ],
)
def test_sponsor_errors_are_shown_beside_their_fields(
    app: Flask, olga: Browser, typed: dict[str, str], wrong: set[str]
) -> None:
    gold = a_tier(app, name="Gold")
    olga.go(HERE)
    olga.send(HERE, do="add-sponsor", **in_row("new-sponsor", {"tier": gold, "note": "Kept.", **typed}))
    assert (olga.at.status_code, invalid_fields(olga)) == (422, {f"new-sponsor-{name}" for name in wrong})
    assert olga.fields(HERE, "add-sponsor")["new-sponsor-note"] == "Kept."
    assert (count(app, Sponsor), count(app, Sponsorship)) == (0, 0)


def test_tiers_and_sponsorships_of_other_events_are_rejected(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        make_event(session, slug="other")
    theirs = a_tier(app, "other", name="Theirs")
    one = an_enquiry(app, theirs)
    for step in ("confirm", "cancel", "save-tier", "remove-tier"):
        for thing in (one, theirs, "nothing", ""):
            assert post(olga, do=step, row=thing, **{f"{thing}-name": "Mine"}) == 404
    typed = in_row("new-sponsor", {"tier": theirs, "name": "Corp"})
    assert post(olga, do="add-sponsor", **typed) == 422
    assert olga.client.get(f"{HERE}/{one}/cancel").status_code == 404
    assert olga.client.get(f"{HERE}/tiers/{theirs}/remove").status_code == 404
    assert (state(app, one), row(app, Tier, id=theirs).name, count(app, Sponsor)) == ("enquiry", "Theirs", 1)


def test_organiser_cannot_confirm_own_enquiry_at_another_event(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        make_event(session, slug="other")
    theirs = a_tier(app, "other", name="Theirs")
    own = row(app, Member, email="olga@example.org")
    one = an_enquiry(app, theirs, enquirer=own)
    assert post(olga, do="confirm", row=one) == 404
    assert state(app, one) == "enquiry"


def test_missing_csrf_token_and_unknown_action_are_rejected(app: Flask, olga: Browser, gold: str) -> None:
    one = an_enquiry(app, gold)
    assert olga.client.post(HERE, data={"do": "confirm", "row": one}).status_code == 403
    assert post(olga, do="explode", row=one) == 404
    assert state(app, one) == "enquiry"


def test_hostile_text_is_escaped(app: Flask, olga: Browser) -> None:
    tier = a_tier(app, name=HOSTILE[:90], benefits=[HOSTILE])
    with writing(app) as session:
        asker = make_member(session, name=HOSTILE)
    one = an_enquiry(app, tier, name=HOSTILE, note=f"{HOSTILE}\n</textarea>", enquirer=asker)
    for path in (HERE, f"{HERE}/{one}/cancel", f"{HERE}/tiers/{tier}/remove"):
        olga.go(path)
        assert is_harmless(olga)
