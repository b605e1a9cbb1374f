"""The organisers' page of a talk: all fields, the history, and the form for changing it."""

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, Programme
from eventcal.members.enums import Role
from eventcal.talks.enums import TalkState
from eventcal.talks.models import TalkStateChange
from tests.browsing import Browser
from tests.deciding import ask, held, offer, send, states, talks_of
from tests.feed_support.fetching import read
from tests.http_app import mails, rows, writing
from tests.make import make_event, make_member, make_talk
from tests.organising import browser_of_member, browser_of_team, invalid_fields
from tests.pages import text_of, tree_of


@pytest.fixture
def olga(app: Flask, summit: str) -> Browser:
    return browser_of_team(app, summit, "olga@example.org")


def page_of(app: Flask, title: str = "One", slug: str = "summit") -> str:
    return f"/organise/{slug}/talks/{talks_of(app)[title].id}"


def test_talk_page_shows_all_fields_and_the_history(app: Flask, olga: Browser) -> None:
    [talk] = offer(app, "summit", "One", abstract="What, and *why*.", notes="A projector", tags=["arm"], track="ARM")
    ask(olga, "summit", "waitlist", talks=[talk], back="talk")
    said = send(olga, "/organise/summit/decide", held(olga, "/organise/summit/decide"), do="waitlist", reason="Full.")
    assert "One talk is on the waiting list." in said
    for text in ("What, and why.", "A projector", "arm", "Who gives One", "It has no time yet.", "Full."):
        assert text in said
    history = said[said.index("What became of it") :]
    assert "On the waiting list" in history
    assert "Ada Lovelace" in history


def test_reprised_talk_is_named_only_if_visible_to_the_organiser(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        known = make_event(session, slug="fosdem", title="FOSDEM")
        hidden = make_event(session, slug="hidden", title="Hidden", status=EventStatus.PENDING)
        event = make_event(session, slug="autumn", title="Autumn")
        public = make_talk(session, known, title="First time", state=TalkState.CONFIRMED)
        secret = make_talk(session, hidden, title="Secret time")
        make_talk(session, event, title="Again", reprise_of=public)
        make_talk(session, event, title="And again", reprise_of=secret)
    del olga
    otto = browser_of_team(app, "autumn", "otto@example.org")
    assert "First time, FOSDEM" in otto.go(page_of(app, "Again", "autumn"))
    said = otto.go(page_of(app, "And again", "autumn"))
    assert "At an event that you cannot see." in said
    assert "Secret time" not in said


def test_all_fields_can_be_changed_and_appear_in_the_feed(app: Flask, olga: Browser) -> None:
    offer(app, "summit", "One", state=TalkState.CONFIRMED)
    here = page_of(app)
    olga.go(here)
    said = olga.send(
        here,
        do="save",
        title="Better",
        starts="2026-06-11",
        starts_time="9:30",
        room="Room 1",
        track="ARM",
        tags="xen, arm",
        duration_minutes="30",
        abstract="Two\r\nlines",
    )
    assert "It is saved." in said
    talk = talks_of(app)["Better"]
    assert (talk.starts, talk.ends, talk.abstract) == ("2026-06-11T09:30:00", None, "Two\nlines")
    [entry] = [one for one in read(app, f"/talks/{talk.id}.ics").events() if one.text("SUMMARY") == "Better"]
    assert "Room 1" in entry.text("LOCATION")
    olga.go(here)
    assert (olga.fields(here)["starts"], olga.fields(here)["starts_time"]) == ("2026-06-11", "09:30")
    assert (olga.fields(here)["room"], olga.fields(here)["track"]) == ("Room 1", "ARM")
    olga.send(here, do="save", starts_time="", room="", track="")
    talk = talks_of(app)["Better"]
    assert (talk.starts, talk.room_id, talk.track_id) == (None, None, None)


def test_end_can_be_set_instead_of_a_duration(app: Flask, olga: Browser) -> None:
    offer(app, "summit", "One", state=TalkState.ACCEPTED)
    here = page_of(app)
    olga.go(here)
    olga.send(here, do="save", starts_time="10:00", ends_time="12:15")
    talk = talks_of(app)["One"]
    assert (talk.starts, talk.ends) == ("2026-06-10T10:00:00", "2026-06-10T12:15:00")
    assert "It is saved." in olga.send(here, do="save", ends_time="")
    assert talks_of(app)["One"].ends is None


def test_saving_an_unchanged_talk_creates_no_new_revision(app: Flask, olga: Browser) -> None:
    offer(
        app,
        "summit",
        "One",
        abstract="One\r\nTwo",
        starts="2026-06-10T10:00:30",
        ends="2026-06-10T11:00:00",
        room="Room 2",
        tags=["a", "b"],
        kind="poster",
        state=TalkState.CONFIRMED,
    )
    before, here = talks_of(app)["One"], page_of(app)
    olga.go(here)
    olga.send(here, do="save")
    after = talks_of(app)["One"]
    assert (after.revision, after.abstract, after.starts) == (before.revision, "One\r\nTwo", "2026-06-10T10:00:30")


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"title": "", "duration_minutes": "long", "room": "Nowhere"}, {"title", "duration_minutes", "room"}),
        ({"starts": "2026-07-01", "starts_time": "10:00"}, {"starts", "starts_time"}),
        ({"starts_time": "25:00", "ends_time": "10:00"}, {"starts", "starts_time"}),
        ({"ends_time": "10:00"}, {"starts", "starts_time"}),
        ({"starts_time": "10:00", "ends_time": "09:00"}, {"ends", "ends_time"}),
        ({"track": "None of ours", "kind": "opera"}, {"track", "kind"}),
    ],
)
def test_errors_are_shown_beside_their_fields_and_nothing_is_saved(
    app: Flask, olga: Browser, typed: dict[str, str], wrong: set[str]
) -> None:
    offer(app, "summit", "One")
    before, here = talks_of(app)["One"].revision, page_of(app)
    olga.go(here)
    olga.send(here, do="save", abstract="Kept", **typed)
    assert olga.at.status_code == 422
    assert invalid_fields(olga) == wrong
    assert olga.fields(here)["abstract"] == "Kept"
    assert talks_of(app)["One"].revision == before


def test_conflicting_edit_returns_412_and_shows_the_current_values(app: Flask, olga: Browser) -> None:
    offer(app, "summit", "One")
    here = page_of(app)
    otto = browser_of_team(app, "summit", "otto@example.org")
    for browser in (olga, otto):
        browser.go(here)
    otto.send(here, do="save", title="Otto's", room="Room 1")
    said = olga.send(here, do="save", title="Olga's")
    assert olga.at.status_code == 412
    assert "There stands now: Otto's" in said
    assert "There stands now: Room 1" in said
    assert (olga.fields(here)["title"], set(states(app))) == ("Olga's", {"Otto's"})
    olga.send(here, do="save")
    assert set(states(app)) == {"Olga's"}


def test_validation_error_does_not_hide_a_concurrent_change(app: Flask, olga: Browser) -> None:
    offer(app, "summit", "One")
    here = page_of(app)
    otto = browser_of_team(app, "summit", "otto@example.org")
    olga.go(here)
    olga.send(here, do="save", title="Olga's", duration_minutes="long")
    otto.go(here)
    otto.send(here, do="save", title="Otto's")
    olga.send(here, do="save", duration_minutes="")
    assert (olga.at.status_code, set(states(app))) == (412, {"Otto's"})


def test_only_deciders_of_the_event_can_change_a_talk(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        make_event(session, slug="other")
    offer(app, "summit", "One")
    here = page_of(app)
    otto = browser_of_team(app, "other", "otto@example.org")
    for someone in (browser_of_member(app), otto):
        someone.go("/me")
        form = {"csrf_token": someone.fields("/logout")["csrf_token"], "title": "Mine", "revision": "1"}
        assert someone.client.post(here, data=form).status_code == 403
        # Not through the URL of another event either.
        assert someone.client.post(here.replace("summit", "other"), data=form).status_code in {403, 404}
        assert someone.client.get(here.replace("summit", "other")).status_code in {403, 404}
    assert olga.client.post(here, data={"title": "Mine"}).status_code == 403
    assert set(states(app)) == {"One"}


def test_submitter_cannot_use_the_organisers_form(app: Flask, summit: str) -> None:
    offer(app, summit, "One")
    submitter = browser_of_member(app, "one@example.org")
    assert submitter.client.get(page_of(app)).status_code == 403


def test_drafts_and_unknown_talks_return_404(app: Flask, olga: Browser) -> None:
    offer(app, "summit", "One", state=TalkState.DRAFT)
    assert olga.client.get(page_of(app)).status_code == 404
    for nothing in ("nothing", "%00", "%ED%A0%80"):
        assert olga.client.get(f"/organise/summit/talks/{nothing}").status_code == 404


def test_talk_page_offers_only_possible_steps(app: Flask, olga: Browser) -> None:
    for state in set(TalkState) - {TalkState.DRAFT}:
        offer(app, "summit", state.value, state=state)

    def steps(state: str) -> set[str]:
        olga.go(page_of(app, state))
        found = [one.get("href", "") for one in tree_of(olga.at.text).iter("a") if "/decide?" in one.get("href", "")]
        return {one.partition("do=")[2].partition("&")[0] for one in found}

    assert {state.value: steps(state.value) for state in set(TalkState) - {TalkState.DRAFT}} == {
        "submitted": {"accept", "waitlist", "reject"},
        "waitlisted": {"accept", "reject"},
        "accepted": {"cancel"},
        "confirmed": {"cancel"},
        "rejected": set(),
        "withdrawn": set(),
        "cancelled": set(),
    }


def test_moderator_erases_a_talk_after_a_preview(app: Flask) -> None:
    with writing(app) as session:
        event = make_event(session, slug="fosdem", programme=Programme.LISTED)
        spam = make_talk(session, event, title="Buy!", abstract="Cheap", state=TalkState.ACCEPTED, notes="Spam")
        session.add(
            TalkStateChange(
                talk_id=spam.id,
                from_state=TalkState.SUBMITTED,
                to_state=TalkState.ACCEPTED,
                member_id=make_member(session).id,
                reason="Buy",
                created_at=event.created_at,
            )
        )
    here = page_of(app, "Buy!", "fosdem")
    organiser = browser_of_team(app, "fosdem", "olga@example.org")
    assert "Remove its text" not in organiser.go(here)
    assert organiser.client.get(f"{here}/redact").status_code == 403
    mo = browser_of_member(app, "mo@example.org", role=Role.MODERATOR)
    mo.go(here)
    link = next(one for one in tree_of(mo.at.text).iter("a") if text_of(one) == "Remove its text")
    assert "What is left stands as cancelled" in mo.go(link.get("href", ""))
    assert states(app) == {"Buy!": "accepted"}
    organiser.go("/me")
    theirs = {"csrf_token": organiser.fields("/logout")["csrf_token"]}
    assert organiser.client.post(f"{here}/redact", data=theirs).status_code == 403
    said = mo.send(f"{here}/redact", do="redact")
    assert "Its text is removed everywhere." in said
    for gone in ("Buy", "Cheap", "Spam"):
        assert gone not in said
    assert states(app) == {"[removed]": "cancelled"}
    assert [step.reason for step in rows(app, TalkStateChange)] == [None, None]
    assert mails(app) == []
    # Erasure is permanent; the organisers no longer see a form.
    organiser.go(here)
    assert list(tree_of(organiser.at.text).iter("form")) == []
    assert mo.client.get(f"{here}/redact").status_code == 303
