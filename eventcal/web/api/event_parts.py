"""API views under /api/v1 for the tracks, rooms and team of an event."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import Response
from marshmallow import Schema
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from eventcal.events import queries, service
from eventcal.events.enums import PUBLIC_STATUSES
from eventcal.events.errors import DuplicateName, LastOrganiser
from eventcal.events.models import Event, Room, TeamMember, Track
from eventcal.events.queries import get_event, get_event_for_organiser
from eventcal.invitations.queries import list_open_team_invitations
from eventcal.invitations.service import withdraw_team_invitation
from eventcal.members.caller import Caller
from eventcal.members.errors import QuotaExceeded
from eventcal.members.models import Member
from eventcal.members.service import get_member
from eventcal.talks.delete_and_merge_referenced import delete_track_or_room
from eventcal.web.api.blueprint import ApiBlueprint
from eventcal.web.api.responses import Content, cached_view, json_content, json_response, private_json
from eventcal.web.http.errors import ErrorClass
from eventcal.web.identity.current_user import caller
from eventcal.web.identity.invitation_email import invite_to_team_by_email
from eventcal.web.identity.permissions import organiser, public
from eventcal.web.request.context import links, now, read_session, unit_of_work
from eventcal.web.request.rate_limits import count_email
from eventcal.web.schemas import event_parts as schemas
from eventcal.web.schemas.invitations import InvitedOut, TeamInvitationOut
from eventcal.web.schemas.response_schema import Json, ResponseSchema

Child = TypeVar("Child")

_INVITED = {"detail": "The invitation has been created, and is sent by email if sending email is enabled."}

event_parts = ApiBlueprint("event parts", "Tracks, rooms and the team of an event")


@dataclass(frozen=True, kw_only=True)
class ChildResource(Generic[Child]):
    """A kind of resource that belongs to an event, such as tracks."""

    name: str
    out: type[Schema]
    create: type[Schema]
    change: type[Schema]
    list: Callable[[Session, Event], Iterable[Json]]
    add: Callable[[Session, Event, Mapping[str, Any]], Json]
    get: Callable[[Session, str, Caller], Child]
    edit: Callable[[Session, Child, Mapping[str, Any]], Json]
    delete: Callable[[Session, Child], None]
    list_doc: str = ""
    edit_doc: str = ""
    delete_doc: str
    delete_errors: Sequence[ErrorClass] = ()

    def register(self, subject: ApiBlueprint) -> None:
        """Register the routes for listing, adding, editing and deleting resources of this kind."""
        name, path = self.name, f"/{self.name}s"
        collection, item = f"/events/<slug>{path}", f"{path}/<{name}_id>"

        @cached_view
        def list_(session: Session, slug: str) -> Content:
            event = get_event(session, slug, caller())
            return event_scoped_content(event, single_page_json(self.list(session, event)))

        def add(fields: dict[str, Any], slug: str) -> Response:
            with unit_of_work() as session:
                body = self.add(session, get_event_for_organiser(session, slug, caller()), fields)
            return json_response(body, 201, location=links().api(f"{path}/{body['id']}"))

        def edit(fields: dict[str, Any], **path_args: str) -> Response:
            with unit_of_work() as session:
                body = self.edit(session, self.get(session, path_args[f"{name}_id"], caller()), fields)
            return json_response(body)

        def delete(**path_args: str) -> None:
            with unit_of_work() as session:
                self.delete(session, self.get(session, path_args[f"{name}_id"], caller()))

        list_.__name__, list_.__doc__ = f"list_{name}s", self.list_doc or f"List an event's {name}s."
        add.__name__, add.__doc__ = f"add_{name}", f"Add a {name} to an event."
        edit.__name__, edit.__doc__ = f"edit_{name}", self.edit_doc or f"Change a {name}."
        delete.__name__, delete.__doc__ = f"delete_{name}", self.delete_doc
        subject.get(collection, public, lists=self.out)(list_)
        organiser_of_event = organiser(get_event_for_organiser)
        subject.post(collection, organiser_of_event, body=self.create, creates=self.out, errors=[DuplicateName])(add)
        subject.patch(item, organiser(self.get), body=self.change, returns=self.out, errors=[DuplicateName])(edit)
        subject.delete(item, organiser(self.get), errors=self.delete_errors)(delete)


def _register_tracks_or_rooms(name: str, table: type[Track | Room], out: type[ResponseSchema], **options: Any) -> None:
    ChildResource(
        name=name,
        out=out,
        list=lambda _session, event: map(out.serialize, getattr(event, f"{name}s")),
        add=lambda session, event, fields: out.serialize(
            service.create_track_or_room(session, event, fields, table=table)
        ),
        get=lambda session, key, caller: queries.get_track_or_room_for_organiser(session, table, key, caller=caller),
        edit=lambda session, part, fields: out.serialize(service.edit_track_or_room(session, part, fields)),
        delete=delete_track_or_room,
        delete_doc=f"Delete a {name}. Its talks then have no {name}.",
        **options,
    ).register(event_parts)


_register_tracks_or_rooms("track", Track, schemas.TrackOut, create=schemas.TrackIn, change=schemas.TrackFields)
_register_tracks_or_rooms(
    "room",
    Room,
    schemas.RoomOut,
    create=schemas.RoomIn,
    change=schemas.RoomFields,
    edit_doc="Change a room. The calendar entries of its talks are updated.",
)


@event_parts.get("/events/<slug>/team", organiser(get_event_for_organiser), returns=schemas.EventTeamOut)
def read_team(slug: str) -> Response:
    """List the members of an event's team, and the open invitations to the team."""
    with read_session() as session:
        event = get_event_for_organiser(session, slug, caller())
        members = [_team_member_json(*pair) for pair in queries.list_team_members(session, event)]
        open_invitations = list_open_team_invitations(session, event, now=now())
        invitations = [TeamInvitationOut.serialize(invitation) for invitation in open_invitations]
    return private_json({"members": members, "invitations": invitations})


@event_parts.put(
    "/events/<slug>/team",
    organiser(get_event_for_organiser),
    body=schemas.TeamMemberIn,
    accepts=InvitedOut,
    errors=[TooManyRequests, QuotaExceeded],
)
def invite_team_member(fields: dict[str, Any], slug: str) -> Response:
    """Invite an email address to an event's team. The response does not reveal whether the address has an account.

    The role begins when a member with this confirmed address accepts the invitation within 30 days. Inviting an address
    again replaces the earlier invitation.
    """
    count_email(fields["email"])
    with unit_of_work() as session:
        invite_to_team_by_email(session, get_event_for_organiser(session, slug, caller()), **fields)
    return json_response(_INVITED, 202)


@event_parts.delete("/events/<slug>/team/invitations/<invitation_id>", organiser(get_event_for_organiser))
def withdraw_invitation(slug: str, invitation_id: str) -> None:
    """Withdraw an open invitation to an event's team."""
    with unit_of_work() as session:
        event = get_event_for_organiser(session, slug, caller())
        withdraw_team_invitation(session, event, invitation_id, caller=caller())


@event_parts.put(
    "/events/<slug>/team/<member_id>",
    organiser(get_event_for_organiser),
    body=schemas.TeamRoleIn,
    returns=schemas.TeamMemberOut,
    errors=[LastOrganiser],
)
def change_team_role(fields: dict[str, Any], slug: str, member_id: str) -> Response:
    """Change the role of a member of an event's team."""
    with unit_of_work() as session:
        event = get_event_for_organiser(session, slug, caller())
        row = service.change_team_role(session, event, member_id, role=fields["role"])
        body = _team_member_json(row, get_member(session, member_id))
    return json_response(body)


@event_parts.delete("/events/<slug>/team/<member_id>", organiser(get_event_for_organiser), errors=[LastOrganiser])
def remove_team_member(slug: str, member_id: str) -> None:
    """Remove a member from an event's team. The last organiser of an event cannot be removed."""
    with unit_of_work() as session:
        service.remove_team_member(session, get_event_for_organiser(session, slug, caller()), member_id)


def event_scoped_content(event: Event, body: Json) -> Content:
    """Return JSON content, and mark the content as public if the event is public."""
    return json_content(body, public=event.status in PUBLIC_STATUSES)


def single_page_json(items: Iterable[Json]) -> Json:
    return {"items": list(items), "next": None}


def _team_member_json(row: TeamMember, member: Member) -> Json:
    return schemas.TeamMemberOut.serialize(member, member_id=member.id, role=row.role)
