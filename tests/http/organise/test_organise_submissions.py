"""The submissions to an event, visible only to its organisers and reviewers and to moderators."""

from typing import Any

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, Programme, TeamRole
from eventcal.members.enums import Role
from eventcal.talks.enums import TalkState
from tests.browsing import Browser
from tests.deciding import held, offer
from tests.http_app import database_of, writing
from tests.make import make_event, make_speaker, make_talk
from tests.organising import HOSTILE, browser_of_member, browser_of_team, is_harmless
from tests.pages import text_of, tree_of
from tests.statements import statements

HERE = "/organise/summit"


@pytest.fixture
def olga(app: Flask, summit: str) -> Browser:
    return browser_of_team(app, summit, "olga@example.org")


def titles(browser: Browser) -> list[str]:
    """Return the titles of the listed talks in order."""
    links = [one for heading in tree_of(browser.at.text).iter("h3") for one in heading.iter("a")]
    return [text_of(one) for one in links]


def buttons(browser: Browser) -> list[str]:
    """Return the steps that the page offers."""
    return [one.get("value", "") for one in tree_of(browser.at.text).iter("button") if one.get("name") == "do"]


def test_pending_talks_are_shown_by_default_and_others_by_state(app: Flask, olga: Browser) -> None:
    for state in TalkState:
        offer(app, "summit", f"Talk {state.value}", state=state)
    said = olga.go(HERE)
    assert sorted(titles(olga)) == ["Talk submitted", "Talk waitlisted"]
    assert "Waiting for a decision 2" in said
    assert "All of them 7" in said
    assert "Draft" not in said
    for state in set(TalkState) - {TalkState.DRAFT}:
        olga.go(f"{HERE}?state={state}")
        assert titles(olga) == [f"Talk {state.value}"]
    olga.go(f"{HERE}?state=all")
    assert len(titles(olga)) == 7
    # Any other state shows the pending talks.
    for unknown in ("draft", "nonsense", ""):
        olga.go(f"{HERE}?state={unknown}")
        assert sorted(titles(olga)) == ["Talk submitted", "Talk waitlisted"]


def test_search_is_limited_to_the_selected_state(app: Flask, olga: Browser) -> None:
    offer(app, "summit", "Xen on ARM", "Unikernels")
    offer(app, "summit", "Xen rejected", state=TalkState.REJECTED)
    olga.go(f"{HERE}?q=XEN")
    assert titles(olga) == ["Xen on ARM"]
    olga.go(f"{HERE}?q=who+uni&state=all")
    assert titles(olga) == ["Unikernels"]
    assert "No talk here has these words." in olga.go(f"{HERE}?q=nothing")


def test_submissions_are_paginated_without_losing_or_repeating_talks(app: Flask, olga: Browser) -> None:
    offer(app, "summit", *(f"Talk {number:03}" for number in range(120)))
    seen: list[str] = []
    path: str | None = HERE
    while path:
        olga.go(path)
        seen += titles(olga)
        links = [one for one in tree_of(olga.at.text).iter("a") if text_of(one) == "More talks"]
        path = links[0].get("href") if links else None
    assert (len(seen), len(set(seen))) == (120, 120)


@pytest.mark.parametrize("path", [HERE, f"{HERE}?state=all", f"{HERE}/schedule", "/organise"])
def test_number_of_statements_does_not_depend_on_the_number_of_talks(app: Flask, olga: Browser, path: str) -> None:
    offer(app, "summit", "One", state=TalkState.CONFIRMED, starts="2026-06-10T10:00:00", room="Room 1")
    offer(app, "summit", "Two", tags=["x"], track="ARM")
    olga.go(path)
    with statements(database_of(app)) as few:
        olga.go(path)
    for state in (TalkState.SUBMITTED, TalkState.ACCEPTED):
        names = (f"{state} {number}" for number in range(250))
        offer(app, "summit", *names, state=state, tags=["x"], starts="2026-06-10T10:00:00", room="Room 1")
    with statements(database_of(app)) as many:
        olga.go(path)
    # One additional statement details the conflicts, if there are any.
    assert len(many) <= len(few) + (1 if path.endswith("schedule") else 0)


def test_link_selects_all_talks_on_the_page(app: Flask, olga: Browser) -> None:
    ids = offer(app, "summit", "One", "Two")
    olga.go(HERE)
    assert held(olga, f"{HERE}/decide").getlist("talk") == []
    link = next(one for one in tree_of(olga.at.text).iter("a") if text_of(one) == "Choose all on this page")
    olga.go(link.get("href", ""))
    assert sorted(held(olga, f"{HERE}/decide").getlist("talk")) == sorted(ids)


def test_only_steps_possible_for_listed_talks_are_offered(app: Flask, olga: Browser) -> None:
    offer(app, "summit", "Waits")
    olga.go(HERE)
    assert buttons(olga) == ["accept", "waitlist", "reject"]
    offer(app, "summit", "Sure", state=TalkState.CONFIRMED)
    olga.go(f"{HERE}?state=confirmed")
    assert buttons(olga) == ["cancel"]
    offer(app, "summit", "Gone", state=TalkState.REJECTED)
    olga.go(f"{HERE}?state=rejected")
    assert buttons(olga) == []


def test_reviewer_sees_all_submissions_but_cannot_decide(app: Flask, summit: str) -> None:
    [talk] = offer(app, summit, "Xen on ARM", notes="A projector, please")
    rita = browser_of_team(app, summit, "rita@example.org", role=TeamRole.REVIEWER)
    assert "You review this event" in rita.go(HERE)
    assert (titles(rita), buttons(rita)) == (["Xen on ARM"], [])
    assert "A projector, please" in rita.go(f"{HERE}/talks/{talk}")
    assert list(tree_of(rita.at.text).iter("form")) == []
    links = {one.get("href") for one in tree_of(rita.at.text).iter("a")}
    # Pages that would be forbidden are not linked.
    assert not {f"{HERE}/parts", f"{HERE}/team"} & links
    for path in (f"/decide?do=accept&talk={talk}", f"/talks/{talk}/redact"):
        assert rita.client.get(HERE + path).status_code == 403


def test_organisers_of_a_listed_event_are_told_that_a_moderator_decides(app: Flask) -> None:
    with writing(app) as session:
        make_event(session, slug="fosdem", programme=Programme.LISTED)
    [talk] = offer(app, "fosdem", "Xen on ARM")
    olga = browser_of_team(app, "fosdem", "olga@example.org")
    assert "a moderator decides" in olga.go("/organise/fosdem")
    assert buttons(olga) == []
    assert "a moderator decides" in olga.go(f"/organise/fosdem/talks/{talk}")
    assert olga.client.get(f"/organise/fosdem/decide?do=accept&talk={talk}").status_code == 403
    mo = browser_of_member(app, "mo@example.org", role=Role.MODERATOR)
    mo.go("/organise/fosdem")
    assert "accept" in buttons(mo)


def test_submissions_are_hidden_from_members_outside_the_team(app: Flask, summit: str) -> None:
    [talk] = offer(app, summit, "Secret plans")
    with writing(app) as session:
        make_event(session, slug="other")
        make_event(session, slug="hidden", status=EventStatus.PENDING)
    for someone in (browser_of_member(app), browser_of_team(app, "other", "otto@example.org")):
        for path in (HERE, f"{HERE}/talks/{talk}", f"{HERE}/schedule", f"{HERE}/decide?do=accept&talk={talk}"):
            answer = someone.client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code == 403
            assert "Secret plans" not in answer.text
        # The existence of unpublished events is not revealed.
        assert someone.client.get("/organise/hidden").status_code == 404
    assert app.test_client().get(HERE).headers["Location"] == "/login?next=%2Forganise%2Fsummit"


def test_organise_pages_show_no_email_addresses(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        make_speaker(session, name="Mihai", email="mihai@example.org")
    [talk] = offer(app, "summit", "Xen on ARM")
    for path in (HERE, f"{HERE}/talks/{talk}", f"{HERE}/decide?do=accept&talk={talk}", f"{HERE}/schedule"):
        assert "@example.org" not in olga.go(path)


def test_hostile_text_is_escaped(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        event = make_event(session, slug="worst", title=HOSTILE, rooms=[HOSTILE], tracks=[HOSTILE])
        speaker = make_speaker(session, name=HOSTILE, affiliation=HOSTILE)
        shown: dict[str, Any] = {
            "title": HOSTILE,
            "speakers": [speaker],
            "room": HOSTILE,
            "track": HOSTILE,
            "notes": HOSTILE,
        }
        talk = make_talk(session, event, **shown, abstract=HOSTILE).id
        for _twice in range(2):
            make_talk(session, event, **shown, state=TalkState.CONFIRMED, starts="2026-06-10T10:00:00")
    del olga
    worst = browser_of_team(app, "worst", "wanda@example.org")
    for path in ("", f"/talks/{talk}", f"/decide?do=accept&talk={talk}", "/schedule"):
        worst.go(f"/organise/worst{path}")
        assert is_harmless(worst)
