"""Permission checks. Each check raises NotSignedIn or Forbidden if the caller does not have the required permission."""

from eventcal.kit.errors import Forbidden, Message
from eventcal.members.caller import Caller
from eventcal.members.enums import Scope
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


def grantable_scopes(caller: Caller) -> tuple[Scope, ...]:
    if caller.is_moderator:
        return tuple(Scope)
    organiser_scopes = (Scope.ORGANISE,) if caller.is_team_member_or_moderator else ()
    return (Scope.READ, Scope.SUBMIT, *organiser_scopes)


def _check_access(caller: Caller, message: str, *, allowed: bool) -> None:
    if not caller.is_signed_in:
        raise NotSignedIn(Message("Sign in or send a token."))
    if not allowed:
        raise Forbidden(message)
