"""The event form: fields not sent stay unchanged, no update is lost, and access requires permission to decide."""

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.enums import EventStatus, TeamRole
from eventcal.events.models import CallForTalks, Event
from eventcal.members.enums import Role
from tests.browsing import Browser
from tests.feed_support.fetching import read
from tests.http_app import database_of, writing
from tests.make import make_event
from tests.organising import HOSTILE, browser_of_member, browser_of_team, invalid_fields, is_harmless

HERE = "/organise/summit/event"


@pytest.fixture
def olga(app: Flask, summit: str) -> Browser:
    return browser_of_team(app, summit, "olga@example.org")


def stored(app: Flask, slug: str = "summit") -> Event:
    with database_of(app).read_session() as session:
        return session.scalars(select(Event).where(Event.slug == slug)).one()


def call_of(app: Flask) -> CallForTalks | None:
    with database_of(app).read_session() as session:
        return session.scalars(select(CallForTalks)).one_or_none()


def test_event_is_saved_after_a_preview_of_its_calendar_entry(app: Flask, olga: Browser) -> None:
    olga.go(HERE)
    said = olga.send(HERE, do="preview", title="Xen Summit 2026", venue="The Hall", starts="2026-06-09")
    assert "SUMMARY:Xen Summit 2026" in said
    assert "The Hall, Berlin" in said
    assert (stored(app).title, stored(app).venue) == ("Xen Summit", None)
    assert "It is saved." in olga.send(HERE, do="save")
    event = stored(app)
    assert (event.title, event.venue, event.starts) == ("Xen Summit 2026", "The Hall", "2026-06-09")
    assert [one.text("SUMMARY") for one in read(app, "/events/summit.ics").events()] == ["Xen Summit 2026"]


def test_preview_changes_nothing(app: Flask, olga: Browser) -> None:
    before = app.test_client().get("/events/summit.ics")
    olga.go(HERE)
    olga.send(HERE, do="preview", title="Another", status="postponed", tags="other", call="")
    after = app.test_client().get("/events/summit.ics")
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])
    assert call_of(app) is not None


def test_saving_an_unchanged_event_creates_no_new_revision(app: Flask, olga: Browser) -> None:
    before = stored(app)
    olga.go(HERE)
    olga.send(HERE, do="save")
    after = stored(app)
    assert (after.revision, after.sequence, after.updated_at) == (before.revision, before.sequence, before.updated_at)


def test_values_that_the_form_normalises_stay_as_stored(app: Flask) -> None:
    overrides = {"2026-06-17T10:00:15": {"title": "Another one"}, "2026-06-24T10:00:15": {"excluded": True}}
    with writing(app) as session:
        make_event(
            session,
            slug="weekly",
            starts="2026-06-10T10:00:15",
            ends="2026-06-10T12:00:00",
            recurrence="FREQ=WEEKLY",
            recurrence_overrides=overrides,
            description="One\r\nTwo",
            call={"opens": "2026-04-01T12:00:00+09:00", "closes": "2026-05-01", "anywhere_on_earth": True},
        )
    olga = browser_of_team(app, "weekly", "olga@example.org")
    where = "/organise/weekly/event"
    assert "2 of its dates are otherwise" in olga.go(where)
    assert "Every week" in olga.says()
    held = olga.fields(where, "save")
    assert (held["starts_time"], held["call_opens"], held["call_opens_time"]) == ("10:00:15", "2026-04-01", "05:00")
    olga.send(where, do="save", title="Otherwise", call_note="Be short.")
    event, call = stored(app, "weekly"), call_of(app)
    assert (event.title, event.recurrence, event.recurrence_overrides) == ("Otherwise", "FREQ=WEEKLY", overrides)
    assert (event.description, event.starts) == ("One\r\nTwo", "2026-06-10T10:00:15")
    assert call is not None
    assert (call.opens, call.closes, call.anywhere_on_earth) == ("2026-04-01T12:00:00+09:00", "2026-05-01", True)
    assert call.note == "Be short."


def test_recurrence_required_by_overrides_cannot_be_removed(app: Flask) -> None:
    overrides = {"2026-06-17": {"title": "Another one"}}
    with writing(app) as session:
        make_event(session, slug="weekly", recurrence="FREQ=WEEKLY", recurrence_overrides=overrides, ends="2026-06-10")
    olga = browser_of_team(app, "weekly", "olga@example.org")
    olga.go("/organise/weekly/event")
    olga.send("/organise/weekly/event", do="save", recurrence="")
    assert (olga.at.status_code, invalid_fields(olga)) == (422, {"recurrence"})
    assert stored(app, "weekly").recurrence == "FREQ=WEEKLY"


def test_call_for_talks_can_be_removed_and_added_again(app: Flask, olga: Browser) -> None:
    olga.go(HERE)
    olga.send(HERE, do="save", call="")
    assert call_of(app) is None
    olga.send(HERE, do="save", call="yes", call_closes="2026-05-01", call_earth="yes", call_lightning="yes")
    call = call_of(app)
    assert call is not None
    assert (call.closes, call.anywhere_on_earth, call.kinds) == ("2026-05-01", True, ["lightning"])
    # Unticked checkboxes are not sent.
    held = olga.fields(HERE, "save")
    held.pop("call_lightning")
    olga.client.post(HERE, data={**held, "do": "save"})
    assert (call_of(app) or call).kinds == []


def test_emptied_fields_are_cleared(app: Flask, olga: Browser) -> None:
    olga.go(HERE)
    olga.send(HERE, do="save", description="", city="", country="", tags="")
    event = stored(app)
    assert (event.description, event.city, event.country) == (None, None, None)


def test_fields_not_sent_stay_unchanged(app: Flask, olga: Browser) -> None:
    olga.go(HERE)
    held = olga.fields(HERE, "save")
    sent = {name: held[name] for name in ("csrf_token", "revision")}
    olga.client.post(HERE, data={**sent, "do": "save", "title": "Only this"})
    event = stored(app)
    assert (event.title, event.city, event.description) == ("Only this", "Berlin", "Three days of *Xen*.")
    assert call_of(app) is not None


@pytest.mark.parametrize(("now", "then"), [("confirmed", "postponed"), ("tentative", "confirmed")])
def test_form_changes_the_event_status(app: Flask, olga: Browser, now: str, then: str) -> None:
    with writing(app) as session:
        session.scalars(select(Event)).one().status = EventStatus(now)
    olga.go(HERE)
    olga.send(HERE, do="save", status=then)
    assert stored(app).status == then


def test_status_unreachable_by_editing_is_rejected(app: Flask, olga: Browser) -> None:
    olga.go(HERE)
    olga.send(HERE, do="save", status="cancelled")
    assert olga.at.status_code == 409
    assert stored(app).status == EventStatus.CONFIRMED


def test_conflicting_edit_returns_412_and_shows_the_current_values(app: Flask, olga: Browser) -> None:
    otto = browser_of_team(app, "summit", "otto@example.org")
    olga.go(HERE)
    otto.go(HERE)
    otto.send(HERE, do="save", title="Otto's title", city="Bonn")
    said = olga.send(HERE, do="save", title="Olga's title")
    assert olga.at.status_code == 412
    assert "Somebody else changed this event meanwhile" in said
    assert "There stands now: Otto's title" in said
    assert "There stands now: Bonn" in said
    assert invalid_fields(olga) == {"title", "city"}
    assert (stored(app).title, olga.fields(HERE, "save")["title"]) == ("Otto's title", "Olga's title")
    # After seeing the current values, the organiser may overwrite them.
    olga.send(HERE, do="save", city="Bonn")
    assert (stored(app).title, stored(app).city) == ("Olga's title", "Bonn")


def test_form_without_a_valid_revision_is_rejected(app: Flask, olga: Browser) -> None:
    olga.go(HERE)
    held = olga.fields(HERE, "save")
    for revision in ("", "*", '", "1', "x"):
        answer = olga.client.post(HERE, data={**held, "do": "save", "title": "Blind", "revision": revision})
        assert answer.status_code == 412
    assert stored(app).title == "Xen Summit"


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"title": " "}, {"title"}),
        ({"starts": ""}, {"starts", "starts_time"}),
        ({"ends": "2026-06-01"}, {"ends", "ends_time"}),
        ({"timezone": "Mars/Olympus"}, {"timezone"}),
        (
            {"starts": "2027-03-28", "starts_time": "02:30", "ends": "2027-03-28", "ends_time": "04:00"},
            {"starts", "starts_time"},
        ),
        ({"price_amount": "5"}, {"price_currency"}),
        ({"title": " ", "country": "XX", "latitude": "x", "online_url": "ftp://x"}, {"title", "country"}),
    ],
)
def test_errors_are_shown_beside_their_fields_and_nothing_is_saved(
    app: Flask, olga: Browser, typed: dict[str, str], fields: set[str]
) -> None:
    before = stored(app)
    olga.go(HERE)
    olga.send(HERE, do="save", summary="This would be new.", **typed)
    assert olga.at.status_code == 422
    assert fields <= invalid_fields(olga)
    assert olga.fields(HERE, "save")["summary"] == "This would be new."
    assert (stored(app).summary, stored(app).revision) == (before.summary, before.revision)


def test_slug_can_be_changed_until_the_event_is_public(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        make_event(session, slug="waits", status=EventStatus.PENDING)
    otto = browser_of_team(app, "waits", "otto@example.org")
    otto.go("/organise/waits/event")
    assert "It is saved." in otto.send("/organise/waits/event", do="save", slug="waits-no-more")
    assert stored(app, "waits-no-more").status == EventStatus.PENDING
    olga.go(HERE)
    assert "slug" not in olga.fields(HERE, "save")
    olga.send(HERE, do="save", slug="elsewhere")
    assert olga.at.status_code == 409
    assert stored(app).slug == "summit"


def test_hostile_text_is_escaped_in_the_form_and_in_conflicts(app: Flask, olga: Browser) -> None:
    otto = browser_of_team(app, "summit", "otto@example.org")
    olga.go(HERE)
    otto.go(HERE)
    otto.send(HERE, do="save", title=HOSTILE, venue=HOSTILE)
    assert is_harmless(otto)
    olga.send(HERE, do="save", title="Mine", summary=HOSTILE)
    assert (olga.at.status_code, is_harmless(olga)) == (412, True)


@pytest.mark.usefixtures("summit")
@pytest.mark.parametrize("path", ["event", "parts", "sponsors", "team", "publishing", "publishing/cancel"])
def test_event_pages_require_permission_to_decide(app: Flask, path: str) -> None:
    with writing(app) as session:
        make_event(session, slug="hidden", status=EventStatus.PENDING)
        make_event(session, slug="other")
    rita = browser_of_team(app, "summit", "rita@example.org", role=TeamRole.REVIEWER)
    other = browser_of_team(app, "other", "other@example.org")
    moderator = browser_of_member(app, "mo@example.org", role=Role.MODERATOR)
    post = path.partition("/")[0]
    for browser, public, hidden in ((rita, 403, 404), (other, 403, 404), (moderator, 200, 200)):
        browser.go("/propose")
        csrf = {"csrf_token": browser.fields("/propose", "propose")["csrf_token"]}
        for slug, status in (("summit", public), ("hidden", hidden)):
            if (path, slug) != ("publishing/cancel", "hidden"):
                assert browser.client.get(f"/organise/{slug}/{path}").status_code == status
            if status != 200:
                sent = browser.client.post(f"/organise/{slug}/{post}", data={**csrf, "do": "cancel"})
                assert sent.status_code == status
    assert moderator.client.post(f"/organise/summit/{post}", data={"do": "save"}).status_code == 403
    visitor = app.test_client().get(f"/organise/summit/{path}")
    assert (visitor.status_code, visitor.headers["Location"].partition("?")[0]) == (303, "/login")
    assert app.test_client().get(f"/organise/nowhere/{path}").status_code == 303
    assert moderator.client.get(f"/organise/nowhere/{path}").status_code == 404


def test_organisers_cannot_change_an_erased_event(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        session.scalars(select(Event)).one().redacted_at = stored(app).created_at
    assert olga.client.get(HERE).status_code == 403
