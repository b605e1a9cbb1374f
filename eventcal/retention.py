"""Retention: which data is deleted after which time. The background worker carries out the rules every hour.

docs/operations.md describes the rules for operators. Data without a rule is kept until a person deletes it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from eventcal.config import Settings
from eventcal.feeds.fetch_counts import FETCH_RETENTION, delete_old_fetches
from eventcal.invitations.rules import RETENTION as INVITATION_RETENTION
from eventcal.invitations.service import delete_expired_invitations
from eventcal.kit.database import Database
from eventcal.members.enums import Role
from eventcal.members.guessing_limits import FORGET_AFTER, delete_old_guess_counters
from eventcal.members.models import (
    AccessToken,
    IdempotencyRecord,
    Member,
    MemberSession,
    Passkey,
    PersonalFeed,
    RecoveryCode,
    TotpSecret,
)
from eventcal.members.security_log import SecurityEvent, log_security_event_on_commit
from eventcal.members.service import IDEMPOTENCY_RETENTION, revoke_all_personal_feeds
from eventcal.members.sessions import delete_expired_sessions
from eventcal.outbox.service import RETENTION as MAIL_RETENTION
from eventcal.outbox.service import UNSENT_RETENTION, build_delete_old_messages
from eventcal.schema import metadata

EXPIRED_TOKEN_RETENTION = timedelta(days=30)
UNCONFIRMED_RETENTION = timedelta(days=30)

# The tables whose rows are deleted together with an unconfirmed account. A row in any other table keeps the account.
_ACCOUNT_TABLES = frozenset(
    table.__tablename__
    for table in (AccessToken, IdempotencyRecord, MemberSession, Passkey, PersonalFeed, RecoveryCode, TotpSecret)
)


@dataclass(frozen=True)
class RetentionRule:
    """The data that is deleted, how long it is kept, and the function that deletes it."""

    data: str
    kept_for: timedelta
    delete: Callable[[Session, Settings, datetime], None]


def _delete_messages(session: Session, settings: Settings, now: datetime) -> None:
    session.execute(build_delete_old_messages(now=now, is_mail_configured=settings.mail_url is not None))


def _delete_idempotency_records(session: Session, _settings: Settings, now: datetime) -> None:
    session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.created_at < now - IDEMPOTENCY_RETENTION))


def _delete_tokens(session: Session, _settings: Settings, now: datetime) -> None:
    session.execute(delete(AccessToken).where(AccessToken.expires_at < now - EXPIRED_TOKEN_RETENTION))


def _delete_unconfirmed_accounts(session: Session, settings: Settings, now: datetime) -> None:
    """Delete accounts without content whose address was never confirmed. Without email, no address is confirmed."""
    if settings.mail_url is None:
        return
    unconfirmed = (Member.confirmed_at.is_(None), Member.created_at < now - UNCONFIRMED_RETENTION)
    unused = [~reference for reference in _references_to_members()]
    found = session.scalars(select(Member).where(*unconfirmed, Member.role == Role.MEMBER, *unused)).all()
    for member in found:
        revoke_all_personal_feeds(session, member, now=now)
        session.delete(member)
        log_security_event_on_commit(session, SecurityEvent.ACCOUNT_DELETED, member_id=member.id)
    session.flush()


def _references_to_members() -> list[ColumnElement[bool]]:
    """Return a condition for each column that refers to a member, except in the tables of the account itself."""
    return [
        select(column).where(column == Member.id).correlate(Member).exists()
        for table in metadata.sorted_tables
        if table.name not in _ACCOUNT_TABLES
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name == Member.__tablename__
    ]


RULES = (
    RetentionRule("Email that was sent or given up", MAIL_RETENTION, _delete_messages),
    RetentionRule("Email that is not sent, because email is disabled", UNSENT_RETENTION, _delete_messages),
    RetentionRule(
        "Counts of feed fetches",
        FETCH_RETENTION,
        lambda session, _settings, now: delete_old_fetches(session, before=now - FETCH_RETENTION),
    ),
    RetentionRule(
        "Expired sessions", timedelta(), lambda session, _settings, now: delete_expired_sessions(session, now=now)
    ),
    RetentionRule("Expired access tokens", EXPIRED_TOKEN_RETENTION, _delete_tokens),
    RetentionRule("Stored responses for idempotency keys", IDEMPOTENCY_RETENTION, _delete_idempotency_records),
    RetentionRule(
        "Counters of wrong passwords and codes",
        FORGET_AFTER,
        lambda session, _settings, now: delete_old_guess_counters(session, now=now),
    ),
    RetentionRule(
        "Expired invitations",
        INVITATION_RETENTION,
        lambda session, _settings, now: delete_expired_invitations(session, now=now),
    ),
    RetentionRule("Unconfirmed accounts without content", UNCONFIRMED_RETENTION, _delete_unconfirmed_accounts),
)


def delete_expired_data(database: Database, settings: Settings) -> None:
    """Delete all data that has exceeded its retention period."""
    with database.unit_of_work() as unit:
        for rule in RULES:
            rule.delete(unit.session, settings, unit.now)
    database.truncate_log()
