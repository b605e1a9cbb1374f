"""The page of an event's rooms and tracks: add, change, remove after confirmation, and errors beside the fields."""

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.models import Event, Room, Track
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.api_client import get_row
from tests.factories import make_event, make_talk
from tests.feed_support.feed_client import fetch_feed
from tests.html_browser import HtmlBrowser
from tests.http_app import database_of, write_session
from tests.team_browsers import HOSTILE_TEXT, create_team_browser, invalid_field_names, is_hostile_text_escaped

PAGE_PATH = "/organise/summit/parts"


@pytest.fixture
def organiser_browser(app: Flask, summit: str) -> HtmlBrowser:
    return create_team_browser(app, summit, "olga@example.org")


def load_names(app: Flask, table: type[Room] | type[Track]) -> list[str]:
    with database_of(app).read_session() as session:
        return list(session.scalars(select(table.name).order_by(table.position)))


def post_to_page(browser: HtmlBrowser, **values: str) -> int:
    """Submit these values with the page's CSRF token and return the status."""
    browser.visit(PAGE_PATH)
    csrf = browser.form_values(PAGE_PATH, "add-room")["csrf_token"]
    browser.response = browser.client.post(PAGE_PATH, data={"csrf_token": csrf, **values})
    return browser.response.status_code


def add_talk_in(app: Flask, *, room: str, track: str | None = None) -> None:
    with write_session(app) as session:
        event = session.scalars(select(Event)).one()
        session.refresh(event, ["tracks", "rooms", "tags", "call", "neighbours"])
        make_talk(session, event, id="talk", state=TalkState.CONFIRMED, room=room, track=track, title="Xen on ARM")


def test_rooms_and_tracks_can_be_added(app: Flask, organiser_browser: HtmlBrowser) -> None:
    organiser_browser.visit(PAGE_PATH)
    assert "It is added." in organiser_browser.submit_form(
        PAGE_PATH, do="add-room", **{"new-room-name": "Attic", "new-room-capacity": " 30 "}
    )
    organiser_browser.submit_form(
        PAGE_PATH, do="add-track", **{"new-track-name": "Desktop", "new-track-colour": "#2a7f62"}
    )
    assert load_names(app, Room) == ["Room 1", "Room 2", "Attic"]
    assert load_names(app, Track) == ["Security", "ARM", "Desktop"]
    assert get_row(app, Room, name="Attic").capacity == 30
    assert 'fill="#2a7f62"' in organiser_browser.response.text


def test_renamed_room_is_updated_in_calendars(app: Flask, organiser_browser: HtmlBrowser) -> None:
    add_talk_in(app, room="Room 1")
    room = get_row(app, Room, name="Room 1")
    post_to_page(organiser_browser, do="save", row=room.id, **{f"{room.id}-name": "Hall", f"{room.id}-capacity": ""})
    assert organiser_browser.response.headers["Location"] == f"{PAGE_PATH}?done=saved"
    entry = fetch_feed(app, "/talks/talk.ics").events()[0]
    assert entry.text("LOCATION") == "Hall, Berlin, Germany"


def test_confirmation_page_states_how_many_talks_lose_the_room_or_track(
    app: Flask, organiser_browser: HtmlBrowser
) -> None:
    add_talk_in(app, room="Room 1", track="ARM")
    room, track, empty = (
        get_row(app, Room, name="Room 1"),
        get_row(app, Track, name="ARM"),
        get_row(app, Room, name="Room 2"),
    )
    assert "One talk is in this room" in organiser_browser.visit(f"{PAGE_PATH}/{room.id}/remove")
    assert load_names(app, Room) == ["Room 1", "Room 2"]
    assert "It is removed." in organiser_browser.submit_form(PAGE_PATH, do="remove")
    assert load_names(app, Room) == ["Room 2"]
    assert "One talk is in this track" in organiser_browser.visit(f"{PAGE_PATH}/{track.id}/remove")
    organiser_browser.submit_form(PAGE_PATH, do="remove")
    assert "No talk is in this room" in organiser_browser.visit(f"{PAGE_PATH}/{empty.id}/remove")
    talk = get_row(app, Talk, id="talk")
    assert (talk.room_id, talk.track_id) == (None, None)


@pytest.mark.parametrize(
    ("kind", "typed", "wrong"),
    [
        ("room", {"name": ""}, {"name"}),
        ("room", {"name": "Attic", "capacity": "many"}, {"capacity"}),
        ("room", {"name": "Attic", "capacity": "0"}, {"capacity"}),
        ("room", {"name": "Attic", "capacity": "9" * 30}, {"capacity"}),
        ("room", {"name": "x" * 101, "capacity": "-1"}, {"name", "capacity"}),
        ("track", {"name": "New", "colour": "red"}, {"colour"}),
        ("track", {"name": "New", "colour": '#"><svg'}, {"colour"}),
    ],
)
def test_errors_are_shown_beside_the_fields_of_their_row(
    organiser_browser: HtmlBrowser, kind: str, typed: dict[str, str], wrong: set[str]
) -> None:
    organiser_browser.visit(PAGE_PATH)
    sent = {f"new-{kind}-{name}": value for name, value in typed.items()}
    organiser_browser.submit_form(PAGE_PATH, do=f"add-{kind}", **sent)
    assert (organiser_browser.response.status_code, invalid_field_names(organiser_browser)) == (
        422,
        {f"new-{kind}-{name}" for name in wrong},
    )
    held = organiser_browser.form_values(PAGE_PATH, f"add-{kind}")
    assert {name: held[name] for name in sent} == sent


def test_duplicate_name_is_reported_beside_its_row(app: Flask, organiser_browser: HtmlBrowser) -> None:
    second = get_row(app, Room, name="Room 2")
    assert (
        post_to_page(
            organiser_browser, do="save", row=second.id, **{f"{second.id}-name": "Room 1", f"{second.id}-capacity": "5"}
        )
        == 409
    )
    assert invalid_field_names(organiser_browser) == {f"{second.id}-name"}
    assert "already has a room “Room 1”" in organiser_browser.main_text()
    assert load_names(app, Room) == ["Room 1", "Room 2"]
    assert get_row(app, Room, name="Room 2").capacity is None


def test_rooms_and_tracks_of_other_events_return_404(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        other = make_event(session, slug="other", rooms=["Theirs"], tracks=["Theirs too"])
        ids = [other.rooms[0].id, other.tracks[0].id]
    for one in [*ids, "nothing", ""]:
        assert post_to_page(organiser_browser, do="remove", row=one) == 404
        assert post_to_page(organiser_browser, do="save", row=one, **{f"{one}-name": "Mine"}) == 404
        assert organiser_browser.client.get(f"{PAGE_PATH}/{one or 'x'}/remove").status_code == 404
    assert {"Theirs", "Theirs too"} <= {*load_names(app, Room), *load_names(app, Track)}


def test_form_requires_a_csrf_token_and_a_known_action(app: Flask, organiser_browser: HtmlBrowser) -> None:
    assert (
        organiser_browser.client.post(PAGE_PATH, data={"do": "add-room", "new-room-name": "Attic"}).status_code == 403
    )
    assert post_to_page(organiser_browser, do="add-cellar", **{"new-cellar-name": "Cellar"}) == 404
    assert post_to_page(organiser_browser) == 404
    assert load_names(app, Room) == ["Room 1", "Room 2"]


def test_hostile_names_are_escaped(organiser_browser: HtmlBrowser) -> None:
    organiser_browser.visit(PAGE_PATH)
    # A name has at most 100 characters.
    name = HOSTILE_TEXT[:90]
    organiser_browser.submit_form(PAGE_PATH, do="add-room", **{"new-room-name": name})
    assert is_hostile_text_escaped(organiser_browser)
    organiser_browser.submit_form(PAGE_PATH, do="add-room", **{"new-room-name": name})
    assert (organiser_browser.response.status_code, is_hostile_text_escaped(organiser_browser)) == (409, True)
