"""Rules for invitations: how long they can be answered and are kept, and whether they can be answered."""

from datetime import datetime, timedelta

from eventcal.invitations.enums import InvitationState
from eventcal.invitations.errors import InvitationAnswered, InvitationExpired
from eventcal.kit.errors import Message

LIFETIME = timedelta(days=30)
# Until an expired invitation is deleted, its link explains that the invitation has expired.
RETENTION = timedelta(days=30)

EXPIRED = Message("This invitation has expired. Ask the organisers for a new one.")
_ALREADY = {
    InvitationState.ACCEPTED: Message("This invitation has already been accepted."),
    InvitationState.DECLINED: Message("This invitation has been declined. Ask the organisers for a new one."),
}


def check_can_answer(state: InvitationState, expires_at: datetime, *, now: datetime) -> None:
    """Raise InvitationAnswered or InvitationExpired unless the invitation can be accepted or declined."""
    if state in _ALREADY:
        raise InvitationAnswered(_ALREADY[state])
    if expires_at <= now:
        raise InvitationExpired(EXPIRED)
