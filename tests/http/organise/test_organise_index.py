"""The start page for organisers, reviewers and moderators."""

from flask import Flask

from eventcal.events.enums import EventStatus, Programme, TeamRole
from eventcal.members.enums import Role
from eventcal.sponsors.enums import SponsorshipState
from eventcal.talks.enums import TalkState
from tests.browsing import Browser
from tests.deciding import offer
from tests.http_app import writing
from tests.make import make_event, make_sponsorship, make_tier
from tests.organising import browser_of_member, browser_of_team
from tests.pages import text_of, tree_of

HERE = "/organise"


def links(browser: Browser) -> dict[str, str]:
    """Return the URLs of the links in the main element by their text."""
    main = next(tree_of(browser.at.text).iter("main"))
    return {text_of(one): one.get("href", "") for one in main.iter("a")}


def test_member_without_events_sees_how_to_propose_one(app: Flask) -> None:
    ada = browser_of_member(app)
    said = ada.go(HERE)
    assert "You look after no event yet." in said
    assert "/propose" in links(ada).values()
    assert "wait" not in said


def test_anonymous_request_is_redirected_to_sign_in(app: Flask) -> None:
    assert app.test_client().get(HERE).headers["Location"] == "/login?next=%2Forganise"


def test_events_are_listed_by_date_with_their_pending_decisions(app: Flask) -> None:
    with writing(app) as session:
        make_event(session, slug="later", title="Later", starts="2026-09-01", ends="2026-09-02")
        summit = make_event(session, slug="summit", title="Summit")
        make_event(session, slug="past", title="Past", starts="2026-01-01", ends="2026-01-02")
        make_event(session, slug="theirs", title="Theirs")
        tier = make_tier(session, summit)
        make_sponsorship(session, tier)
        make_sponsorship(session, tier, state=SponsorshipState.CONFIRMED)
    offer(app, "summit", "One", "Two")
    offer(app, "summit", "Perhaps", state=TalkState.WAITLISTED)
    offer(app, "summit", "Not yet", state=TalkState.DRAFT)
    offer(app, "theirs", "Not mine")
    for slug in ("later", "summit", "past"):
        olga = browser_of_team(app, slug, "olga@example.org")
    said = olga.go(HERE)
    assert said.index("Summit") < said.index("Later")
    assert "2 talks wait for a decision." in said
    assert "One talk is on the waiting list." in said
    assert "One sponsor asked for a tier." in said
    assert "Past" not in said.replace("What is past", "")
    assert "Theirs" not in said
    assert links(olga)["Summit"] == "/organise/summit"
    assert "Past" in olga.go(f"{HERE}?show=past")
    assert "Summit" not in olga.says()


def test_reviewer_sees_pending_talks_but_no_sponsors(app: Flask, summit: str) -> None:
    with writing(app) as session:
        event = make_event(session, slug="other", title="Other")
        make_sponsorship(session, make_tier(session, event))
    offer(app, "other", "One")
    rita = browser_of_team(app, "other", "rita@example.org", role=TeamRole.REVIEWER)
    said = rita.go(HERE)
    assert "You review it" in said
    assert "One talk waits for a decision." in said
    assert "sponsor" not in said
    assert summit not in links(rita).values()


def test_moderator_sees_pending_events_and_talks_of_listed_events(app: Flask) -> None:
    with writing(app) as session:
        make_event(session, slug="new", title="New meetup", status=EventStatus.PENDING)
        make_event(session, slug="fosdem", title="FOSDEM", programme=Programme.LISTED)
        make_event(session, slug="off", title="Off", programme=Programme.LISTED, status=EventStatus.CANCELLED)
        make_event(session, slug="curated", title="Curated")
    [talk] = offer(app, "fosdem", "Xen on ARM")
    offer(app, "fosdem", "Public already", state=TalkState.ACCEPTED)
    offer(app, "off", "Too late")
    offer(app, "curated", "Of a committee")
    mo = browser_of_member(app, "mo@example.org", role=Role.MODERATOR)
    said = mo.go(HERE)
    found = links(mo)
    assert found["New meetup"] == "/organise/new/publishing"
    assert found["Xen on ARM"] == f"/organise/fosdem/talks/{talk}"
    assert found["FOSDEM"] == "/organise/fosdem"
    for absent in ("Public already", "Too late", "Of a committee"):
        assert absent not in said
    ada = browser_of_member(app)
    assert "New meetup" not in ada.go(HERE)


def test_long_lists_are_paginated_independently(app: Flask) -> None:
    with writing(app) as session:
        for number in range(60):
            make_event(session, title=f"Pending {number:02}", status=EventStatus.PENDING)
        make_event(session, slug="fosdem", title="FOSDEM", programme=Programme.LISTED)
    offer(app, "fosdem", *(f"Talk {number:02}" for number in range(60)))
    mo = browser_of_member(app, "mo@example.org", role=Role.MODERATOR)
    mo.go(HERE)
    first = links(mo)
    mo.go(first["More events"])
    second = links(mo)
    names = {name for found in (first, second) for name in found if name.startswith("Pending")}
    assert len(names) == 60
    mo.go(second["More talks"])
    third = links(mo)
    assert len({name for found in (first, third) for name in found if name.startswith("Talk")}) == 60


def test_deletion_of_an_event_is_confirmed_by_a_message(app: Flask) -> None:
    assert "The event is deleted." in browser_of_member(app).go(f"{HERE}?done=delete")
