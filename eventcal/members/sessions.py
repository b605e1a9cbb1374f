"""Services for the browser sessions of members."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, select, update
from sqlalchemy.orm import Session

from eventcal.kit.errors import Message, NotFound, require
from eventcal.kit.ids import hash_secret, new_id, new_secret
from eventcal.members.models import Member, MemberSession
from eventcal.members.security_log import SecurityEvent, log_security_event_on_commit

IDLE_TIMEOUT = timedelta(days=14)
LIFETIME = timedelta(days=30)
"""The maximum age of a session, regardless of its use."""
TOUCH_INTERVAL = timedelta(hours=1)
"""The minimum time between updates of `MemberSession.last_seen_at`."""
PENDING_TIMEOUT = timedelta(minutes=10)
"""The time allowed between entering the password and entering the second-factor code."""


def build_session(
    member: Member,
    *,
    secret: str,
    user_agent: str | None,
    now: datetime,
    pending: bool = False,
    reauthenticated: bool = False,
) -> MemberSession:
    return MemberSession(
        id=new_id(),
        member_id=member.id,
        member_key=member.fs_uniquifier,
        secret_hash=hash_secret(secret),
        pending=pending,
        reauthenticated_at=now if reauthenticated else None,
        data={},
        user_agent=user_agent,
        created_at=now,
        last_seen_at=now,
        expires_at=now + (PENDING_TIMEOUT if pending else IDLE_TIMEOUT),
    )


def find_session(session: Session, secret: str, *, now: datetime) -> tuple[MemberSession, Member] | None:
    rows = select(MemberSession, Member).join(Member, _is_live_session(now))
    return session.execute(rows.where(MemberSession.secret_hash == hash_secret(secret))).one_or_none()


def find_member_of_session(session: Session, session_id: str, *, now: datetime) -> Member | None:
    """Return the member who is signed in in this browser session, or None if the session has ended."""
    rows = select(Member).join(MemberSession, _is_live_session(now)).where(MemberSession.id == session_id)
    return session.scalars(rows).one_or_none()


def list_sessions(session: Session, member_id: str, *, now: datetime) -> Sequence[MemberSession]:
    """Return at most 100 browser sessions in which the member is signed in, most recently used first."""
    order = (MemberSession.last_seen_at.desc(), MemberSession.created_at.desc(), MemberSession.id)
    return session.scalars(_select_signed_in_sessions(member_id, now).order_by(*order).limit(100)).all()


def get_session(session: Session, session_id: str, member_id: str, *, now: datetime) -> MemberSession:
    """Return the browser session with this ID, in which the member must be signed in. Raises NotFound."""
    rows = _select_signed_in_sessions(member_id, now).where(MemberSession.id == session_id)
    unknown = NotFound(Message("You have no session “%(session_id)s”.", session_id=session_id))
    return require(session.scalars(rows).one_or_none(), unknown)


def touch_session(session: Session, session_id: str, *, now: datetime) -> None:
    found = session.get(MemberSession, session_id)
    if found is not None and now < found.expires_at:
        found.last_seen_at = now
        found.expires_at = min(now + IDLE_TIMEOUT, found.created_at + LIFETIME)


def update_session(session: Session, session_id: str, **values: object) -> None:
    session.execute(update(MemberSession).where(MemberSession.id == session_id).values(values))


def end_session(session: Session, member_session: MemberSession) -> None:
    session.execute(delete(MemberSession).where(MemberSession.id == member_session.id))
    if not member_session.pending:
        _log_ended_sessions(session, member_session.member_id, [member_session.id])


def end_sessions(session: Session, member: Member, *, except_id: str | None = None) -> None:
    """End the browser sessions of a member, including pending sign-ins, except the session with the ID `except_id`."""
    rows = delete(MemberSession).where(MemberSession.member_id == member.id)
    if except_id is not None:
        rows = rows.where(MemberSession.id != except_id)
    ended = session.scalars(rows.returning(MemberSession.id)).all()
    session.flush()
    if ended:
        _log_ended_sessions(session, member.id, ended)


def end_sessions_and_email_tokens(session: Session, member: Member) -> None:
    """End all browser sessions of a member and invalidate the member's emailed tokens."""
    member.fs_uniquifier = new_secret("")
    end_sessions(session, member)


def delete_expired_sessions(session: Session, *, now: datetime) -> None:
    session.execute(delete(MemberSession).where(MemberSession.expires_at <= now))


def _log_ended_sessions(session: Session, member_id: str, session_ids: Sequence[str]) -> None:
    log_security_event_on_commit(
        session, SecurityEvent.SESSIONS_ENDED, member_id=member_id, sessions=sorted(session_ids)
    )


def _select_signed_in_sessions(member_id: str, now: datetime) -> Select[MemberSession]:
    rows = select(MemberSession).join(Member, _is_live_session(now))
    return rows.where(MemberSession.member_id == member_id, ~MemberSession.pending)


def _is_live_session(now: datetime) -> ColumnElement[bool]:
    belongs = (Member.id == MemberSession.member_id) & (Member.fs_uniquifier == MemberSession.member_key)
    return belongs & Member.active & (MemberSession.expires_at > now)
