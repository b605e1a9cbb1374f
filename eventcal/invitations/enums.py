"""Enumerations of the kinds and states of invitations."""

from enum import StrEnum


class InvitationKind(StrEnum):
    """The kind of role that an invited person is asked to take on."""

    TEAM = "team"


class InvitationState(StrEnum):
    """The state of an invitation. An expired invitation remains `open`."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
