"""The organisers' page of a talk: all fields, the history, and the form for changing it."""

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, Programme
from eventcal.members.enums import Role
from eventcal.talks.enums import TalkState
from eventcal.talks.models import TalkStateChange
from tests.factories import make_event, make_member, make_talk
from tests.feed_support.feed_client import fetch_feed
from tests.html_browser import HtmlBrowser
from tests.html_pages import element_text, parse_html
from tests.http_app import list_mails, list_rows, write_session
from tests.talk_decisions import (
    create_submitted_talks,
    get_form_data,
    states_by_title,
    submit_form_data,
    talks_by_title,
    visit_confirm_page,
)
from tests.team_browsers import create_member_browser, create_team_browser, invalid_field_names


@pytest.fixture
def organiser_browser(app: Flask, summit: str) -> HtmlBrowser:
    return create_team_browser(app, summit, "olga@example.org")


def talk_page_path(app: Flask, title: str = "One", slug: str = "summit") -> str:
    return f"/organise/{slug}/talks/{talks_by_title(app)[title].id}"


def test_talk_page_shows_all_fields_and_the_history(app: Flask, organiser_browser: HtmlBrowser) -> None:
    [talk] = create_submitted_talks(
        app, "summit", "One", abstract="What, and *why*.", notes="A projector", tags=["arm"], track="ARM"
    )
    visit_confirm_page(organiser_browser, "summit", "waitlist", talks=[talk], back="talk")
    said = submit_form_data(
        organiser_browser,
        "/organise/summit/decide",
        get_form_data(organiser_browser, "/organise/summit/decide"),
        do="waitlist",
        reason="Full.",
    )
    assert "One talk is on the waiting list." in said
    for text in ("What, and why.", "A projector", "arm", "Who gives One", "It has no time yet.", "Full."):
        assert text in said
    history = said[said.index("What became of it") :]
    assert "On the waiting list" in history
    assert "Ada Lovelace" in history


def test_reprised_talk_is_named_only_if_visible_to_the_organiser(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        known = make_event(session, slug="fosdem", title="FOSDEM")
        hidden = make_event(session, slug="hidden", title="Hidden", status=EventStatus.PENDING)
        event = make_event(session, slug="autumn", title="Autumn")
        public = make_talk(session, known, title="First time", state=TalkState.CONFIRMED)
        secret = make_talk(session, hidden, title="Secret time")
        make_talk(session, event, title="Again", reprise_of=public)
        make_talk(session, event, title="And again", reprise_of=secret)
    del organiser_browser
    otto = create_team_browser(app, "autumn", "otto@example.org")
    assert "First time, FOSDEM" in otto.visit(talk_page_path(app, "Again", "autumn"))
    said = otto.visit(talk_page_path(app, "And again", "autumn"))
    assert "At an event that you cannot see." in said
    assert "Secret time" not in said


def test_all_fields_can_be_changed_and_appear_in_the_feed(app: Flask, organiser_browser: HtmlBrowser) -> None:
    create_submitted_talks(app, "summit", "One", state=TalkState.CONFIRMED)
    here = talk_page_path(app)
    organiser_browser.visit(here)
    said = organiser_browser.submit_form(
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
    talk = talks_by_title(app)["Better"]
    assert (talk.starts, talk.ends, talk.abstract) == ("2026-06-11T09:30:00", None, "Two\nlines")
    [entry] = [one for one in fetch_feed(app, f"/talks/{talk.id}.ics").events() if one.text("SUMMARY") == "Better"]
    assert "Room 1" in entry.text("LOCATION")
    organiser_browser.visit(here)
    assert (organiser_browser.form_values(here)["starts"], organiser_browser.form_values(here)["starts_time"]) == (
        "2026-06-11",
        "09:30",
    )
    assert (organiser_browser.form_values(here)["room"], organiser_browser.form_values(here)["track"]) == (
        "Room 1",
        "ARM",
    )
    organiser_browser.submit_form(here, do="save", starts_time="", room="", track="")
    talk = talks_by_title(app)["Better"]
    assert (talk.starts, talk.room_id, talk.track_id) == (None, None, None)


def test_end_can_be_set_instead_of_a_duration(app: Flask, organiser_browser: HtmlBrowser) -> None:
    create_submitted_talks(app, "summit", "One", state=TalkState.ACCEPTED)
    here = talk_page_path(app)
    organiser_browser.visit(here)
    organiser_browser.submit_form(here, do="save", starts_time="10:00", ends_time="12:15")
    talk = talks_by_title(app)["One"]
    assert (talk.starts, talk.ends) == ("2026-06-10T10:00:00", "2026-06-10T12:15:00")
    assert "It is saved." in organiser_browser.submit_form(here, do="save", ends_time="")
    assert talks_by_title(app)["One"].ends is None


def test_saving_an_unchanged_talk_creates_no_new_revision(app: Flask, organiser_browser: HtmlBrowser) -> None:
    create_submitted_talks(
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
    before, here = talks_by_title(app)["One"], talk_page_path(app)
    organiser_browser.visit(here)
    organiser_browser.submit_form(here, do="save")
    after = talks_by_title(app)["One"]
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
    app: Flask, organiser_browser: HtmlBrowser, typed: dict[str, str], wrong: set[str]
) -> None:
    create_submitted_talks(app, "summit", "One")
    before, here = talks_by_title(app)["One"].revision, talk_page_path(app)
    organiser_browser.visit(here)
    organiser_browser.submit_form(here, do="save", abstract="Kept", **typed)
    assert organiser_browser.response.status_code == 422
    assert invalid_field_names(organiser_browser) == wrong
    assert organiser_browser.form_values(here)["abstract"] == "Kept"
    assert talks_by_title(app)["One"].revision == before


def test_conflicting_edit_returns_412_and_shows_the_current_values(app: Flask, organiser_browser: HtmlBrowser) -> None:
    create_submitted_talks(app, "summit", "One")
    here = talk_page_path(app)
    otto = create_team_browser(app, "summit", "otto@example.org")
    for browser in (organiser_browser, otto):
        browser.visit(here)
    otto.submit_form(here, do="save", title="Otto's", room="Room 1")
    said = organiser_browser.submit_form(here, do="save", title="Olga's")
    assert organiser_browser.response.status_code == 412
    assert "There stands now: Otto's" in said
    assert "There stands now: Room 1" in said
    assert (organiser_browser.form_values(here)["title"], set(states_by_title(app))) == ("Olga's", {"Otto's"})
    organiser_browser.submit_form(here, do="save")
    assert set(states_by_title(app)) == {"Olga's"}


def test_validation_error_does_not_hide_a_concurrent_change(app: Flask, organiser_browser: HtmlBrowser) -> None:
    create_submitted_talks(app, "summit", "One")
    here = talk_page_path(app)
    otto = create_team_browser(app, "summit", "otto@example.org")
    organiser_browser.visit(here)
    organiser_browser.submit_form(here, do="save", title="Olga's", duration_minutes="long")
    otto.visit(here)
    otto.submit_form(here, do="save", title="Otto's")
    organiser_browser.submit_form(here, do="save", duration_minutes="")
    assert (organiser_browser.response.status_code, set(states_by_title(app))) == (412, {"Otto's"})


def test_only_deciders_of_the_event_can_change_a_talk(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        make_event(session, slug="other")
    create_submitted_talks(app, "summit", "One")
    here = talk_page_path(app)
    otto = create_team_browser(app, "other", "otto@example.org")
    for someone in (create_member_browser(app), otto):
        someone.visit("/me")
        form = {"csrf_token": someone.form_values("/logout")["csrf_token"], "title": "Mine", "revision": "1"}
        assert someone.client.post(here, data=form).status_code == 403
        # Not through the URL of another event either.
        assert someone.client.post(here.replace("summit", "other"), data=form).status_code in {403, 404}
        assert someone.client.get(here.replace("summit", "other")).status_code in {403, 404}
    assert organiser_browser.client.post(here, data={"title": "Mine"}).status_code == 403
    assert set(states_by_title(app)) == {"One"}


def test_submitter_cannot_use_the_organisers_form(app: Flask, summit: str) -> None:
    create_submitted_talks(app, summit, "One")
    submitter = create_member_browser(app, "one@example.org")
    assert submitter.client.get(talk_page_path(app)).status_code == 403


def test_drafts_and_unknown_talks_return_404(app: Flask, organiser_browser: HtmlBrowser) -> None:
    create_submitted_talks(app, "summit", "One", state=TalkState.DRAFT)
    assert organiser_browser.client.get(talk_page_path(app)).status_code == 404
    for nothing in ("nothing", "%00", "%ED%A0%80"):
        assert organiser_browser.client.get(f"/organise/summit/talks/{nothing}").status_code == 404


def test_talk_page_offers_only_possible_steps(app: Flask, organiser_browser: HtmlBrowser) -> None:
    for state in set(TalkState) - {TalkState.DRAFT}:
        create_submitted_talks(app, "summit", state.value, state=state)

    def steps(state: str) -> set[str]:
        organiser_browser.visit(talk_page_path(app, state))
        found = [
            one.get("href", "")
            for one in parse_html(organiser_browser.response.text).iter("a")
            if "/decide?" in one.get("href", "")
        ]
        return {one.partition("do=")[2].partition("&")[0] for one in found}

    assert {state.value: steps(state.value) for state in set(TalkState) - {TalkState.DRAFT}} == {
        "submitted": {"accept", "waitlist", "reject"},
        "waitlisted": {"accept", "reject"},
        "accepted": {"cancel"},
        "confirmed": {"cancel"},
        "rejected": {"reinstate"},
        "withdrawn": {"reinstate"},
        "cancelled": {"reinstate"},
    }


def test_moderator_erases_a_talk_after_a_preview(app: Flask) -> None:
    with write_session(app) as session:
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
    here = talk_page_path(app, "Buy!", "fosdem")
    organiser = create_team_browser(app, "fosdem", "olga@example.org")
    assert "Remove its text" not in organiser.visit(here)
    assert organiser.client.get(f"{here}/redact").status_code == 403
    mo = create_member_browser(app, "mo@example.org", role=Role.MODERATOR)
    mo.visit(here)
    link = next(one for one in parse_html(mo.response.text).iter("a") if element_text(one) == "Remove its text")
    assert "What is left stands as cancelled" in mo.visit(link.get("href", ""))
    assert states_by_title(app) == {"Buy!": "accepted"}
    organiser.visit("/me")
    theirs = {"csrf_token": organiser.form_values("/logout")["csrf_token"]}
    assert organiser.client.post(f"{here}/redact", data=theirs).status_code == 403
    said = mo.submit_form(f"{here}/redact", do="redact")
    assert "Its text is removed everywhere." in said
    for gone in ("Buy", "Cheap", "Spam"):
        assert gone not in said
    assert states_by_title(app) == {"[removed]": "cancelled"}
    assert [step.reason for step in list_rows(app, TalkStateChange)] == [None, None]
    assert list_mails(app) == []
    # Erasure is permanent; the organisers no longer see a form.
    organiser.visit(here)
    assert list(parse_html(organiser.response.text).iter("form")) == []
    assert mo.client.get(f"{here}/redact").status_code == 303
