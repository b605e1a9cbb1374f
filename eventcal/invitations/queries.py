"""Queries for invitations."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, joinedload

from eventcal.events.models import Event
from eventcal.invitations.enums import InvitationKind, InvitationState
from eventcal.invitations.errors import InvitationNotFound
from eventcal.invitations.models import Invitation
from eventcal.kit.errors import require
from eventcal.kit.ids import hash_secret
from eventcal.kit.pagination import Page, PageRequest, SortKey, fetch_page
from eventcal.kit.text import email_key
from eventcal.members.caller import Caller
from eventcal.members.models import Member
from eventcal.members.service import check_email_confirmed


def get_invitation_by_token(session: Session, token: str) -> Invitation:
    """Return the invitation with the token of an emailed link. Raises InvitationNotFound."""
    rows = _select_with_event().where(Invitation.token_hash == hash_secret(token))
    return require(session.scalars(rows).one_or_none(), InvitationNotFound())


def get_own_invitation(session: Session, invitation_id: str, *, member: Member, caller: Caller) -> Invitation:
    """Return an invitation for the caller's email address. Raises EmailNotConfirmed or InvitationNotFound."""
    check_email_confirmed(caller)
    rows = _select_with_event().where(Invitation.id == invitation_id, Invitation.email_key == member.email_key)
    return require(session.scalars(rows).one_or_none(), InvitationNotFound())


def get_open_team_invitation(session: Session, event: Event, invitation_id: str) -> Invitation:
    """Return an invitation to the team of an event that has not been answered. Raises InvitationNotFound."""
    rows = select(Invitation).where(Invitation.id == invitation_id, *_invited_to_team(event))
    return require(session.scalars(rows).one_or_none(), InvitationNotFound())


def select_open_team_invitations(event: Event, *, now: datetime) -> Select[Invitation]:
    return select(Invitation).where(*_invited_to_team(event), Invitation.expires_at > now)


def list_open_team_invitations(session: Session, event: Event, *, now: datetime) -> Sequence[Invitation]:
    """Return the invitations to the team of an event that can still be accepted."""
    rows = select_open_team_invitations(event, now=now)
    return session.scalars(rows.order_by(Invitation.email_key, Invitation.id)).all()


def list_own_invitations(
    session: Session, *, member: Member, caller: Caller, paging: PageRequest, now: datetime
) -> Page[Invitation]:
    """Return a page of the invitations that the caller can accept, newest first.

    The page is empty until the caller's email address is confirmed, because the address may not be theirs.
    """
    if not caller.email_confirmed:
        return Page((), None)
    order = [SortKey(Invitation.created_at, datetime, descending=True), SortKey(Invitation.id, str, descending=True)]
    rows = _select_with_event().where(*_is_open(member.email, now=now))
    return fetch_page(session, rows, order=order, paging=paging)


def has_open_invitation(session: Session, email: str, *, now: datetime) -> bool:
    return session.scalar(select(select(Invitation.id).where(*_is_open(email, now=now)).exists())) is True


def _select_with_event() -> Select[Invitation]:
    return select(Invitation).options(joinedload(Invitation.event))


def _invited_to_team(event: Event) -> tuple[ColumnElement[bool], ...]:
    is_open = Invitation.state == InvitationState.OPEN
    return Invitation.event_id == event.id, Invitation.kind == InvitationKind.TEAM, is_open


def _is_open(email: str, *, now: datetime) -> tuple[ColumnElement[bool], ...]:
    is_open = Invitation.state == InvitationState.OPEN
    return Invitation.email_key == email_key(email), is_open, Invitation.expires_at > now
