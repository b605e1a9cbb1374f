"""Services for sending, withdrawing and answering invitations.

An invitation grants nothing by itself. The role begins when a member with the invited and confirmed email address
accepts, so registering an address or changing to one has no effect on the permissions of a member.
"""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from eventcal.events.enums import TeamRole
from eventcal.events.models import Event
from eventcal.events.queries import team_roles_by_event
from eventcal.events.service import add_team_member
from eventcal.invitations.enums import InvitationKind, InvitationState
from eventcal.invitations.errors import InvitationExpired, InvitationNotFound
from eventcal.invitations.models import Invitation
from eventcal.invitations.queries import get_open_team_invitation, select_open_team_invitations
from eventcal.invitations.rules import EXPIRED, LIFETIME, RETENTION, check_can_answer
from eventcal.kit.errors import Message
from eventcal.kit.ids import hash_secret, new_secret
from eventcal.kit.text import email_key
from eventcal.members.caller import Caller
from eventcal.members.enums import Role
from eventcal.members.models import Member
from eventcal.members.quotas import Quota
from eventcal.members.security_log import SecurityEvent, log_security_event_on_commit
from eventcal.members.service import check_email_confirmed

OPEN_INVITATION_QUOTA = Quota(
    50,
    lambda limit: Message(
        "This event has %(limit)s invitations that are not answered yet. Wait for an answer, or withdraw one.",
        limit=limit,
    ),
)


def invite_to_team(
    session: Session, event: Event, *, email: str, role: TeamRole, caller: Caller, now: datetime
) -> tuple[Invitation, str]:
    """Invite an email address to the team of an event. Return the invitation and the token for the emailed link.

    The invitation replaces earlier ones for the same address that were not accepted. Members are not looked up, so
    inviting a member takes the same steps as inviting any other person. Raises QuotaExceeded.
    """
    session.execute(
        delete(Invitation).where(
            Invitation.kind == InvitationKind.TEAM,
            Invitation.event_id == event.id,
            Invitation.email_key == email_key(email),
            Invitation.state != InvitationState.ACCEPTED,
        )
    )
    OPEN_INVITATION_QUOTA.check(session, select_open_team_invitations(event, now=now), role=caller.role)
    token = new_secret("")
    invitation = Invitation(
        kind=InvitationKind.TEAM,
        event_id=event.id,
        role=role,
        email=email,
        email_key=email_key(email),
        invited_by_id=caller.member_id,
        token_hash=hash_secret(token),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    session.add(invitation)
    session.flush()
    _log(session, SecurityEvent.INVITATION_SENT, invitation, event=event, member_id=caller.member_id)
    return invitation, token


def withdraw_team_invitation(session: Session, event: Event, invitation_id: str, *, caller: Caller) -> None:
    """Withdraw an invitation to the team of an event that has not been answered. Raises InvitationNotFound."""
    invitation = get_open_team_invitation(session, event, invitation_id)
    _log(session, SecurityEvent.INVITATION_WITHDRAWN, invitation, event=event, member_id=caller.member_id)
    session.delete(invitation)
    session.flush()


def accept_invitation(
    session: Session, invitation: Invitation, *, member: Member, caller: Caller, now: datetime
) -> None:
    """Accept an invitation as the member with the invited address, whose role begins.

    Raises EmailNotConfirmed, InvitationNotFound, InvitationAnswered, InvitationExpired or LastOrganiser. An invitation
    also expires when the member who sent it may no longer invite people to the team.
    """
    check_email_confirmed(caller)
    if invitation.email_key != member.email_key:
        raise InvitationNotFound
    check_can_answer(invitation.state, invitation.expires_at, now=now)
    if not _can_still_invite(session, invitation):
        raise InvitationExpired(EXPIRED)
    add_team_member(session, invitation.event, member, role=invitation.role)
    invitation.state = InvitationState.ACCEPTED
    _log(session, SecurityEvent.INVITATION_ACCEPTED, invitation, event=invitation.event, member_id=member.id)
    session.flush()


def decline_invitation(session: Session, invitation: Invitation, *, now: datetime) -> None:
    """Decline an invitation, which also a person without an account can do who has received the emailed link.

    Raises InvitationAnswered or InvitationExpired.
    """
    check_can_answer(invitation.state, invitation.expires_at, now=now)
    invitation.state = InvitationState.DECLINED
    _log(session, SecurityEvent.INVITATION_DECLINED, invitation, event=invitation.event, member_id=None)
    session.flush()


def _can_still_invite(session: Session, invitation: Invitation) -> bool:
    inviter = None if invitation.invited_by_id is None else session.get(Member, invitation.invited_by_id)
    if inviter is None or not inviter.active:
        return False
    team_role = team_roles_by_event(session, inviter.id).get(invitation.event_id)
    return inviter.role is not Role.MEMBER or team_role is TeamRole.ORGANISER


def delete_expired_invitations(session: Session, *, now: datetime) -> None:
    session.execute(delete(Invitation).where(Invitation.expires_at < now - RETENTION))


def _log(session: Session, what: SecurityEvent, invitation: Invitation, *, event: Event, member_id: str | None) -> None:
    log_security_event_on_commit(
        session, what, member_id=member_id, invitation=invitation.id, team=event.slug, role=invitation.role
    )
