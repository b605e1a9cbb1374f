"""The kinds of email."""

from enum import StrEnum


class MailKind(StrEnum):
    """The kind of an email, which is also the name of its template."""

    CONFIRM = "confirm"
    RESET = "reset"
    EXISTS = "exists"
    FACTORS = "factors"
    CHANGED = "changed"
    GUESSING = "guessing"
    ADDRESS = "address"
    MOVING = "moving"
    INVITATION = "invitation"
    DECISION = "decision"

    @property
    def has_hourly_limit(self) -> bool:
        """Whether the number of emails per recipient is limited, because anybody can cause them to be sent.

        Only organisers send decisions, and only to the confirmed addresses of members who have submitted talks.
        """
        return self is not MailKind.DECISION
