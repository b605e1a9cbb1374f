"""The start page for organisers, reviewers and moderators."""

from flask import Flask

from eventcal.events.enums import EventStatus, Programme, TeamRole
from eventcal.members.enums import Role
from eventcal.sponsors.enums import SponsorshipState
from eventcal.talks.enums import TalkState
from tests.factories import make_event, make_sponsorship, make_tier
from tests.html_browser import HtmlBrowser
from tests.html_pages import element_text, parse_html
from tests.http_app import write_session
from tests.talk_decisions import create_submitted_talks
from tests.team_browsers import create_member_browser, create_team_browser

DASHBOARD_PATH = "/organise"


def main_links(browser: HtmlBrowser) -> dict[str, str]:
    """Return the URLs of the links in the main element by their text."""
    main = next(parse_html(browser.response.text).iter("main"))
    return {element_text(one): one.get("href", "") for one in main.iter("a")}


def test_member_without_events_sees_how_to_propose_one(app: Flask) -> None:
    ada = create_member_browser(app)
    said = ada.visit(DASHBOARD_PATH)
    assert "You look after no event yet." in said
    assert "/propose" in main_links(ada).values()
    assert "wait" not in said


def test_anonymous_request_is_redirected_to_sign_in(app: Flask) -> None:
    assert app.test_client().get(DASHBOARD_PATH).headers["Location"] == "/login?next=%2Forganise"


def test_events_are_listed_by_date_with_their_pending_decisions(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="later", title="Later", starts="2026-09-01", ends="2026-09-02")
        summit = make_event(session, slug="summit", title="Summit")
        make_event(session, slug="past", title="Past", starts="2026-01-01", ends="2026-01-02")
        make_event(session, slug="theirs", title="Theirs")
        tier = make_tier(session, summit)
        make_sponsorship(session, tier)
        make_sponsorship(session, tier, state=SponsorshipState.CONFIRMED)
    create_submitted_talks(app, "summit", "One", "Two")
    create_submitted_talks(app, "summit", "Perhaps", state=TalkState.WAITLISTED)
    create_submitted_talks(app, "summit", "Not yet", state=TalkState.DRAFT)
    create_submitted_talks(app, "theirs", "Not mine")
    for slug in ("later", "summit", "past"):
        olga = create_team_browser(app, slug, "olga@example.org")
    said = olga.visit(DASHBOARD_PATH)
    assert said.index("Summit") < said.index("Later")
    assert "2 talks wait for a decision." in said
    assert "One talk is on the waiting list." in said
    assert "One sponsor asked for a tier." in said
    assert "Past" not in said.replace("What is past", "")
    assert "Theirs" not in said
    assert main_links(olga)["Summit"] == "/organise/summit"
    assert "Past" in olga.visit(f"{DASHBOARD_PATH}?show=past")
    assert "Summit" not in olga.main_text()


def test_reviewer_sees_pending_talks_but_no_sponsors(app: Flask, summit: str) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="other", title="Other")
        make_sponsorship(session, make_tier(session, event))
    create_submitted_talks(app, "other", "One")
    rita = create_team_browser(app, "other", "rita@example.org", role=TeamRole.REVIEWER)
    said = rita.visit(DASHBOARD_PATH)
    assert "You review it" in said
    assert "One talk waits for a decision." in said
    assert "sponsor" not in said
    assert summit not in main_links(rita).values()


def test_moderator_sees_pending_events_and_talks_of_listed_events(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="new", title="New meetup", status=EventStatus.PENDING)
        make_event(session, slug="fosdem", title="FOSDEM", programme=Programme.LISTED)
        make_event(session, slug="off", title="Off", programme=Programme.LISTED, status=EventStatus.CANCELLED)
        make_event(session, slug="curated", title="Curated")
    [talk] = create_submitted_talks(app, "fosdem", "Xen on ARM")
    create_submitted_talks(app, "fosdem", "Public already", state=TalkState.ACCEPTED)
    create_submitted_talks(app, "off", "Too late")
    create_submitted_talks(app, "curated", "Of a committee")
    mo = create_member_browser(app, "mo@example.org", role=Role.MODERATOR)
    said = mo.visit(DASHBOARD_PATH)
    found = main_links(mo)
    assert found["New meetup"] == "/organise/new/publishing"
    assert found["Xen on ARM"] == f"/organise/fosdem/talks/{talk}"
    assert found["FOSDEM"] == "/organise/fosdem"
    for absent in ("Public already", "Too late", "Of a committee"):
        assert absent not in said
    ada = create_member_browser(app)
    assert "New meetup" not in ada.visit(DASHBOARD_PATH)


def test_long_lists_are_paginated_independently(app: Flask) -> None:
    with write_session(app) as session:
        for number in range(60):
            make_event(session, title=f"Pending {number:02}", status=EventStatus.PENDING)
        make_event(session, slug="fosdem", title="FOSDEM", programme=Programme.LISTED)
    create_submitted_talks(app, "fosdem", *(f"Talk {number:02}" for number in range(60)))
    mo = create_member_browser(app, "mo@example.org", role=Role.MODERATOR)
    mo.visit(DASHBOARD_PATH)
    first = main_links(mo)
    mo.visit(first["More events"])
    second = main_links(mo)
    names = {name for found in (first, second) for name in found if name.startswith("Pending")}
    assert len(names) == 60
    mo.visit(second["More talks"])
    third = main_links(mo)
    assert len({name for found in (first, third) for name in found if name.startswith("Talk")}) == 60


def test_deletion_of_an_event_is_confirmed_by_a_message(app: Flask) -> None:
    assert "The event is deleted." in create_member_browser(app).visit(f"{DASHBOARD_PATH}?done=delete")
