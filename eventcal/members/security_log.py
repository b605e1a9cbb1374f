"""The security log: JSON lines about events that matter for the security of accounts and of published content.

The events are written to the logger `eventcal.security`. A line never contains a password, a code, a token, a secret
URL or an email address: members, tokens and sessions are identified by their IDs, and an address that belongs to no
member is left out.
"""

import json
import logging
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.orm import Session

SECURITY_LOGGER = logging.getLogger("eventcal.security")


class SecurityEvent(StrEnum):
    """The catalogue of events in the security log."""

    REGISTERED = "registered"
    EMAIL_CONFIRMED = "email-confirmed"
    EMAIL_CHANGE_REQUESTED = "email-change-requested"
    EMAIL_CHANGED = "email-changed"
    ACCOUNT_DELETED = "account-deleted"

    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    SIGN_IN_DELAYED = "sign-in-delayed"
    SESSIONS_ENDED = "sessions-ended"

    PASSWORD_RESET_REQUESTED = "password-reset-requested"  # noqa: S105 - the name of an event
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - the name of an event

    SECOND_FACTOR_ADDED = "second-factor-added"
    SECOND_FACTOR_REMOVED = "second-factor-removed"
    SECOND_FACTOR_USED = "second-factor-used"
    SECOND_FACTOR_FAILED = "second-factor-failed"
    RECOVERY_CODES_REPLACED = "recovery-codes-replaced"

    TOKEN_CREATED = "token-created"  # noqa: S105 - the name of an event
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - the name of an event
    FEED_CREATED = "feed-created"
    FEED_REVOKED = "feed-revoked"

    ROLE_CHANGED = "role-changed"
    MEMBER_SUSPENDED = "member-suspended"
    MEMBER_REINSTATED = "member-reinstated"
    TEAM_CHANGED = "team-changed"
    INVITATION_SENT = "invitation-sent"
    INVITATION_ACCEPTED = "invitation-accepted"
    INVITATION_DECLINED = "invitation-declined"
    INVITATION_WITHDRAWN = "invitation-withdrawn"

    EVENT_PUBLISHED = "event-published"
    REDACTED = "redacted"

    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate-limited"
    CSRF_FAILED = "csrf-failed"


Detail = str | int | list[str] | None


def log_security_event(event: SecurityEvent, *, member_id: str | None = None, **details: Detail) -> None:
    """Log an event at once. `member_id` is the member whom the event concerns, who is not necessarily the caller.

    Use this function for rejected attempts, and `log_security_event_on_commit` for changes to the database.
    """
    fields = {"event": event.value, "member": member_id, **details}
    SECURITY_LOGGER.info(event.value, extra={"security": {name: value for name, value in fields.items() if value}})


def log_security_event_on_commit(
    session: Session, event: SecurityEvent, *, member_id: str | None = None, **details: Detail
) -> None:
    """Log an event when the transaction of the session is committed. If it is rolled back, nothing is logged."""

    def log(_session: Session) -> None:
        log_security_event(event, member_id=member_id, **details)

    sqlalchemy_event.listen(session, "after_commit", log, once=True)


class SecurityLogFormatter(logging.Formatter):
    """Formats a record of the security log as a line of JSON, which begins with the time in UTC (RFC 3339)."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = getattr(record, "security", {"event": record.getMessage()})
        return json.dumps({"time": moment.replace("+00:00", "Z"), **fields})


def write_security_log(stream: TextIO) -> None:
    """Write the security log of this process to a stream, unless the operator has configured the logger already."""
    if SECURITY_LOGGER.handlers:
        return
    handler = logging.StreamHandler(stream)
    handler.setFormatter(SecurityLogFormatter())
    SECURITY_LOGGER.addHandler(handler)
    SECURITY_LOGGER.setLevel(logging.INFO)
    SECURITY_LOGGER.propagate = False
