"""/me/stars: a member's agenda of starred talks, edited from the talk pages."""

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus
from eventcal.members.models import Member
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Star
from tests.browsing import Browser, browser_of
from tests.clocks import NOON, FixedClock
from tests.http_app import database_of, signed_in, writing
from tests.make import make_event, make_member, make_speaker, make_talk
from tests.pages import text_of, tree_of

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def ada(app: Flask) -> Browser:
    browser = browser_of(app)
    browser.client = signed_in(app).client
    return browser


@pytest.fixture
def summit(app: Flask) -> None:
    """Create a public event with two scheduled public talks and one that is not public."""
    with writing(app) as session:
        event = make_event(session, slug="summit", title=f"Summit {HOSTILE}", rooms=["Hall 1"])
        for talk_id, starts in (("later", "2026-06-11T10:00:00"), ("first", "2026-06-10T13:30:00")):
            make_talk(
                session, event, id=talk_id, title=f"The {talk_id} {HOSTILE}", state=TalkState.CONFIRMED, starts=starts
            )
        make_talk(session, event, id="secret", title="Nobody knows", state=TalkState.SUBMITTED)


def stars(app: Flask) -> list[str]:
    with database_of(app).read_session() as session:
        return sorted(star.talk_id for star in session.query(Star))


def titles(browser: Browser) -> list[str]:
    links = (one for one in tree_of(browser.at.text).iter("a") if one.get("class") == "title")
    return [text_of(one).removesuffix(f" {HOSTILE}") for one in links]


@pytest.mark.usefixtures("summit")
def test_talk_can_be_added_to_and_removed_from_the_agenda(app: Flask, ada: Browser) -> None:
    ada.go("/talks/later")
    assert "/me/stars/later" in {one.get("href") for one in tree_of(ada.at.text).iter("a")}
    ada.go("/me/stars/later")
    assert stars(app) == []
    assert "It is on your agenda." in ada.send("/me/stars/later", do="add")
    ada.go("/me/stars/later")
    ada.go("/me/stars/first")
    ada.send("/me/stars/first", do="add")
    assert (stars(app), titles(ada)) == (["first", "later"], ["The first", "The later"])
    assert HOSTILE not in ada.at.text
    assert "Wed, Jun 10, 2026, 1:30" in ada.says()
    assert "Europe/Berlin" in ada.says()
    assert "It is off your agenda." in ada.send("/me/stars/first", do="remove")
    assert (stars(app), titles(ada)) == (["later"], ["The later"])


@pytest.mark.usefixtures("summit")
def test_adding_or_removing_a_talk_twice_changes_nothing(app: Flask, ada: Browser) -> None:
    ada.go("/me/stars/first")
    form = ada.fields("/me/stars/first")
    for _ in range(2):
        assert ada.client.post("/me/stars/first", data={**form, "do": "add"}).status_code == 303
    assert stars(app) == ["first"]
    for _ in range(2):
        assert ada.client.post("/me/stars/first", data={**form, "do": "remove"}).status_code == 303
    assert stars(app) == []


@pytest.mark.usefixtures("summit")
def test_own_public_talks_are_on_the_agenda_automatically(app: Flask, ada: Browser) -> None:
    with writing(app) as session:
        member = session.query(Member).one()
        speaker = make_speaker(session, member=member)
        event = make_event(session)
        make_talk(session, event, id="given", title="Given", state=TalkState.CONFIRMED, speakers=[speaker])
        make_talk(session, event, title="Offered", state=TalkState.SUBMITTED, submitter=member)
    ada.go("/me/stars")
    assert titles(ada) == ["Given"]
    assert "Your own talk" in ada.says()
    assert "on your agenda by itself" in ada.go("/me/stars/given")


@pytest.mark.usefixtures("summit")
def test_past_talks_are_listed_separately_latest_first(app: Flask, ada: Browser, clock: FixedClock) -> None:
    del clock
    with writing(app) as session:
        member = session.query(Member).one()
        over = make_event(session, starts="2026-02-01", ends="2026-02-03")
        for talk_id, day in (("old", "01"), ("older", "02")):
            starts = f"2026-02-{day}T10:00:00"
            make_talk(session, over, id=talk_id, title=talk_id, state=TalkState.CONFIRMED, starts=starts)
        session.add_all(Star(member_id=member.id, talk_id=one, starred_at=NOON) for one in ("old", "older", "first"))
    ada.go("/me/stars")
    assert titles(ada) == ["The first"]
    ada.go("/me/stars?past")
    assert titles(ada) == ["older", "old"]


@pytest.mark.usefixtures("summit")
def test_talk_of_a_cancelled_event_is_marked_as_cancelled(app: Flask, ada: Browser) -> None:
    with writing(app) as session:
        member = session.query(Member).one()
        off = make_event(session, status=EventStatus.CANCELLED)
        make_talk(session, off, id="off", title="Off", state=TalkState.CONFIRMED, published_at=NOON)
        session.add(Star(member_id=member.id, talk_id="off", starred_at=NOON))
    assert "Off Cancelled" in ada.go("/me/stars")


@pytest.mark.usefixtures("summit")
@pytest.mark.parametrize("talk_id", ["secret", "none"])
def test_unpublished_talks_cannot_be_added_to_the_agenda(app: Flask, ada: Browser, talk_id: str) -> None:
    ada.go("/me/stars/first")
    form = ada.fields("/me/stars/first")
    assert ada.client.get(f"/me/stars/{talk_id}").status_code == 404
    assert ada.client.post(f"/me/stars/{talk_id}", data={**form, "do": "add"}).status_code == 404
    assert stars(app) == []


@pytest.mark.usefixtures("summit")
def test_agenda_form_without_csrf_token_is_rejected(app: Flask, ada: Browser) -> None:
    assert ada.client.post("/me/stars/first", data={"do": "add"}).status_code == 403
    assert app.test_client().post("/me/stars/first", data={"do": "add"}).status_code == 401
    assert stars(app) == []


@pytest.mark.usefixtures("summit")
def test_agenda_of_another_member_is_neither_visible_nor_editable(app: Flask, ada: Browser) -> None:
    with writing(app) as session:
        session.add(Star(member_id=make_member(session).id, talk_id="first", starred_at=NOON))
    ada.go("/me/stars")
    assert titles(ada) == []
    ada.go("/me/stars/first")
    form = ada.fields("/me/stars/first")
    ada.client.post("/me/stars/first", data={**form, "do": "remove"})
    assert stars(app) == ["first"]


@pytest.mark.usefixtures("summit")
def test_anonymous_request_is_redirected_to_sign_in_and_back(app: Flask) -> None:
    answer = app.test_client().get("/me/stars/first")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=%2Fme%2Fstars%2Ffirst")


def test_agenda_is_paginated(app: Flask, ada: Browser) -> None:
    with writing(app) as session:
        member, event = session.query(Member).one(), make_event(session)
        for number in range(51):
            talk = make_talk(session, event, title=f"Talk {number}", state=TalkState.CONFIRMED)
            session.add(Star(member_id=member.id, talk_id=talk.id, starred_at=NOON))
    ada.go("/me/stars")
    first = titles(ada)
    [more] = [one.get("href", "") for one in tree_of(ada.at.text).iter("a") if text_of(one) == "More talks"]
    ada.go(more)
    assert (len(first), len(titles(ada)), len({*first, *titles(ada)})) == (50, 1, 51)
