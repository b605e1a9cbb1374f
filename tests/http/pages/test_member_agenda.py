"""/me/stars: a member's agenda of starred talks, edited from the talk pages."""

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus
from eventcal.members.models import Member
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Star
from tests.clocks import NOON, FixedClock
from tests.factories import make_event, make_member, make_speaker, make_talk
from tests.html_browser import HtmlBrowser, create_browser
from tests.html_pages import element_text, parse_html
from tests.http_app import create_signed_in_client, database_of, write_session

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def member_browser(app: Flask) -> HtmlBrowser:
    browser = create_browser(app)
    browser.client = create_signed_in_client(app).client
    return browser


@pytest.fixture
def summit(app: Flask) -> None:
    """Create a public event with two scheduled public talks and one that is not public."""
    with write_session(app) as session:
        event = make_event(session, slug="summit", title=f"Summit {HOSTILE}", rooms=["Hall 1"])
        for talk_id, starts in (("later", "2026-06-11T10:00:00"), ("first", "2026-06-10T13:30:00")):
            make_talk(
                session, event, id=talk_id, title=f"The {talk_id} {HOSTILE}", state=TalkState.CONFIRMED, starts=starts
            )
        make_talk(session, event, id="secret", title="Nobody knows", state=TalkState.SUBMITTED)


def load_starred_talk_ids(app: Flask) -> list[str]:
    with database_of(app).read_session() as session:
        return sorted(star.talk_id for star in session.query(Star))


def listed_titles(browser: HtmlBrowser) -> list[str]:
    links = (one for one in parse_html(browser.response.text).iter("a") if one.get("class") == "title")
    return [element_text(one).removesuffix(f" {HOSTILE}") for one in links]


@pytest.mark.usefixtures("summit")
def test_talk_can_be_added_to_and_removed_from_the_agenda(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/talks/later")
    assert "/me/stars/later" in {one.get("href") for one in parse_html(member_browser.response.text).iter("a")}
    member_browser.visit("/me/stars/later")
    assert load_starred_talk_ids(app) == []
    assert "It is on your agenda." in member_browser.submit_form("/me/stars/later", do="add")
    member_browser.visit("/me/stars/later")
    member_browser.visit("/me/stars/first")
    member_browser.submit_form("/me/stars/first", do="add")
    assert (load_starred_talk_ids(app), listed_titles(member_browser)) == (
        ["first", "later"],
        ["The first", "The later"],
    )
    assert HOSTILE not in member_browser.response.text
    assert "Wed, Jun 10, 2026, 1:30" in member_browser.main_text()
    assert "Europe/Berlin" in member_browser.main_text()
    assert "It is off your agenda." in member_browser.submit_form("/me/stars/first", do="remove")
    assert (load_starred_talk_ids(app), listed_titles(member_browser)) == (["later"], ["The later"])


@pytest.mark.usefixtures("summit")
def test_adding_or_removing_a_talk_twice_changes_nothing(app: Flask, member_browser: HtmlBrowser) -> None:
    member_browser.visit("/me/stars/first")
    form = member_browser.form_values("/me/stars/first")
    for _ in range(2):
        assert member_browser.client.post("/me/stars/first", data={**form, "do": "add"}).status_code == 303
    assert load_starred_talk_ids(app) == ["first"]
    for _ in range(2):
        assert member_browser.client.post("/me/stars/first", data={**form, "do": "remove"}).status_code == 303
    assert load_starred_talk_ids(app) == []


@pytest.mark.usefixtures("summit")
def test_own_public_talks_are_on_the_agenda_automatically(app: Flask, member_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        member = session.query(Member).one()
        speaker = make_speaker(session, member=member)
        event = make_event(session)
        make_talk(session, event, id="given", title="Given", state=TalkState.CONFIRMED, speakers=[speaker])
        make_talk(session, event, title="Offered", state=TalkState.SUBMITTED, submitter=member)
    member_browser.visit("/me/stars")
    assert listed_titles(member_browser) == ["Given"]
    assert "Your own talk" in member_browser.main_text()
    assert "on your agenda by itself" in member_browser.visit("/me/stars/given")


@pytest.mark.usefixtures("summit")
def test_past_talks_are_listed_separately_latest_first(
    app: Flask, member_browser: HtmlBrowser, clock: FixedClock
) -> None:
    del clock
    with write_session(app) as session:
        member = session.query(Member).one()
        over = make_event(session, starts="2026-02-01", ends="2026-02-03")
        for talk_id, day in (("old", "01"), ("older", "02")):
            starts = f"2026-02-{day}T10:00:00"
            make_talk(session, over, id=talk_id, title=talk_id, state=TalkState.CONFIRMED, starts=starts)
        session.add_all(Star(member_id=member.id, talk_id=one, starred_at=NOON) for one in ("old", "older", "first"))
    member_browser.visit("/me/stars")
    assert listed_titles(member_browser) == ["The first"]
    member_browser.visit("/me/stars?past")
    assert listed_titles(member_browser) == ["older", "old"]


@pytest.mark.usefixtures("summit")
def test_talk_of_a_cancelled_event_is_marked_as_cancelled(app: Flask, member_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        member = session.query(Member).one()
        off = make_event(session, status=EventStatus.CANCELLED)
        make_talk(session, off, id="off", title="Off", state=TalkState.CONFIRMED, published_at=NOON)
        session.add(Star(member_id=member.id, talk_id="off", starred_at=NOON))
    assert "Off Cancelled" in member_browser.visit("/me/stars")


@pytest.mark.usefixtures("summit")
@pytest.mark.parametrize("talk_id", ["secret", "none"])
def test_unpublished_talks_cannot_be_added_to_the_agenda(app: Flask, member_browser: HtmlBrowser, talk_id: str) -> None:
    member_browser.visit("/me/stars/first")
    form = member_browser.form_values("/me/stars/first")
    assert member_browser.client.get(f"/me/stars/{talk_id}").status_code == 404
    assert member_browser.client.post(f"/me/stars/{talk_id}", data={**form, "do": "add"}).status_code == 404
    assert load_starred_talk_ids(app) == []


@pytest.mark.usefixtures("summit")
def test_agenda_form_without_csrf_token_is_rejected(app: Flask, member_browser: HtmlBrowser) -> None:
    assert member_browser.client.post("/me/stars/first", data={"do": "add"}).status_code == 403
    assert app.test_client().post("/me/stars/first", data={"do": "add"}).status_code == 401
    assert load_starred_talk_ids(app) == []


@pytest.mark.usefixtures("summit")
def test_agenda_of_another_member_is_neither_visible_nor_editable(app: Flask, member_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        session.add(Star(member_id=make_member(session).id, talk_id="first", starred_at=NOON))
    member_browser.visit("/me/stars")
    assert listed_titles(member_browser) == []
    member_browser.visit("/me/stars/first")
    form = member_browser.form_values("/me/stars/first")
    member_browser.client.post("/me/stars/first", data={**form, "do": "remove"})
    assert load_starred_talk_ids(app) == ["first"]


@pytest.mark.usefixtures("summit")
def test_anonymous_request_is_redirected_to_sign_in_and_back(app: Flask) -> None:
    answer = app.test_client().get("/me/stars/first")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=%2Fme%2Fstars%2Ffirst")


def test_agenda_is_paginated(app: Flask, member_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        member, event = session.query(Member).one(), make_event(session)
        for number in range(51):
            talk = make_talk(session, event, title=f"Talk {number}", state=TalkState.CONFIRMED)
            session.add(Star(member_id=member.id, talk_id=talk.id, starred_at=NOON))
    member_browser.visit("/me/stars")
    first = listed_titles(member_browser)
    [more] = [
        one.get("href", "")
        for one in parse_html(member_browser.response.text).iter("a")
        if element_text(one) == "More talks"
    ]
    member_browser.visit(more)
    assert (len(first), len(listed_titles(member_browser)), len({*first, *listed_titles(member_browser)})) == (
        50,
        1,
        51,
    )
