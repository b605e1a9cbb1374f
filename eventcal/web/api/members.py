"""API views under /api/v1/members, with which administrators and moderators manage the accounts of other members."""

from collections.abc import Callable
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from eventcal.kit.errors import Forbidden
from eventcal.members import service
from eventcal.members.access import reinstate_member, suspend_member
from eventcal.members.models import Member
from eventcal.members.permission_checks import check_admin
from eventcal.members.rules import check_can_administer
from eventcal.members.sessions import end_sessions_and_email_tokens
from eventcal.web.api.blueprint import ApiBlueprint
from eventcal.web.api.pagination import serve_private_page
from eventcal.web.api.responses import json_response, private_json
from eventcal.web.identity import current_user, schemas
from eventcal.web.identity.accounts import confirm_account
from eventcal.web.identity.current_user import caller
from eventcal.web.identity.permissions import admin, moderator
from eventcal.web.request.context import now, read_session, unit_of_work
from eventcal.web.schemas.response_schema import Json

members = ApiBlueprint("members", "The accounts of all members, for administrators and moderators")


@members.get("/members", admin, query=schemas.MembersQuery, lists=schemas.AccountOut)
def list_members(query: dict[str, Any]) -> Response:
    """List the members whose name or email address contains `q`, newest first."""
    return serve_private_page(query, service.list_members, _account_json, text=query["q"])


@members.get("/members/<member_id>", admin, returns=schemas.AccountOut)
def show_member(member_id: str) -> Response:
    """Return the account of a member."""
    with read_session() as session:
        return private_json(_account_json(service.get_member(session, member_id)))


@members.patch("/members/<member_id>", moderator, body=schemas.AccountPatch, returns=schemas.AccountOut)
def edit_member(fields: dict[str, Any], member_id: str) -> Response:
    """Change the role of a member, or confirm their email address. The `If-Match` header is not required.

    Moderators may confirm the addresses of plain members. Confirming an address ends all sessions of the member and
    revokes their access tokens, because another person might have registered the address.
    """

    def change(session: Session, member: Member) -> None:
        if "role" in fields:
            check_admin(caller())
            service.change_role(session, member, fields["role"])
        if fields.get("confirmed") and member.confirmed_at is None:
            confirm_account(session, member, now=now())

    return _change_member(member_id, change)


@members.post("/members/<member_id>/suspend", moderator, returns=schemas.AccountOut, errors=[Forbidden])
def suspend(member_id: str) -> Response:
    """Suspend a member. Their sessions are ended, and their access tokens and secret feeds are revoked.

    A suspended member cannot sign in. Moderators may suspend only plain members.
    """
    return _change_member(member_id, lambda session, member: suspend_member(session, member, now=now()))


@members.post("/members/<member_id>/reinstate", moderator, returns=schemas.AccountOut, errors=[Forbidden])
def reinstate(member_id: str) -> Response:
    """Allow a suspended member to sign in again. Access tokens and secret feeds are not restored."""
    return _change_member(member_id, reinstate_member)


@members.post("/members/<member_id>/end-sessions", admin, returns=schemas.AccountOut, errors=[Forbidden])
def end_sessions(member_id: str) -> Response:
    """End all sessions of a member, and invalidate the links in emails to them. Access tokens remain valid."""
    return _change_member(member_id, end_sessions_and_email_tokens)


def _change_member(member_id: str, change: Callable[[Session, Member], None]) -> Response:
    with unit_of_work() as session:
        # The permissions of the caller may have ended while the request was waiting for the write lock.
        current_user.current_member(session)
        member = service.get_member(session, member_id)
        check_can_administer(caller(), member_id=member.id, role=member.role)
        change(session, member)
        return json_response(_account_json(member))


def _account_json(member: Member) -> Json:
    confirmed = current_user.is_email_confirmed(member)
    return schemas.AccountOut.serialize(member, confirmed=confirmed, suspended=not member.active)
