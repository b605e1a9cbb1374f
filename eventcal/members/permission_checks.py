"""Permission checks. Each check raises NotSignedIn or Forbidden if the caller does not have the required permission."""

from eventcal.kit.errors import Forbidden, Message
from eventcal.members.caller import Caller
from eventcal.members.errors import NotSignedIn


def check_organiser(caller: Caller, event_id: str) -> None:
    """Raise NotSignedIn or Forbidden unless the caller is allowed to manage this event."""
    _check_access(caller, Message("Only the event's organisers may do this."), allowed=caller.can_organise(event_id))


def check_reviewer(caller: Caller, event_id: str) -> None:
    """Raise NotSignedIn or Forbidden unless the caller is allowed to see the submissions of this event."""
    detail = Message("Only the event's organisers and reviewers may see submissions.")
    _check_access(caller, detail, allowed=caller.can_review(event_id))


def check_moderator(caller: Caller) -> None:
    """Raise NotSignedIn or Forbidden unless the caller is a moderator."""
    _check_access(caller, Message("Only moderators may do this."), allowed=caller.is_moderator)


def check_admin(caller: Caller) -> None:
    """Raise NotSignedIn or Forbidden unless the caller is an administrator."""
    _check_access(caller, Message("Only administrators may do this."), allowed=caller.is_admin)


def _check_access(caller: Caller, message: str, *, allowed: bool) -> None:
    if not caller.is_signed_in:
        raise NotSignedIn(Message("Sign in or send a token."))
    if not allowed and caller.lacks_second_factor:
        raise Forbidden(
            Message("Set up an authenticator app at /me/security first. Moderators and administrators need it.")
        )
    if not allowed:
        raise Forbidden(message)
