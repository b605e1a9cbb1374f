"""API views under /api/v1/me/invitations: the invitations for the current user's email address."""

from typing import Any

from flask import Response

from eventcal.events.errors import LastOrganiser
from eventcal.invitations import service
from eventcal.invitations.errors import InvitationAnswered, InvitationExpired
from eventcal.invitations.queries import get_own_invitation, list_own_invitations
from eventcal.members.enums import Scope
from eventcal.members.errors import EmailNotConfirmed
from eventcal.web.api.blueprint import ApiBlueprint
from eventcal.web.api.pagination import next_page_link_header, page_json, paging_from_query
from eventcal.web.api.responses import json_response, private_json
from eventcal.web.identity.current_user import caller, current_member
from eventcal.web.identity.permissions import member
from eventcal.web.request.context import now, read_session, unit_of_work
from eventcal.web.schemas.fields import PageQuery
from eventcal.web.schemas.invitations import InvitationOut, invitation_json

invitations = ApiBlueprint("invitations", "Invitations to take on a role, such as in the team of an event")

_ANSWER_ERRORS = (EmailNotConfirmed, InvitationAnswered, InvitationExpired)


@invitations.get("/me/invitations", member(Scope.READ), query=PageQuery, lists=InvitationOut)
def list_invitations(query: dict[str, Any]) -> Response:
    """List the open invitations for the current user's email address, newest first.

    The list is empty until the email address is confirmed.
    """
    with read_session() as session:
        paging, row = paging_from_query(query), current_member(session)
        page = list_own_invitations(session, member=row, caller=caller(), paging=paging, now=now())
        body = page_json(page, invitation_json)
    return private_json(body, link=next_page_link_header(query, page.next_cursor))


@invitations.post(
    "/me/invitations/<invitation_id>/accept",
    member(Scope.SUBMIT),
    returns=InvitationOut,
    errors=[*_ANSWER_ERRORS, LastOrganiser],
)
def accept(invitation_id: str) -> Response:
    """Accept an invitation. The role begins at once."""
    with unit_of_work() as session:
        row = current_member(session)
        found = get_own_invitation(session, invitation_id, member=row, caller=caller())
        service.accept_invitation(session, found, member=row, caller=caller(), now=now())
    return json_response(invitation_json(found))


@invitations.post(
    "/me/invitations/<invitation_id>/decline", member(Scope.SUBMIT), returns=InvitationOut, errors=_ANSWER_ERRORS
)
def decline(invitation_id: str) -> Response:
    """Decline an invitation."""
    with unit_of_work() as session:
        found = get_own_invitation(session, invitation_id, member=current_member(session), caller=caller())
        service.decline_invitation(session, found, now=now())
    return json_response(invitation_json(found))
