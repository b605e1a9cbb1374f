"""Ending the access to an account: sessions, pending sign-ins, emailed links, access tokens and secret feeds."""

from datetime import datetime

from sqlalchemy.orm import Session

from eventcal.members.models import Member
from eventcal.members.security_log import SecurityEvent, log_security_event_on_commit
from eventcal.members.service import delete_all_access_tokens, revoke_all_personal_feeds
from eventcal.members.sessions import end_sessions, end_sessions_and_email_tokens


def confirm_member(session: Session, member: Member, *, now: datetime, except_session_id: str | None = None) -> None:
    """Mark the address of a member as confirmed, end all other sessions, and revoke all access tokens.

    Another person could have registered the address, and could have signed in or created access tokens.
    """
    member.confirmed_at = now
    log_security_event_on_commit(session, SecurityEvent.EMAIL_CONFIRMED, member_id=member.id)
    end_sessions(session, member, except_id=except_session_id)
    delete_all_access_tokens(session, member)


def suspend_member(session: Session, member: Member, *, now: datetime) -> None:
    """Suspend a member, and end all access to the account. The member cannot sign in until they are reinstated."""
    member.active = False
    log_security_event_on_commit(session, SecurityEvent.MEMBER_SUSPENDED, member_id=member.id)
    end_sessions_and_email_tokens(session, member)
    delete_all_access_tokens(session, member)
    revoke_all_personal_feeds(session, member, now=now)


def reinstate_member(session: Session, member: Member) -> None:
    """Allow a suspended member to sign in again. Access that has ended is not restored."""
    member.active = True
    log_security_event_on_commit(session, SecurityEvent.MEMBER_REINSTATED, member_id=member.id)
    session.flush()
