"""The page of an event's rooms and tracks: add, change, remove after confirmation, and errors beside the fields."""

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.models import Event, Room, Track
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.api import row
from tests.browsing import Browser
from tests.feed_support.fetching import read
from tests.http_app import database_of, writing
from tests.make import make_event, make_talk
from tests.organising import HOSTILE, browser_of_team, invalid_fields, is_harmless

HERE = "/organise/summit/parts"


@pytest.fixture
def olga(app: Flask, summit: str) -> Browser:
    return browser_of_team(app, summit, "olga@example.org")


def names(app: Flask, table: type[Room] | type[Track]) -> list[str]:
    with database_of(app).read_session() as session:
        return list(session.scalars(select(table.name).order_by(table.position)))


def post(browser: Browser, **typed: str) -> int:
    """Submit these values with the page's CSRF token and return the status."""
    browser.go(HERE)
    csrf = browser.fields(HERE, "add-room")["csrf_token"]
    browser.at = browser.client.post(HERE, data={"csrf_token": csrf, **typed})
    return browser.at.status_code


def a_talk_in(app: Flask, *, room: str, track: str | None = None) -> None:
    with writing(app) as session:
        event = session.scalars(select(Event)).one()
        session.refresh(event, ["tracks", "rooms", "tags", "call", "neighbours"])
        make_talk(session, event, id="talk", state=TalkState.CONFIRMED, room=room, track=track, title="Xen on ARM")


def test_rooms_and_tracks_can_be_added(app: Flask, olga: Browser) -> None:
    olga.go(HERE)
    assert "It is added." in olga.send(HERE, do="add-room", **{"new-room-name": "Attic", "new-room-capacity": " 30 "})
    olga.send(HERE, do="add-track", **{"new-track-name": "Desktop", "new-track-colour": "#2a7f62"})
    assert names(app, Room) == ["Room 1", "Room 2", "Attic"]
    assert names(app, Track) == ["Security", "ARM", "Desktop"]
    assert row(app, Room, name="Attic").capacity == 30
    assert 'fill="#2a7f62"' in olga.at.text


def test_renamed_room_is_updated_in_calendars(app: Flask, olga: Browser) -> None:
    a_talk_in(app, room="Room 1")
    room = row(app, Room, name="Room 1")
    post(olga, do="save", row=room.id, **{f"{room.id}-name": "Hall", f"{room.id}-capacity": ""})
    assert olga.at.headers["Location"] == f"{HERE}?done=saved"
    entry = read(app, "/talks/talk.ics").events()[0]
    assert entry.text("LOCATION") == "Hall, Berlin"


def test_confirmation_page_states_how_many_talks_lose_the_room_or_track(app: Flask, olga: Browser) -> None:
    a_talk_in(app, room="Room 1", track="ARM")
    room, track, empty = row(app, Room, name="Room 1"), row(app, Track, name="ARM"), row(app, Room, name="Room 2")
    assert "One talk is in this room" in olga.go(f"{HERE}/{room.id}/remove")
    assert names(app, Room) == ["Room 1", "Room 2"]
    assert "It is removed." in olga.send(HERE, do="remove")
    assert names(app, Room) == ["Room 2"]
    assert "One talk is in this track" in olga.go(f"{HERE}/{track.id}/remove")
    olga.send(HERE, do="remove")
    assert "No talk is in this room" in olga.go(f"{HERE}/{empty.id}/remove")
    talk = row(app, Talk, id="talk")
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
    olga: Browser, kind: str, typed: dict[str, str], wrong: set[str]
) -> None:
    olga.go(HERE)
    sent = {f"new-{kind}-{name}": value for name, value in typed.items()}
    olga.send(HERE, do=f"add-{kind}", **sent)
    assert (olga.at.status_code, invalid_fields(olga)) == (422, {f"new-{kind}-{name}" for name in wrong})
    held = olga.fields(HERE, f"add-{kind}")
    assert {name: held[name] for name in sent} == sent


def test_duplicate_name_is_reported_beside_its_row(app: Flask, olga: Browser) -> None:
    second = row(app, Room, name="Room 2")
    assert post(olga, do="save", row=second.id, **{f"{second.id}-name": "Room 1", f"{second.id}-capacity": "5"}) == 409
    assert invalid_fields(olga) == {f"{second.id}-name"}
    assert "has a room “Room 1” already" in olga.says()
    assert names(app, Room) == ["Room 1", "Room 2"]
    assert row(app, Room, name="Room 2").capacity is None


def test_rooms_and_tracks_of_other_events_return_404(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        other = make_event(session, slug="other", rooms=["Theirs"], tracks=["Theirs too"])
        ids = [other.rooms[0].id, other.tracks[0].id]
    for one in [*ids, "nothing", ""]:
        assert post(olga, do="remove", row=one) == 404
        assert post(olga, do="save", row=one, **{f"{one}-name": "Mine"}) == 404
        assert olga.client.get(f"{HERE}/{one or 'x'}/remove").status_code == 404
    assert {"Theirs", "Theirs too"} <= {*names(app, Room), *names(app, Track)}


def test_form_requires_a_csrf_token_and_a_known_action(app: Flask, olga: Browser) -> None:
    assert olga.client.post(HERE, data={"do": "add-room", "new-room-name": "Attic"}).status_code == 403
    assert post(olga, do="add-cellar", **{"new-cellar-name": "Cellar"}) == 404
    assert post(olga) == 404
    assert names(app, Room) == ["Room 1", "Room 2"]


def test_hostile_names_are_escaped(olga: Browser) -> None:
    olga.go(HERE)
    # A name has at most 100 characters.
    name = HOSTILE[:90]
    olga.send(HERE, do="add-room", **{"new-room-name": name})
    assert is_harmless(olga)
    olga.send(HERE, do="add-room", **{"new-room-name": name})
    assert (olga.at.status_code, is_harmless(olga)) == (409, True)
