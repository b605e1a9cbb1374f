"""Schemas of invitations."""

from marshmallow import fields

from eventcal.events.enums import TeamRole
from eventcal.invitations.enums import InvitationKind, InvitationState
from eventcal.invitations.models import Invitation
from eventcal.web.params.fields import described
from eventcal.web.schemas.fields import EnumField, InstantField
from eventcal.web.schemas.response_schema import Json, ResponseSchema


class TeamInvitationOut(ResponseSchema):
    """An open invitation to an event's team, as organisers see it."""

    id = fields.String(required=True)
    email = fields.String(required=True)
    role = EnumField(TeamRole, required=True)
    expires_at = InstantField(required=True)


class InvitationOut(ResponseSchema):
    """An invitation, as the invited member sees it."""

    id = fields.String(required=True)
    kind = EnumField(InvitationKind, required=True)
    event = fields.String(required=True, metadata=described("The event's slug."))
    event_title = fields.String(required=True)
    role = EnumField(TeamRole, required=True)
    state = EnumField(InvitationState, required=True)
    created_at = InstantField(required=True)
    expires_at = InstantField(required=True)


class InvitedOut(ResponseSchema):
    """The result of an invitation, which is the same for all email addresses."""

    detail = fields.String(required=True)


def invitation_json(invitation: Invitation) -> Json:
    event = invitation.event
    return InvitationOut.serialize(invitation, event=event.slug, event_title=event.title)
