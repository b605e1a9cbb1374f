"""Errors raised for invitations."""

from eventcal.kit.errors import Conflict, Gone, Message, NotFound


class InvitationNotFound(NotFound):
    """No invitation has this ID or token, or the invitation is for another email address."""

    def __init__(self) -> None:
        super().__init__(Message("Invitation not found. It may have been withdrawn, or replaced by a newer one."))


class InvitationAnswered(Conflict):
    """The invitation has been accepted or declined already."""

    code = "invitation-answered"
    title = Message("Invitation already answered")


class InvitationExpired(Gone):
    """The invitation has expired."""

    code = "invitation-expired"
    title = Message("Invitation expired")
