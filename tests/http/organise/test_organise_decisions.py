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
from tests.api import row
from tests.browsing import Browser
from tests.deciding import ask, held, offer, send, states
from tests.feed_support.fetching import read
from tests.http_app import database_of, mails, rows, writing
from tests.make import make_event
from tests.organising import browser_of_member, browser_of_team, invalid_fields
from tests.pages import tree_of

DECIDE = "/organise/summit/decide"


@pytest.fixture
def olga(app: Flask, summit: str) -> Browser:
    return browser_of_team(app, summit, "olga@example.org")


def reasons(app: Flask) -> list[str | None]:
    return [step.reason for step in rows(app, TalkStateChange)]


def test_decision_is_previewed_before_it_takes_effect(app: Flask, olga: Browser) -> None:
    ids = offer(app, "summit", "One", "Two")
    said = ask(olga, "summit", "accept", talks=ids)
    assert "Accept these 2 talks?" in said
    assert "2 submitters" in said
    assert "“One” for Xen Summit has been accepted." in said
    assert (states(app), mails(app)) == ({"One": "submitted", "Two": "submitted"}, [])
    said = send(olga, DECIDE, held(olga, DECIDE), do="accept", reason="Well done.\r\nSee you!")
    assert "2 talks are accepted." in said
    assert states(app) == {"One": "accepted", "Two": "accepted"}
    assert mails(app) == [
        ("one@example.org", "One: accepted / One: angenommen"),
        ("two@example.org", "Two: accepted / Two: angenommen"),
    ]
    assert reasons(app) == ["Well done.\nSee you!"] * 2


def test_mail_in_the_preview_is_the_mail_that_is_sent(mailing_app: Flask) -> None:
    with writing(mailing_app) as session:
        make_event(session, slug="summit")
    olga = browser_of_team(mailing_app, "summit", "olga@example.org")
    ids = offer(mailing_app, "summit", "One")
    assert "One submitter gets this mail:" in ask(olga, "summit", "reject", talks=ids)


AFTER = {
    "accept": (TalkState.WAITLISTED, "accepted"),
    "waitlist": (TalkState.SUBMITTED, "waitlisted"),
    "reject": (TalkState.SUBMITTED, "rejected"),
    "cancel": (TalkState.CONFIRMED, "cancelled"),
}


@pytest.mark.parametrize("step", AFTER)
def test_each_decision_redirects_to_the_filtered_list(app: Flask, olga: Browser, step: str) -> None:
    before, after = AFTER[step]
    offer(app, "summit", "One", state=before)
    olga.go(f"/organise/summit?state={before.value}&q=one&tick=all")
    asked = held(olga, DECIDE)
    olga.go(f"{DECIDE}?do={step}&" + "&".join(f"{name}={value}" for name, value in asked.items(multi=True)))
    olga.at = olga.client.post(DECIDE, data=held(olga, DECIDE) | {"do": step})
    assert olga.at.headers["Location"] == f"/organise/summit?state={before.value}&q=one&done={step}&number=1"
    assert states(app) == {"One": after}


def test_decision_from_a_talk_page_redirects_to_the_talk(app: Flask, olga: Browser) -> None:
    [talk] = offer(app, "summit", "One")
    ask(olga, "summit", "waitlist", talks=[talk], back="talk")
    assert "One talk is on the waiting list." in send(olga, DECIDE, held(olga, DECIDE), do="waitlist")
    assert "What became of it" in olga.says()


def test_decision_without_a_talk_is_rejected(app: Flask, olga: Browser) -> None:
    offer(app, "summit", "One")
    assert "Choose at least one talk first." in ask(olga, "summit", "accept", talks=[])
    ids = offer(app, "summit", "Two")
    ask(olga, "summit", "accept", talks=ids)
    form = held(olga, DECIDE)
    form.poplist("talk")
    assert "Choose at least one talk." in send(olga, DECIDE, form, do="accept", reason="Kept")
    assert olga.at.status_code == 422
    # The talk can still be chosen, and the reason is kept.
    assert (held(olga, DECIDE)["shown"], held(olga, DECIDE)["reason"]) == (ids[0], "Kept")
    assert states(app) == {"One": "submitted", "Two": "submitted"}


def test_unticked_talk_is_left_out_of_the_decision(app: Flask, olga: Browser) -> None:
    ids = offer(app, "summit", "One", "Two")
    ask(olga, "summit", "reject", talks=ids)
    form = held(olga, DECIDE)
    form.setlist("talk", [ids[0]])
    assert "One talk is rejected." in send(olga, DECIDE, form, do="reject")
    assert states(app) == {"One": "rejected", "Two": "submitted"}


def test_concurrent_decision_rejects_the_whole_form_and_names_the_talk(app: Flask, olga: Browser) -> None:
    ids = offer(app, "summit", "One", "Two", "Three")
    otto = browser_of_team(app, "summit", "otto@example.org")
    ask(olga, "summit", "accept", talks=ids)
    ask(otto, "summit", "reject", talks=[ids[1]])
    send(otto, DECIDE, held(otto, DECIDE), do="reject")
    before = mails(app)
    said = send(olga, DECIDE, held(olga, DECIDE), do="accept", reason="Welcome!")
    assert olga.at.status_code == 409
    assert "“Two” cannot be accepted; it is by now: Rejected." in said
    assert "“One” cannot" not in said
    assert states(app) == {"One": "submitted", "Two": "rejected", "Three": "submitted"}
    assert mails(app) == before
    # The remaining talks are still chosen and the reason is kept; submitting again succeeds.
    form = held(olga, DECIDE)
    assert (sorted(form.getlist("talk")), form["reason"]) == (sorted([ids[0], ids[2]]), "Welcome!")
    assert "2 talks are accepted." in send(olga, DECIDE, form, do="accept")
    assert states(app) == {"One": "accepted", "Two": "rejected", "Three": "accepted"}


def test_talk_changed_since_the_preview_must_be_reviewed_again(app: Flask, olga: Browser) -> None:
    ids = offer(app, "summit", "One", "Two")
    ask(olga, "summit", "accept", talks=ids)
    with writing(app) as session:
        session.get_one(Talk, ids[0]).abstract = "Buy this!"
    form = held(olga, DECIDE)
    # An unrelated validation error does not mark the change as seen.
    send(olga, DECIDE, form, do="accept", reason="x" * 2001)
    said = send(olga, DECIDE, held(olga, DECIDE), do="accept", reason="Good.")
    assert olga.at.status_code == 409
    assert "“One” was changed meanwhile" in said
    assert "“Two” was changed" not in said
    assert set(states(app).values()) == {"submitted"}
    assert "2 talks are accepted." in send(olga, DECIDE, held(olga, DECIDE), do="accept")


def test_change_since_the_talk_page_was_loaded_is_reported(app: Flask, olga: Browser) -> None:
    [talk] = offer(app, "summit", "One")
    olga.go(f"/organise/summit/talks/{talk}")
    links = [one.get("href", "") for one in tree_of(olga.at.text).iter("a")]
    accept = next(link for link in links if "do=accept" in link)
    assert "changed meanwhile" not in olga.go(accept)
    with writing(app) as session:
        session.get_one(Talk, talk).abstract = "Buy this!"
    assert "“One” was changed meanwhile" in olga.go(accept)
    assert olga.at.status_code == 409


def test_preview_reports_talks_that_cannot_take_the_step(app: Flask, olga: Browser) -> None:
    sure, waits = offer(app, "summit", "Sure", state=TalkState.CONFIRMED) + offer(app, "summit", "Waits")
    said = ask(olga, "summit", "accept", talks=[sure, waits])
    assert "“Sure” cannot be accepted; it is by now: Confirmed." in said
    assert held(olga, DECIDE).getlist("talk") == [waits]
    assert "Reject this talk?" in ask(olga, "summit", "reject", talks=[sure])
    assert held(olga, DECIDE).getlist("talk") == []


def test_of_two_simultaneous_decisions_one_is_rejected_with_409(app: Flask, olga: Browser) -> None:
    ids = offer(app, "summit", *(f"Talk {number}" for number in range(10)))
    otto = browser_of_team(app, "summit", "otto@example.org")
    steps = {"accept": olga, "reject": otto}
    forms = {}
    for step, browser in steps.items():
        ask(browser, "summit", step, talks=ids)
        forms[step] = held(browser, DECIDE) | {"do": step}
    start = Barrier(2)

    def press(step: str) -> int:
        start.wait(timeout=30)
        return steps[step].client.post(DECIDE, data=forms[step]).status_code

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(press, steps))
    assert sorted(answers) == [303, 409]
    assert len(set(states(app).values())) == 1
    assert len(mails(app)) == 10


def test_overlong_reason_is_kept_in_its_field_with_an_error(app: Flask, olga: Browser) -> None:
    ids = offer(app, "summit", "One")
    ask(olga, "summit", "reject", talks=ids)
    send(olga, DECIDE, held(olga, DECIDE), do="reject", reason="x" * 2001)
    assert (olga.at.status_code, invalid_fields(olga)) == (422, {"reason"})
    assert held(olga, DECIDE)["reason"] == "x" * 2001
    assert states(app) == {"One": "submitted"}


def test_preview_reports_deactivated_submitters_who_get_no_mail(app: Flask, olga: Browser) -> None:
    ids = offer(app, "summit", "One", "Two")
    with writing(app) as session:
        session.get_one(Member, row(app, Member, email="one@example.org").id).active = False
    said = ask(olga, "summit", "accept", talks=ids)
    assert "One submitter is told so:" in said
    assert "One talk has nobody to be told" in said
    send(olga, DECIDE, held(olga, DECIDE), do="accept")
    assert [to for to, _subject in mails(app)] == ["two@example.org"]


@pytest.mark.parametrize("step", ["submit", "withdraw", "confirm", "redact", "nonsense", ""])
def test_other_steps_return_404(app: Flask, olga: Browser, step: str) -> None:
    ids = offer(app, "summit", "One", state=TalkState.ACCEPTED)
    ask(olga, "summit", "cancel", talks=ids)
    form = held(olga, DECIDE) | {"do": step}
    assert olga.client.get(f"{DECIDE}?do={step}&talk={ids[0]}").status_code == 404
    assert olga.client.post(DECIDE, data=form).status_code == 404
    assert states(app) == {"One": "accepted"}


def test_talks_of_other_events_and_drafts_return_404(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        make_event(session, slug="other")
    [own] = offer(app, "summit", "Own")
    [theirs] = offer(app, "other", "Theirs")
    [draft] = offer(app, "summit", "Draft", state=TalkState.DRAFT)
    ask(olga, "summit", "reject", talks=[own])
    csrf = held(olga, DECIDE)["csrf_token"]
    for one in (theirs, draft, "nothing", "' or 1=1 --", "\x00"):
        assert olga.client.get(DECIDE, query_string={"do": "reject", "talk": one}).status_code == 404
        form = MultiDict([("csrf_token", csrf), ("do", "reject"), ("talk", own), ("talk", one)])
        assert olga.client.post(DECIDE, data=form).status_code == 404
    assert set(states(app).values()) == {"submitted", "draft"}


def test_more_than_200_talks_are_rejected(app: Flask, olga: Browser) -> None:
    offer(app, "summit", "One")
    many = [("talk", f"talk-{number}") for number in range(201)]
    assert olga.client.get(DECIDE, query_string=[("do", "accept"), *many]).status_code == 422


def test_form_without_csrf_token_is_rejected(app: Flask, olga: Browser) -> None:
    ids = offer(app, "summit", "One")
    assert olga.client.post(DECIDE, data={"do": "accept", "talk": ids[0]}).status_code == 403
    assert states(app) == {"One": "submitted"}


def test_members_without_permission_cannot_decide(app: Flask, olga: Browser) -> None:
    ids = offer(app, "summit", "One")
    with writing(app) as session:
        make_event(session, slug="other")
    for someone in (browser_of_member(app), browser_of_team(app, "other", "otto@example.org")):
        someone.go("/me")
        form = {"csrf_token": someone.fields("/logout")["csrf_token"], "do": "accept", "talk": ids[0]}
        assert someone.client.post(DECIDE, data=form).status_code == 403
    assert states(app) == {"One": "submitted"}
    del olga


def test_moderator_accepts_talks_of_a_listed_event_into_its_feed(app: Flask) -> None:
    with writing(app) as session:
        make_event(session, slug="fosdem", programme=Programme.LISTED)
    ids = offer(app, "fosdem", "One", "Two", starts="2026-06-10T10:00:00")
    mo = browser_of_member(app, "mo@example.org", role=Role.MODERATOR)
    assert "Everybody sees an accepted talk of this event at once" in ask(mo, "fosdem", "accept", talks=ids)
    send(mo, "/organise/fosdem/decide", held(mo, "/organise/fosdem/decide"), do="accept")
    assert {"One", "Two"} <= {entry.text("SUMMARY") for entry in read(app, "/events/fosdem.ics").events()}


def test_200_talks_can_be_decided_at_once(app: Flask, olga: Browser) -> None:
    ids = offer(app, "summit", *(f"Talk {number}" for number in range(200)))
    ask(olga, "summit", "reject", talks=ids)
    assert "200 talks are rejected." in send(olga, DECIDE, held(olga, DECIDE), do="reject")
    with database_of(app).read_session():
        assert set(states(app).values()) == {"rejected"}
