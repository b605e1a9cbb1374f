"""Schemas of the tracks, rooms and team of an event."""

from marshmallow import fields

from eventcal.events import limits
from eventcal.events.enums import TeamRole
from eventcal.kit.validators import COLOUR
from eventcal.web.schemas.fields import BaseSchema, EmailField, EnumField, IntegerField, PatternString, SingleLine
from eventcal.web.schemas.invitations import TeamInvitationOut
from eventcal.web.schemas.response_schema import ResponseSchema


class TrackFields(BaseSchema):
    """The writable fields of a track."""

    name = SingleLine(limits.PART_NAME)
    colour = PatternString(COLOUR, allow_none=True)


TrackIn = TrackFields.with_required("name", name="TrackIn", description="A new track.")


class RoomFields(BaseSchema):
    """The writable fields of a room."""

    name = SingleLine(limits.PART_NAME)
    capacity = IntegerField(least=1, allow_none=True)


RoomIn = RoomFields.with_required("name", name="RoomIn", description="A new room.")


class TrackOut(ResponseSchema):
    """A track, as returned by the API."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    colour = fields.String(required=True, allow_none=True, metadata={"pattern": f"^{COLOUR.pattern}$"})


class RoomOut(ResponseSchema):
    """A room, as returned by the API."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    capacity = fields.Integer(required=True, allow_none=True)


class TeamMemberOut(ResponseSchema):
    """A member of an event's team."""

    member_id = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.Enum(TeamRole, by_value=True, required=True)


class TeamRoleIn(BaseSchema):
    """The role to assign to a team member."""

    role = EnumField(TeamRole, required=True)


class TeamMemberIn(TeamRoleIn):
    """The email address to invite to the team, and the role."""

    email = EmailField(required=True)


class EventTeamOut(ResponseSchema):
    """The members of an event's team, and the open invitations to it."""

    members = fields.List(fields.Nested(TeamMemberOut), required=True)
    invitations = fields.List(fields.Nested(TeamInvitationOut), required=True)
