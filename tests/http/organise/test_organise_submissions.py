"""The submissions to an event, visible only to its organisers and reviewers and to moderators."""

from typing import Any

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, Programme, TeamRole
from eventcal.members.enums import Role
from eventcal.talks.enums import TalkState
from tests.factories import make_event, make_speaker, make_talk
from tests.html_browser import HtmlBrowser
from tests.html_pages import element_text, parse_html
from tests.http_app import database_of, write_session
from tests.sql_statements import record_statements
from tests.talk_decisions import create_submitted_talks, get_form_data
from tests.team_browsers import HOSTILE_TEXT, create_member_browser, create_team_browser, is_hostile_text_escaped

PAGE_PATH = "/organise/summit"


@pytest.fixture
def organiser_browser(app: Flask, summit: str) -> HtmlBrowser:
    return create_team_browser(app, summit, "olga@example.org")


def listed_titles(browser: HtmlBrowser) -> list[str]:
    """Return the titles of the listed talks in order."""
    links = [one for heading in parse_html(browser.response.text).iter("h3") for one in heading.iter("a")]
    return [element_text(one) for one in links]


def offered_actions(browser: HtmlBrowser) -> list[str]:
    """Return the steps that the page offers."""
    return [one.get("value", "") for one in parse_html(browser.response.text).iter("button") if one.get("name") == "do"]


def test_pending_talks_are_shown_by_default_and_others_by_state(app: Flask, organiser_browser: HtmlBrowser) -> None:
    for state in TalkState:
        create_submitted_talks(app, "summit", f"Talk {state.value}", state=state)
    said = organiser_browser.visit(PAGE_PATH)
    assert sorted(listed_titles(organiser_browser)) == ["Talk submitted", "Talk waitlisted"]
    assert "Waiting for a decision 2" in said
    assert "All of them 7" in said
    assert "Draft" not in said
    for state in set(TalkState) - {TalkState.DRAFT}:
        organiser_browser.visit(f"{PAGE_PATH}?state={state}")
        assert listed_titles(organiser_browser) == [f"Talk {state.value}"]
    organiser_browser.visit(f"{PAGE_PATH}?state=all")
    assert len(listed_titles(organiser_browser)) == 7
    # Any other state shows the pending talks.
    for unknown in ("draft", "nonsense", ""):
        organiser_browser.visit(f"{PAGE_PATH}?state={unknown}")
        assert sorted(listed_titles(organiser_browser)) == ["Talk submitted", "Talk waitlisted"]


def test_search_is_limited_to_the_selected_state(app: Flask, organiser_browser: HtmlBrowser) -> None:
    create_submitted_talks(app, "summit", "Xen on ARM", "Unikernels")
    create_submitted_talks(app, "summit", "Xen rejected", state=TalkState.REJECTED)
    organiser_browser.visit(f"{PAGE_PATH}?q=XEN")
    assert listed_titles(organiser_browser) == ["Xen on ARM"]
    organiser_browser.visit(f"{PAGE_PATH}?q=who+uni&state=all")
    assert listed_titles(organiser_browser) == ["Unikernels"]
    assert "No talk here has these words." in organiser_browser.visit(f"{PAGE_PATH}?q=nothing")


def test_submissions_are_paginated_without_losing_or_repeating_talks(
    app: Flask, organiser_browser: HtmlBrowser
) -> None:
    create_submitted_talks(app, "summit", *(f"Talk {number:03}" for number in range(120)))
    seen: list[str] = []
    path: str | None = PAGE_PATH
    while path:
        organiser_browser.visit(path)
        seen += listed_titles(organiser_browser)
        links = [
            one for one in parse_html(organiser_browser.response.text).iter("a") if element_text(one) == "More talks"
        ]
        path = links[0].get("href") if links else None
    assert (len(seen), len(set(seen))) == (120, 120)


@pytest.mark.parametrize("path", [PAGE_PATH, f"{PAGE_PATH}?state=all", f"{PAGE_PATH}/schedule", "/organise"])
def test_number_of_statements_does_not_depend_on_the_number_of_talks(
    app: Flask, organiser_browser: HtmlBrowser, path: str
) -> None:
    create_submitted_talks(app, "summit", "One", state=TalkState.CONFIRMED, starts="2026-06-10T10:00:00", room="Room 1")
    create_submitted_talks(app, "summit", "Two", tags=["x"], track="ARM")
    organiser_browser.visit(path)
    with record_statements(database_of(app)) as few:
        organiser_browser.visit(path)
    for state in (TalkState.SUBMITTED, TalkState.ACCEPTED):
        names = (f"{state} {number}" for number in range(250))
        create_submitted_talks(
            app, "summit", *names, state=state, tags=["x"], starts="2026-06-10T10:00:00", room="Room 1"
        )
    with record_statements(database_of(app)) as many:
        organiser_browser.visit(path)
    # One additional statement details the conflicts, if there are any. Another one reads the epoch for the cursor of
    # the next page.
    assert len(many) <= len(few) + (2 if path.endswith("schedule") else 1)


def test_link_selects_all_talks_on_the_page(app: Flask, organiser_browser: HtmlBrowser) -> None:
    ids = create_submitted_talks(app, "summit", "One", "Two")
    organiser_browser.visit(PAGE_PATH)
    assert get_form_data(organiser_browser, f"{PAGE_PATH}/decide").getlist("talk") == []
    link = next(
        one
        for one in parse_html(organiser_browser.response.text).iter("a")
        if element_text(one) == "Choose all on this page"
    )
    organiser_browser.visit(link.get("href", ""))
    assert sorted(get_form_data(organiser_browser, f"{PAGE_PATH}/decide").getlist("talk")) == sorted(ids)


def test_only_steps_possible_for_listed_talks_are_offered(app: Flask, organiser_browser: HtmlBrowser) -> None:
    create_submitted_talks(app, "summit", "Waits")
    organiser_browser.visit(PAGE_PATH)
    assert offered_actions(organiser_browser) == ["accept", "waitlist", "reject"]
    create_submitted_talks(app, "summit", "Sure", state=TalkState.CONFIRMED)
    organiser_browser.visit(f"{PAGE_PATH}?state=confirmed")
    assert offered_actions(organiser_browser) == ["cancel"]
    create_submitted_talks(app, "summit", "Gone", state=TalkState.REJECTED)
    organiser_browser.visit(f"{PAGE_PATH}?state=rejected")
    assert offered_actions(organiser_browser) == ["reinstate"]


def test_reviewer_sees_all_submissions_but_cannot_decide(app: Flask, summit: str) -> None:
    [talk] = create_submitted_talks(app, summit, "Xen on ARM", notes="A projector, please")
    rita = create_team_browser(app, summit, "rita@example.org", role=TeamRole.REVIEWER)
    assert "You review this event" in rita.visit(PAGE_PATH)
    assert (listed_titles(rita), offered_actions(rita)) == (["Xen on ARM"], [])
    assert "A projector, please" in rita.visit(f"{PAGE_PATH}/talks/{talk}")
    assert list(parse_html(rita.response.text).iter("form")) == []
    links = {one.get("href") for one in parse_html(rita.response.text).iter("a")}
    # Pages that would be forbidden are not linked.
    assert not {f"{PAGE_PATH}/parts", f"{PAGE_PATH}/team"} & links
    for path in (f"/decide?do=accept&talk={talk}", f"/talks/{talk}/redact"):
        assert rita.client.get(PAGE_PATH + path).status_code == 403


def test_organisers_of_a_listed_event_are_told_that_a_moderator_decides(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="fosdem", programme=Programme.LISTED)
    [talk] = create_submitted_talks(app, "fosdem", "Xen on ARM")
    olga = create_team_browser(app, "fosdem", "olga@example.org")
    assert "a moderator decides" in olga.visit("/organise/fosdem")
    assert offered_actions(olga) == []
    assert "a moderator decides" in olga.visit(f"/organise/fosdem/talks/{talk}")
    assert olga.client.get(f"/organise/fosdem/decide?do=accept&talk={talk}").status_code == 403
    mo = create_member_browser(app, "mo@example.org", role=Role.MODERATOR)
    mo.visit("/organise/fosdem")
    assert "accept" in offered_actions(mo)


def test_submissions_are_hidden_from_members_outside_the_team(app: Flask, summit: str) -> None:
    [talk] = create_submitted_talks(app, summit, "Secret plans")
    with write_session(app) as session:
        make_event(session, slug="other")
        make_event(session, slug="hidden", status=EventStatus.PENDING)
    for someone in (create_member_browser(app), create_team_browser(app, "other", "otto@example.org")):
        for path in (
            PAGE_PATH,
            f"{PAGE_PATH}/talks/{talk}",
            f"{PAGE_PATH}/schedule",
            f"{PAGE_PATH}/decide?do=accept&talk={talk}",
        ):
            answer = someone.client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 403
            assert "Secret plans" not in answer.text
        # The existence of unpublished events is not revealed.
        assert someone.client.get("/organise/hidden").status_code == 404
    assert app.test_client().get(PAGE_PATH).headers["Location"] == "/login?next=%2Forganise%2Fsummit"


def test_organise_pages_show_no_email_addresses(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        make_speaker(session, name="Mihai", email="mihai@example.org")
    [talk] = create_submitted_talks(app, "summit", "Xen on ARM")
    for path in (
        PAGE_PATH,
        f"{PAGE_PATH}/talks/{talk}",
        f"{PAGE_PATH}/decide?do=accept&talk={talk}",
        f"{PAGE_PATH}/schedule",
    ):
        assert "@example.org" not in organiser_browser.visit(path)


def test_hostile_text_is_escaped(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="worst", title=HOSTILE_TEXT, rooms=[HOSTILE_TEXT], tracks=[HOSTILE_TEXT])
        speaker = make_speaker(session, name=HOSTILE_TEXT, affiliation=HOSTILE_TEXT)
        shown: dict[str, Any] = {
            "title": HOSTILE_TEXT,
            "speakers": [speaker],
            "room": HOSTILE_TEXT,
            "track": HOSTILE_TEXT,
            "notes": HOSTILE_TEXT,
        }
        talk = make_talk(session, event, **shown, abstract=HOSTILE_TEXT).id
        for _twice in range(2):
            make_talk(session, event, **shown, state=TalkState.CONFIRMED, starts="2026-06-10T10:00:00")
    del organiser_browser
    worst = create_team_browser(app, "worst", "wanda@example.org")
    for path in ("", f"/talks/{talk}", f"/decide?do=accept&talk={talk}", "/schedule"):
        worst.visit(f"/organise/worst{path}")
        assert is_hostile_text_escaped(worst)
