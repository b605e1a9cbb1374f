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
from tests.api_client import count_rows, get_row
from tests.factories import make_event, make_member, make_sponsor, make_sponsorship, make_tier
from tests.html_browser import HtmlBrowser
from tests.http_app import write_session
from tests.team_browsers import HOSTILE_TEXT, create_team_browser, invalid_field_names, is_hostile_text_escaped

PAGE_PATH = "/organise/summit/sponsors"
GOLD_FIELDS = {"name": "Gold", "rank": "1", "price_amount": "1000", "price_currency": "EUR", "capacity": "2"}
GOLD_FIELDS |= {"benefits": "A\r\n\r\nB"}


@pytest.fixture
def organiser_browser(app: Flask, summit: str) -> HtmlBrowser:
    return create_team_browser(app, summit, "olga@example.org")


@pytest.fixture
def single_place_tier_id(app: Flask, organiser_browser: HtmlBrowser) -> str:
    """Return the id of a tier with a capacity of one."""
    del organiser_browser
    return add_tier(app, name="Gold", capacity=1)


def add_tier(app: Flask, slug: str = "summit", **fields: Any) -> str:
    with write_session(app) as session:
        event = session.scalars(select(Event).where(Event.slug == slug)).one()
        return make_tier(session, event, **fields).id


def add_sponsorship_request(app: Flask, tier: str, **fields: Any) -> str:
    with write_session(app) as session:
        sponsor = make_sponsor(session, name=fields.pop("name", "Rackspace"))
        return make_sponsorship(session, session.get_one(Tier, tier), sponsor=sponsor, **fields).id


def load_sponsorship_state(app: Flask, sponsorship: str) -> str:
    found: SponsorshipState = get_row(app, Sponsorship, id=sponsorship).state
    return found.value


def post_to_page(browser: HtmlBrowser, **values: str) -> int:
    """Submit these values with the page's CSRF token and return the status."""
    browser.visit(PAGE_PATH)
    csrf = browser.form_values(PAGE_PATH, "add-tier")["csrf_token"]
    browser.response = browser.client.post(PAGE_PATH, data={"csrf_token": csrf, **values})
    return browser.response.status_code


def prefix_fields(prefix: str, values: dict[str, str]) -> dict[str, str]:
    return {f"{prefix}-{name}": value for name, value in values.items()}


def test_tier_can_be_added_changed_and_removed(app: Flask, organiser_browser: HtmlBrowser) -> None:
    assert "There are no tiers yet" in organiser_browser.visit(PAGE_PATH)
    assert "0 of 2 places are taken." in organiser_browser.submit_form(
        PAGE_PATH, do="add-tier", **prefix_fields("new-tier", GOLD_FIELDS)
    )
    tier = get_row(app, Tier, name="Gold")
    assert (f"{tier.price_amount:.2f}", tier.price_currency, tier.benefits) == ("1000.00", "EUR", ["A", "B"])
    emptied = dict.fromkeys(("price_amount", "price_currency", "capacity", "rank"), "")
    changed = {"name": "Platinum", "benefits": "C", **emptied}
    assert post_to_page(organiser_browser, do="save-tier", row=tier.id, **prefix_fields(tier.id, changed)) == 303
    tier = get_row(app, Tier, name="Platinum")
    assert (tier.price_amount, tier.price_currency, tier.capacity, tier.rank) == (None, None, None, 1)
    organiser_browser.visit(f"{PAGE_PATH}/tiers/{tier.id}/remove")
    assert count_rows(app, Tier) == 1
    assert "It is removed." in organiser_browser.submit_form(PAGE_PATH, do="remove-tier")
    assert count_rows(app, Tier) == 0


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
    app: Flask, organiser_browser: HtmlBrowser, typed: dict[str, str], wrong: set[str]
) -> None:
    organiser_browser.visit(PAGE_PATH)
    organiser_browser.submit_form(PAGE_PATH, do="add-tier", **prefix_fields("new-tier", GOLD_FIELDS | typed))
    assert (organiser_browser.response.status_code, invalid_field_names(organiser_browser)) == (
        422,
        {f"new-tier-{name}" for name in wrong},
    )
    assert organiser_browser.form_values(PAGE_PATH, "add-tier")["new-tier-name"] == (GOLD_FIELDS | typed)["name"]
    assert count_rows(app, Tier) == 0


def test_tier_capacity_below_confirmed_sponsorships_and_duplicate_name_are_rejected(
    app: Flask, organiser_browser: HtmlBrowser, single_place_tier_id: str
) -> None:
    other = add_tier(app, name="Silver", capacity=3)
    for name in ("One", "Two"):
        add_sponsorship_request(app, other, name=name, state=SponsorshipState.CONFIRMED)
    assert (
        post_to_page(
            organiser_browser, do="save-tier", row=other, **prefix_fields(other, {"name": "Silver", "capacity": "1"})
        )
        == 422
    )
    assert invalid_field_names(organiser_browser) == {f"{other}-capacity"}
    assert (
        post_to_page(
            organiser_browser,
            do="save-tier",
            row=single_place_tier_id,
            **prefix_fields(single_place_tier_id, {"name": "Silver", "capacity": "1"}),
        )
        == 409
    )
    assert invalid_field_names(organiser_browser) == {f"{single_place_tier_id}-name"}


def test_enquiry_can_be_confirmed_and_cancelled_after_confirmation(
    app: Flask, organiser_browser: HtmlBrowser, single_place_tier_id: str
) -> None:
    with write_session(app) as session:
        asker = make_member(session, name="Sam Seller", email="sam@example.org")
    one = add_sponsorship_request(app, single_place_tier_id, note="We would love to.", enquirer=asker)
    said = organiser_browser.visit(PAGE_PATH)
    assert "Asked for by: Sam Seller (sam@example.org)" in said
    assert "We would love to." in said
    assert "0 of 1 places are taken." in said
    assert "stands on the event's page" in organiser_browser.submit_form(PAGE_PATH, do="confirm")
    assert (load_sponsorship_state(app, one), "1 of 1 places are taken." in organiser_browser.main_text()) == (
        "confirmed",
        True,
    )
    assert "Rackspace" in organiser_browser.visit("/events/summit")
    assert "you cannot take this back" in organiser_browser.visit(f"{PAGE_PATH}/{one}/cancel")
    assert load_sponsorship_state(app, one) == "confirmed"
    assert "its place is free again" in organiser_browser.submit_form(PAGE_PATH, do="cancel")
    assert (load_sponsorship_state(app, one), "0 of 1 places are taken." in organiser_browser.main_text()) == (
        "cancelled",
        True,
    )


def test_confirming_in_a_full_tier_shows_an_error(
    app: Flask, organiser_browser: HtmlBrowser, single_place_tier_id: str
) -> None:
    add_sponsorship_request(app, single_place_tier_id, name="First", state=SponsorshipState.CONFIRMED)
    late = add_sponsorship_request(app, single_place_tier_id, name="Late")
    assert post_to_page(organiser_browser, do="confirm", row=late) == 409
    assert "The tier “Gold” has no free places (capacity: 1)." in organiser_browser.main_text()
    assert load_sponsorship_state(app, late) == "enquiry"


def test_concurrent_confirmations_do_not_oversell_a_tier(
    app: Flask, organiser_browser: HtmlBrowser, single_place_tier_id: str
) -> None:
    rivals = [add_sponsorship_request(app, single_place_tier_id, name=f"Rival {number}") for number in range(4)]
    others = [create_team_browser(app, "summit", f"o{number}@example.org") for number in range(4)]
    for browser in others:
        browser.visit(PAGE_PATH)
    tokens = [browser.form_values(PAGE_PATH, "add-tier")["csrf_token"] for browser in others]

    def confirm(number: int) -> int:
        sent = {"csrf_token": tokens[number], "do": "confirm", "row": rivals[number]}
        return others[number].client.post(PAGE_PATH, data=sent).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(confirm, range(4)))
    assert statuses == [303, 409, 409, 409]
    assert "1 of 1 places are taken." in organiser_browser.visit(PAGE_PATH)


def test_tier_with_sponsorships_cannot_be_removed(
    app: Flask, organiser_browser: HtmlBrowser, single_place_tier_id: str
) -> None:
    add_sponsorship_request(app, single_place_tier_id)
    organiser_browser.visit(f"{PAGE_PATH}/tiers/{single_place_tier_id}/remove")
    assert "has sponsorships. Cancel them first" in organiser_browser.submit_form(PAGE_PATH, do="remove-tier")
    assert (organiser_browser.response.status_code, count_rows(app, Tier)) == (409, 1)


def test_organiser_adds_a_sponsor_and_confirms_it(
    app: Flask, organiser_browser: HtmlBrowser, single_place_tier_id: str
) -> None:
    organiser_browser.visit(PAGE_PATH)
    typed = {
        "tier": single_place_tier_id,
        "name": "Example Corp",
        "url": "https://corp.example/",
        "description": "Makes\r\nthings.",
    }
    assert "confirm it" in organiser_browser.submit_form(
        PAGE_PATH, do="add-sponsor", **prefix_fields("new-sponsor", typed)
    )
    made = get_row(app, Sponsor, name="Example Corp")
    assert (made.url, made.description) == ("https://corp.example/", "Makes\nthings.")
    organiser_browser.submit_form(PAGE_PATH, do="confirm")
    assert "Example Corp" in organiser_browser.visit("/events/summit")
    silver = add_tier(app, name="Silver")
    organiser_browser.visit(PAGE_PATH)
    organiser_browser.submit_form(
        PAGE_PATH, do="add-sponsor", **prefix_fields("new-sponsor", {"tier": silver, "slug": "example-corp"})
    )
    assert (count_rows(app, Sponsor), count_rows(app, Sponsorship)) == (1, 2)


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
    app: Flask, organiser_browser: HtmlBrowser, typed: dict[str, str], wrong: set[str]
) -> None:
    gold = add_tier(app, name="Gold")
    organiser_browser.visit(PAGE_PATH)
    organiser_browser.submit_form(
        PAGE_PATH, do="add-sponsor", **prefix_fields("new-sponsor", {"tier": gold, "note": "Kept.", **typed})
    )
    assert (organiser_browser.response.status_code, invalid_field_names(organiser_browser)) == (
        422,
        {f"new-sponsor-{name}" for name in wrong},
    )
    assert organiser_browser.form_values(PAGE_PATH, "add-sponsor")["new-sponsor-note"] == "Kept."
    assert (count_rows(app, Sponsor), count_rows(app, Sponsorship)) == (0, 0)


def test_tiers_and_sponsorships_of_other_events_are_rejected(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        make_event(session, slug="other")
    theirs = add_tier(app, "other", name="Theirs")
    one = add_sponsorship_request(app, theirs)
    for step in ("confirm", "cancel", "save-tier", "remove-tier"):
        for thing in (one, theirs, "nothing", ""):
            assert post_to_page(organiser_browser, do=step, row=thing, **{f"{thing}-name": "Mine"}) == 404
    typed = prefix_fields("new-sponsor", {"tier": theirs, "name": "Corp"})
    assert post_to_page(organiser_browser, do="add-sponsor", **typed) == 422
    assert organiser_browser.client.get(f"{PAGE_PATH}/{one}/cancel").status_code == 404
    assert organiser_browser.client.get(f"{PAGE_PATH}/tiers/{theirs}/remove").status_code == 404
    assert (load_sponsorship_state(app, one), get_row(app, Tier, id=theirs).name, count_rows(app, Sponsor)) == (
        "enquiry",
        "Theirs",
        1,
    )


def test_organiser_cannot_confirm_own_enquiry_at_another_event(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        make_event(session, slug="other")
    theirs = add_tier(app, "other", name="Theirs")
    own = get_row(app, Member, email="olga@example.org")
    one = add_sponsorship_request(app, theirs, enquirer=own)
    assert post_to_page(organiser_browser, do="confirm", row=one) == 404
    assert load_sponsorship_state(app, one) == "enquiry"


def test_missing_csrf_token_and_unknown_action_are_rejected(
    app: Flask, organiser_browser: HtmlBrowser, single_place_tier_id: str
) -> None:
    one = add_sponsorship_request(app, single_place_tier_id)
    assert organiser_browser.client.post(PAGE_PATH, data={"do": "confirm", "row": one}).status_code == 403
    assert post_to_page(organiser_browser, do="explode", row=one) == 404
    assert load_sponsorship_state(app, one) == "enquiry"


def test_hostile_text_is_escaped(app: Flask, organiser_browser: HtmlBrowser) -> None:
    tier = add_tier(app, name=HOSTILE_TEXT[:90], benefits=[HOSTILE_TEXT])
    with write_session(app) as session:
        asker = make_member(session, name=HOSTILE_TEXT)
    one = add_sponsorship_request(app, tier, name=HOSTILE_TEXT, note=f"{HOSTILE_TEXT}\n</textarea>", enquirer=asker)
    for path in (PAGE_PATH, f"{PAGE_PATH}/{one}/cancel", f"{PAGE_PATH}/tiers/{tier}/remove"):
        organiser_browser.visit(path)
        assert is_hostile_text_escaped(organiser_browser)
