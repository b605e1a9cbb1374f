"""API views under /api/v1 for the tracks, rooms and team of an event."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from eventcal.events import service
from eventcal.events.errors import LastOrganiser, NameTaken
from eventcal.events.models import Event, Room, TeamMember, Track
from eventcal.events.queries import get_event, get_organised_event, get_part, list_team
from eventcal.events.words import PUBLIC_STATUSES, TeamRole
from eventcal.members.models import Member
from eventcal.members.service import get_member, get_member_by_email
from eventcal.talks.removal import remove_part
from eventcal.web.api.blueprint import Subject
from eventcal.web.api.responses import Content, answer, cached, document, serve_private
from eventcal.web.identity.current_user import caller
from eventcal.web.identity.permissions import organiser, public
from eventcal.web.request.context import links, reading, unit_of_work
from eventcal.web.schemas import event_parts as schemas
from eventcal.web.schemas.out import Json

event_parts = Subject("event parts", "Tracks, rooms and the team of an event")


@event_parts.get("/events/<slug>/tracks", public, lists=schemas.TrackOut)
@cached
def list_tracks(session: Session, slug: str) -> Content:
    """List an event's tracks."""
    event = get_event(session, slug, caller())
    return part_of(event, all_of(schemas.TrackOut.write(track) for track in event.tracks))


@event_parts.post(
    "/events/<slug>/tracks", organiser(), body=schemas.TrackIn, creates=schemas.TrackOut, refuses=[NameTaken]
)
def add_track(fields: dict[str, Any], slug: str) -> Response:
    """Add a track to an event."""
    with unit_of_work() as session:
        track = service.add_part(session, get_organised_event(session, slug, caller()), Track, fields)
    return answer(schemas.TrackOut.write(track), 201, location=links().api(f"/tracks/{track.id}"))


@event_parts.patch(
    "/tracks/<track_id>", organiser(), body=schemas.TrackFields, returns=schemas.TrackOut, refuses=[NameTaken]
)
def edit_track(fields: dict[str, Any], track_id: str) -> Response:
    """Change a track."""
    with unit_of_work() as session:
        track = service.edit_part(session, get_part(session, Track, track_id, caller()), fields)
    return answer(schemas.TrackOut.write(track))


@event_parts.delete("/tracks/<track_id>", organiser())
def delete_track(track_id: str) -> None:
    """Delete a track. Its talks then have no track."""
    with unit_of_work() as session:
        remove_part(session, get_part(session, Track, track_id, caller()))


@event_parts.get("/events/<slug>/rooms", public, lists=schemas.RoomOut)
@cached
def list_rooms(session: Session, slug: str) -> Content:
    """List an event's rooms."""
    event = get_event(session, slug, caller())
    return part_of(event, all_of(schemas.RoomOut.write(room) for room in event.rooms))


@event_parts.post(
    "/events/<slug>/rooms", organiser(), body=schemas.RoomIn, creates=schemas.RoomOut, refuses=[NameTaken]
)
def add_room(fields: dict[str, Any], slug: str) -> Response:
    """Add a room to an event."""
    with unit_of_work() as session:
        room = service.add_part(session, get_organised_event(session, slug, caller()), Room, fields)
    return answer(schemas.RoomOut.write(room), 201, location=links().api(f"/rooms/{room.id}"))


@event_parts.patch(
    "/rooms/<room_id>", organiser(), body=schemas.RoomFields, returns=schemas.RoomOut, refuses=[NameTaken]
)
def edit_room(fields: dict[str, Any], room_id: str) -> Response:
    """Change a room. The calendar entries of its talks are updated."""
    with unit_of_work() as session:
        room = service.edit_part(session, get_part(session, Room, room_id, caller()), fields)
    return answer(schemas.RoomOut.write(room))


@event_parts.delete("/rooms/<room_id>", organiser())
def delete_room(room_id: str) -> None:
    """Delete a room. Its talks then have no room."""
    with unit_of_work() as session:
        remove_part(session, get_part(session, Room, room_id, caller()))


@event_parts.get("/events/<slug>/team", organiser(), returns=schemas.TeamPage)
def read_team(slug: str) -> Response:
    """List the members of an event's team."""
    with reading() as session:
        team = list_team(session, get_organised_event(session, slug, caller()))
        return serve_private(all_of(_team_json(*pair) for pair in team))


@event_parts.put(
    "/events/<slug>/team",
    organiser(),
    body=schemas.TeamMemberIn,
    returns=schemas.TeamMemberOut,
    refuses=[LastOrganiser],
)
def put_by_email(fields: dict[str, Any], slug: str) -> Response:
    """Add a member to the team by email address, or change their role."""
    return _put_on_team(slug, fields["role"], lambda session: get_member_by_email(session, fields["email"]))


@event_parts.put(
    "/events/<slug>/team/<member_id>",
    organiser(),
    body=schemas.TeamRoleIn,
    returns=schemas.TeamMemberOut,
    refuses=[LastOrganiser],
)
def put_by_id(fields: dict[str, Any], slug: str, member_id: str) -> Response:
    """Add a member to the team by id, or change their role."""
    return _put_on_team(slug, fields["role"], lambda session: get_member(session, member_id))


@event_parts.delete("/events/<slug>/team/<member_id>", organiser(), refuses=[LastOrganiser])
def take_off(slug: str, member_id: str) -> None:
    """Remove a member from the team. The last organiser cannot be removed."""
    with unit_of_work() as session:
        service.take_off_team(session, get_organised_event(session, slug, caller()), member_id)


def part_of(event: Event, body: Json) -> Content:
    """Return the content of a response that is public if the event is public."""
    return document(body, public=event.status in PUBLIC_STATUSES)


def all_of(items: Iterable[Json]) -> Json:
    """Return the JSON of a list that always fits on one page."""
    return {"items": list(items), "next": None}


def _put_on_team(slug: str, role: TeamRole, find: Callable[[Session], Member]) -> Response:
    with unit_of_work() as session:
        event = get_organised_event(session, slug, caller())
        someone = find(session)
        row = service.put_on_team(session, event, someone, role)
    return answer(_team_json(row, someone))


def _team_json(row: TeamMember, someone: Member) -> Json:
    return schemas.TeamMemberOut.write(someone, member_id=someone.id, role=row.role)
