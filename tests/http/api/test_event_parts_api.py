"""An event's tracks, rooms and team through the API."""

from typing import Any

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, TeamRole
from eventcal.events.models import Room, TeamMember, Track
from eventcal.members.models import Member
from eventcal.talks.enums import TalkState
from tests.api_client import API_URL, ApiClient, create_talk, create_team_client, get_row
from tests.factories import make_event
from tests.http_app import write_session

PARTS = [("tracks", "colour", "#2a7f62", "track"), ("rooms", "capacity", 120, "room")]


@pytest.mark.parametrize(("parts", "field", "value", "part"), PARTS)
def test_changes_of_track_or_room_update_its_talks(
    app: Flask, organiser: ApiClient, anonymous: ApiClient, *, parts: str, field: str, value: object, part: str
) -> None:
    added = organiser.post(f"/events/summit/{parts}", {"name": "A & B", field: value})
    assert (added.status, added.headers["Location"]) == (201, f"{API_URL}/{parts}/{added.json['id']}")
    assert added.json == {"id": added.json["id"], "name": "A & B", field: value}
    path = f"/{parts}/{added.json['id']}"
    place: dict[str, Any] = {part: "A & B"}
    talk = f"/talks/{create_talk(app, 'summit', state=TalkState.CONFIRMED, **place)}"
    event, seen = anonymous.get("/events/summit"), anonymous.get(talk)
    changed = organiser.patch(path, {"name": "Ünder", field: None}, if_match=None)
    assert (changed.status, changed.json) == (200, {"id": added.json["id"], "name": "Ünder", field: None})
    assert (anonymous.get(talk).json[part], anonymous.get(talk).json["sequence"]) == ("Ünder", 1)
    assert anonymous.get(f"/events/summit/{parts}").json["items"] == anonymous.get("/events/summit").json[parts]
    assert anonymous.get(f"/events/summit/{parts}").item_values("name")[-1] == "Ünder"
    assert anonymous.get("/events/summit").etag != event.etag
    assert anonymous.get(talk).etag != seen.etag
    assert organiser.delete(path).status == 204
    assert organiser.delete(path).status_and_code == (404, "not-found")
    assert anonymous.get(talk).json[part] is None


@pytest.mark.parametrize(("parts", "name"), [("tracks", "ARM"), ("rooms", "Room 1")])
def test_name_of_track_or_room_is_unique_within_event(
    app: Flask, organiser: ApiClient, *, parts: str, name: str
) -> None:
    taken = organiser.post(f"/events/summit/{parts}", {"name": name})
    assert taken.status_and_code == (409, "name-taken")
    assert name in taken.json["detail"]
    other = organiser.post(f"/events/summit/{parts}", {"name": "Other"}).json["id"]
    assert organiser.patch(f"/{parts}/{other}", {"name": name}).status_and_code == (409, "name-taken")
    assert organiser.patch(f"/{parts}/{other}", {"name": "Other"}).status == 200
    with write_session(app) as session:
        make_event(session, slug="elsewhere")
    assert create_team_client(app, "elsewhere").post(f"/events/elsewhere/{parts}", {"name": name}).status == 201


def test_invalid_track_or_room_reports_all_errors(organiser: ApiClient) -> None:
    assert organiser.post("/events/summit/tracks", {"name": "\n", "colour": "red", "id": "x"}).errors == {
        "/name": "contains a line break (U+000A) at position 1; use a space instead",
        "/colour": "must be a colour such as #2a7f62",
        "/id": "is not a known field; remove it",
    }
    assert organiser.post("/events/summit/rooms", {"capacity": 0}).errors == {
        "/capacity": "must be between 1 and 2147483647",
        "/name": "is required",
    }


@pytest.mark.parametrize("parts", ["tracks", "rooms"])
def test_redaction_succeeds_despite_names_of_redacted_form(
    moderator: ApiClient, organiser: ApiClient, anonymous: ApiClient, parts: str
) -> None:
    for name in ("[removed] 1", "[removed] 2", "[removed] 3"):
        organiser.post(f"/events/summit/{parts}", {"name": name})
        organiser.post("/events/summit/tiers", {"name": name, "benefits": ["Buy"]})
    assert moderator.post("/events/summit/redact").status == 200
    assert anonymous.get(f"/events/summit/{parts}").item_values("name") == [f"[removed] {i}" for i in range(1, 6)]
    assert anonymous.get("/events/summit/tiers").item_values("name") == [f"[removed] {i}" for i in range(1, 4)]
    assert anonymous.get("/events/summit/tiers").item_values("benefits") == [[], [], []]


def test_tracks_and_rooms_of_hidden_event_are_hidden(app: Flask, stranger: ApiClient) -> None:
    with write_session(app) as session:
        make_event(session, slug="hidden", status=EventStatus.PENDING, tracks=["Secret"], rooms=["Cellar"])
    for table, parts in ((Track, "tracks"), (Room, "rooms")):
        hidden, nowhere = get_row(app, table).id, "0" * 16
        for answer, nothing in (
            (stranger.delete(f"/{parts}/{hidden}"), stranger.delete(f"/{parts}/{nowhere}")),
            (stranger.patch(f"/{parts}/{hidden}", {"name": "x"}), stranger.patch(f"/{parts}/{nowhere}", {"name": "x"})),
        ):
            assert answer.status_and_code == nothing.status_and_code == (404, "not-found")
            assert answer.json["detail"].replace(hidden, nowhere) == nothing.json["detail"]


def test_roles_in_the_team_can_be_changed_and_removed(
    organiser: ApiClient, reviewer: ApiClient, stranger: ApiClient
) -> None:
    path = "/events/summit/team"
    rita = {"member_id": reviewer.member_id, "name": "Rita", "role": "reviewer"}
    olga = {"member_id": organiser.member_id, "name": "Olga", "role": "organiser"}
    team = organiser.get(path)
    assert team.json == {"members": [olga, rita], "invitations": []}
    assert team.headers["Cache-Control"] == "private, no-cache"
    promoted = rita | {"role": "organiser"}
    changed = organiser.put(f"{path}/{reviewer.member_id}", {"role": "organiser"})
    assert (changed.status, changed.json) == (200, promoted)
    assert reviewer.patch("/events/summit", {"title": "New"}).status == 200
    assert organiser.delete(f"{path}/{reviewer.member_id}").status == 204
    assert reviewer.patch("/events/summit", {"title": "Newer"}).status_and_code == (403, "forbidden")
    for missing in (reviewer.member_id, stranger.member_id, "0000000000000000"):
        assert organiser.delete(f"{path}/{missing}").status_and_code == (404, "not-found")
        assert organiser.put(f"{path}/{missing}", {"role": "reviewer"}).status_and_code == (404, "not-found")


def test_last_organiser_cannot_be_removed_or_demoted(app: Flask, organiser: ApiClient, reviewer: ApiClient) -> None:
    mine = f"/events/summit/team/{organiser.member_id}"
    assert organiser.delete(mine).status_and_code == (409, "last-organiser")
    assert organiser.put(mine, {"role": "reviewer"}).status_and_code == (409, "last-organiser")
    assert organiser.put(f"/events/summit/team/{reviewer.member_id}", {"role": "organiser"}).status == 200
    assert organiser.delete(mine).status == 204
    assert get_row(app, TeamMember).role == TeamRole.ORGANISER
    assert get_row(app, Member, id=organiser.member_id).name == "Olga"
