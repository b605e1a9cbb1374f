"""Deciding on talks: a preview first, then the decision applies to all chosen talks or to none."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from eventcal.events.enums import Programme
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk, TalkStateChange
from tests.api_client import get_row
from tests.factories import make_event
from tests.feed_support.feed_client import fetch_feed
from tests.html_browser import HtmlBrowser
from tests.html_pages import parse_html
from tests.http_app import database_of, list_mails, list_rows, write_session
from tests.talk_decisions import (
    create_submitted_talks,
    get_form_data,
    states_by_title,
    submit_form_data,
    visit_confirm_page,
)
from tests.team_browsers import create_member_browser, create_team_browser, invalid_field_names

DECIDE_PATH = "/organise/summit/decide"


@pytest.fixture
def organiser_browser(app: Flask, summit: str) -> HtmlBrowser:
    return create_team_browser(app, summit, "olga@example.org")


def load_reasons(app: Flask) -> list[str | None]:
    return [step.reason for step in list_rows(app, TalkStateChange)]


def test_decision_is_previewed_before_it_takes_effect(app: Flask, organiser_browser: HtmlBrowser) -> None:
    ids = create_submitted_talks(app, "summit", "One", "Two")
    said = visit_confirm_page(organiser_browser, "summit", "accept", talks=ids)
    assert "Accept these 2 talks?" in said
    assert "2 submitters" in said
    assert "“One” for Xen Summit has been accepted." in said
    assert (states_by_title(app), list_mails(app)) == ({"One": "submitted", "Two": "submitted"}, [])
    said = submit_form_data(
        organiser_browser,
        DECIDE_PATH,
        get_form_data(organiser_browser, DECIDE_PATH),
        do="accept",
        reason="Well done.\r\nSee you!",
    )
    assert "2 talks are accepted." in said
    assert states_by_title(app) == {"One": "accepted", "Two": "accepted"}
    assert list_mails(app) == [
        ("one@example.org", "One: accepted"),
        ("two@example.org", "Two: accepted"),
    ]
    assert load_reasons(app) == ["Well done.\nSee you!"] * 2


def test_mail_in_the_preview_is_the_mail_that_is_sent(mailing_app: Flask) -> None:
    with write_session(mailing_app) as session:
        make_event(session, slug="summit")
    olga = create_team_browser(mailing_app, "summit", "olga@example.org")
    ids = create_submitted_talks(mailing_app, "summit", "One")
    assert "One submitter gets this mail:" in visit_confirm_page(olga, "summit", "reject", talks=ids)


STATES_BY_DECISION = {
    "accept": (TalkState.WAITLISTED, "accepted"),
    "waitlist": (TalkState.SUBMITTED, "waitlisted"),
    "reject": (TalkState.SUBMITTED, "rejected"),
    "cancel": (TalkState.CONFIRMED, "cancelled"),
}


@pytest.mark.parametrize("step", STATES_BY_DECISION)
def test_each_decision_redirects_to_the_filtered_list(app: Flask, organiser_browser: HtmlBrowser, step: str) -> None:
    before, after = STATES_BY_DECISION[step]
    create_submitted_talks(app, "summit", "One", state=before)
    organiser_browser.visit(f"/organise/summit?state={before.value}&q=one&tick=all")
    asked = get_form_data(organiser_browser, DECIDE_PATH)
    organiser_browser.visit(
        f"{DECIDE_PATH}?do={step}&" + "&".join(f"{name}={value}" for name, value in asked.items(multi=True))
    )
    organiser_browser.response = organiser_browser.client.post(
        DECIDE_PATH, data=get_form_data(organiser_browser, DECIDE_PATH) | {"do": step}
    )
    assert (
        organiser_browser.response.headers["Location"]
        == f"/organise/summit?state={before.value}&q=one&done={step}&number=1"
    )
    assert states_by_title(app) == {"One": after}


def test_decision_from_a_talk_page_redirects_to_the_talk(app: Flask, organiser_browser: HtmlBrowser) -> None:
    [talk] = create_submitted_talks(app, "summit", "One")
    visit_confirm_page(organiser_browser, "summit", "waitlist", talks=[talk], back="talk")
    assert "One talk is on the waiting list." in submit_form_data(
        organiser_browser, DECIDE_PATH, get_form_data(organiser_browser, DECIDE_PATH), do="waitlist"
    )
    assert "What became of it" in organiser_browser.main_text()


def test_decision_without_a_talk_is_rejected(app: Flask, organiser_browser: HtmlBrowser) -> None:
    create_submitted_talks(app, "summit", "One")
    assert "Choose at least one talk first." in visit_confirm_page(organiser_browser, "summit", "accept", talks=[])
    ids = create_submitted_talks(app, "summit", "Two")
    visit_confirm_page(organiser_browser, "summit", "accept", talks=ids)
    form = get_form_data(organiser_browser, DECIDE_PATH)
    form.poplist("talk")
    assert "Choose at least one talk." in submit_form_data(
        organiser_browser, DECIDE_PATH, form, do="accept", reason="Kept"
    )
    assert organiser_browser.response.status_code == 422
    # The talk can still be chosen, and the reason is kept.
    assert (
        get_form_data(organiser_browser, DECIDE_PATH)["shown"],
        get_form_data(organiser_browser, DECIDE_PATH)["reason"],
    ) == (ids[0], "Kept")
    assert states_by_title(app) == {"One": "submitted", "Two": "submitted"}


def test_unticked_talk_is_left_out_of_the_decision(app: Flask, organiser_browser: HtmlBrowser) -> None:
    ids = create_submitted_talks(app, "summit", "One", "Two")
    visit_confirm_page(organiser_browser, "summit", "reject", talks=ids)
    form = get_form_data(organiser_browser, DECIDE_PATH)
    form.setlist("talk", [ids[0]])
    assert "One talk is rejected." in submit_form_data(organiser_browser, DECIDE_PATH, form, do="reject")
    assert states_by_title(app) == {"One": "rejected", "Two": "submitted"}


def test_concurrent_decision_rejects_the_whole_form_and_names_the_talk(
    app: Flask, organiser_browser: HtmlBrowser
) -> None:
    ids = create_submitted_talks(app, "summit", "One", "Two", "Three")
    otto = create_team_browser(app, "summit", "otto@example.org")
    visit_confirm_page(organiser_browser, "summit", "accept", talks=ids)
    visit_confirm_page(otto, "summit", "reject", talks=[ids[1]])
    submit_form_data(otto, DECIDE_PATH, get_form_data(otto, DECIDE_PATH), do="reject")
    before = list_mails(app)
    said = submit_form_data(
        organiser_browser, DECIDE_PATH, get_form_data(organiser_browser, DECIDE_PATH), do="accept", reason="Welcome!"
    )
    assert organiser_browser.response.status_code == 409
    assert "“Two” cannot be accepted; it is by now: Rejected." in said
    assert "“One” cannot" not in said
    assert states_by_title(app) == {"One": "submitted", "Two": "rejected", "Three": "submitted"}
    assert list_mails(app) == before
    # The remaining talks are still chosen and the reason is kept; submitting again succeeds.
    form = get_form_data(organiser_browser, DECIDE_PATH)
    assert (sorted(form.getlist("talk")), form["reason"]) == (sorted([ids[0], ids[2]]), "Welcome!")
    assert "2 talks are accepted." in submit_form_data(organiser_browser, DECIDE_PATH, form, do="accept")
    assert states_by_title(app) == {"One": "accepted", "Two": "rejected", "Three": "accepted"}


def test_talk_changed_since_the_preview_must_be_reviewed_again(app: Flask, organiser_browser: HtmlBrowser) -> None:
    ids = create_submitted_talks(app, "summit", "One", "Two")
    visit_confirm_page(organiser_browser, "summit", "accept", talks=ids)
    with write_session(app) as session:
        session.get_one(Talk, ids[0]).abstract = "Buy this!"
    form = get_form_data(organiser_browser, DECIDE_PATH)
    # An unrelated validation error does not mark the change as seen.
    submit_form_data(organiser_browser, DECIDE_PATH, form, do="accept", reason="x" * 2001)
    said = submit_form_data(
        organiser_browser, DECIDE_PATH, get_form_data(organiser_browser, DECIDE_PATH), do="accept", reason="Good."
    )
    assert organiser_browser.response.status_code == 409
    assert "“One” was changed meanwhile" in said
    assert "“Two” was changed" not in said
    assert set(states_by_title(app).values()) == {"submitted"}
    assert "2 talks are accepted." in submit_form_data(
        organiser_browser, DECIDE_PATH, get_form_data(organiser_browser, DECIDE_PATH), do="accept"
    )


def test_change_since_the_talk_page_was_loaded_is_reported(app: Flask, organiser_browser: HtmlBrowser) -> None:
    [talk] = create_submitted_talks(app, "summit", "One")
    organiser_browser.visit(f"/organise/summit/talks/{talk}")
    links = [one.get("href", "") for one in parse_html(organiser_browser.response.text).iter("a")]
    accept = next(link for link in links if "do=accept" in link)
    assert "changed meanwhile" not in organiser_browser.visit(accept)
    with write_session(app) as session:
        session.get_one(Talk, talk).abstract = "Buy this!"
    assert "“One” was changed meanwhile" in organiser_browser.visit(accept)
    assert organiser_browser.response.status_code == 409


def test_preview_reports_talks_that_cannot_take_the_step(app: Flask, organiser_browser: HtmlBrowser) -> None:
    sure, waits = create_submitted_talks(app, "summit", "Sure", state=TalkState.CONFIRMED) + create_submitted_talks(
        app, "summit", "Waits"
    )
    said = visit_confirm_page(organiser_browser, "summit", "accept", talks=[sure, waits])
    assert "“Sure” cannot be accepted; it is by now: Confirmed." in said
    assert get_form_data(organiser_browser, DECIDE_PATH).getlist("talk") == [waits]
    assert "Reject this talk?" in visit_confirm_page(organiser_browser, "summit", "reject", talks=[sure])
    assert get_form_data(organiser_browser, DECIDE_PATH).getlist("talk") == []


def test_of_two_simultaneous_decisions_one_is_rejected_with_409(app: Flask, organiser_browser: HtmlBrowser) -> None:
    ids = create_submitted_talks(app, "summit", *(f"Talk {number}" for number in range(10)))
    otto = create_team_browser(app, "summit", "otto@example.org")
    steps = {"accept": organiser_browser, "reject": otto}
    forms = {}
    for step, browser in steps.items():
        visit_confirm_page(browser, "summit", step, talks=ids)
        forms[step] = get_form_data(browser, DECIDE_PATH) | {"do": step}
    start = Barrier(2)

    def press(step: str) -> int:
        start.wait(timeout=30)
        return steps[step].client.post(DECIDE_PATH, data=forms[step]).status_code

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(press, steps))
    assert sorted(answers) == [303, 409]
    assert len(set(states_by_title(app).values())) == 1
    assert len(list_mails(app)) == 10


def test_overlong_reason_is_kept_in_its_field_with_an_error(app: Flask, organiser_browser: HtmlBrowser) -> None:
    ids = create_submitted_talks(app, "summit", "One")
    visit_confirm_page(organiser_browser, "summit", "reject", talks=ids)
    submit_form_data(
        organiser_browser, DECIDE_PATH, get_form_data(organiser_browser, DECIDE_PATH), do="reject", reason="x" * 2001
    )
    assert (organiser_browser.response.status_code, invalid_field_names(organiser_browser)) == (422, {"reason"})
    assert get_form_data(organiser_browser, DECIDE_PATH)["reason"] == "x" * 2001
    assert states_by_title(app) == {"One": "submitted"}


def test_preview_reports_deactivated_submitters_who_get_no_mail(app: Flask, organiser_browser: HtmlBrowser) -> None:
    ids = create_submitted_talks(app, "summit", "One", "Two")
    with write_session(app) as session:
        session.get_one(Member, get_row(app, Member, email="one@example.org").id).active = False
    said = visit_confirm_page(organiser_browser, "summit", "accept", talks=ids)
    assert "One submitter is told so:" in said
    assert "One talk has nobody to be told" in said
    submit_form_data(organiser_browser, DECIDE_PATH, get_form_data(organiser_browser, DECIDE_PATH), do="accept")
    assert [to for to, _subject in list_mails(app)] == ["two@example.org"]


@pytest.mark.parametrize("step", ["submit", "withdraw", "confirm", "redact", "nonsense", ""])
def test_other_steps_return_404(app: Flask, organiser_browser: HtmlBrowser, step: str) -> None:
    ids = create_submitted_talks(app, "summit", "One", state=TalkState.ACCEPTED)
    visit_confirm_page(organiser_browser, "summit", "cancel", talks=ids)
    form = get_form_data(organiser_browser, DECIDE_PATH) | {"do": step}
    assert organiser_browser.client.get(f"{DECIDE_PATH}?do={step}&talk={ids[0]}").status_code == 404
    assert organiser_browser.client.post(DECIDE_PATH, data=form).status_code == 404
    assert states_by_title(app) == {"One": "accepted"}


def test_talks_of_other_events_and_drafts_return_404(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        make_event(session, slug="other")
    [own] = create_submitted_talks(app, "summit", "Own")
    [theirs] = create_submitted_talks(app, "other", "Theirs")
    [draft] = create_submitted_talks(app, "summit", "Draft", state=TalkState.DRAFT)
    visit_confirm_page(organiser_browser, "summit", "reject", talks=[own])
    csrf = get_form_data(organiser_browser, DECIDE_PATH)["csrf_token"]
    for one in (theirs, draft, "nothing", "' or 1=1 --", "\x00"):
        assert organiser_browser.client.get(DECIDE_PATH, query_string={"do": "reject", "talk": one}).status_code == 404
        form = MultiDict([("csrf_token", csrf), ("do", "reject"), ("talk", own), ("talk", one)])
        assert organiser_browser.client.post(DECIDE_PATH, data=form).status_code == 404
    assert set(states_by_title(app).values()) == {"submitted", "draft"}


def test_more_than_200_talks_are_rejected(app: Flask, organiser_browser: HtmlBrowser) -> None:
    create_submitted_talks(app, "summit", "One")
    many = [("talk", f"talk-{number}") for number in range(201)]
    assert organiser_browser.client.get(DECIDE_PATH, query_string=[("do", "accept"), *many]).status_code == 422


def test_form_without_csrf_token_is_rejected(app: Flask, organiser_browser: HtmlBrowser) -> None:
    ids = create_submitted_talks(app, "summit", "One")
    assert organiser_browser.client.post(DECIDE_PATH, data={"do": "accept", "talk": ids[0]}).status_code == 403
    assert states_by_title(app) == {"One": "submitted"}


def test_members_without_permission_cannot_decide(app: Flask, organiser_browser: HtmlBrowser) -> None:
    ids = create_submitted_talks(app, "summit", "One")
    with write_session(app) as session:
        make_event(session, slug="other")
    for someone in (create_member_browser(app), create_team_browser(app, "other", "otto@example.org")):
        someone.visit("/me")
        form = {"csrf_token": someone.form_values("/logout")["csrf_token"], "do": "accept", "talk": ids[0]}
        assert someone.client.post(DECIDE_PATH, data=form).status_code == 403
    assert states_by_title(app) == {"One": "submitted"}
    del organiser_browser


def test_moderator_accepts_talks_of_a_listed_event_into_its_feed(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="fosdem", programme=Programme.LISTED)
    ids = create_submitted_talks(app, "fosdem", "One", "Two", starts="2026-06-10T10:00:00")
    mo = create_member_browser(app, "mo@example.org", role=Role.MODERATOR)
    assert "Everybody sees an accepted talk of this event at once" in visit_confirm_page(
        mo, "fosdem", "accept", talks=ids
    )
    submit_form_data(mo, "/organise/fosdem/decide", get_form_data(mo, "/organise/fosdem/decide"), do="accept")
    assert {"One", "Two"} <= {entry.text("SUMMARY") for entry in fetch_feed(app, "/events/fosdem.ics").events()}


def test_200_talks_can_be_decided_at_once(app: Flask, organiser_browser: HtmlBrowser) -> None:
    ids = create_submitted_talks(app, "summit", *(f"Talk {number}" for number in range(200)))
    visit_confirm_page(organiser_browser, "summit", "reject", talks=ids)
    assert "200 talks are rejected." in submit_form_data(
        organiser_browser, DECIDE_PATH, get_form_data(organiser_browser, DECIDE_PATH), do="reject"
    )
    with database_of(app).read_session():
        assert set(states_by_title(app).values()) == {"rejected"}
