"""Permission checks based on the caller."""

from eventcal.kit.errors import Forbidden, Message
from eventcal.members.caller import Caller
from eventcal.members.enums import Scope
from eventcal.members.errors import NotSignedIn


def check_organiser(caller: Caller, event_id: str) -> None:
    """Raise NotSignedIn or Forbidden unless the caller is allowed to manage this event."""
    detail = Message("Only the event's organisers may do this.")
    _check_permission(caller, detail, is_allowed=caller.can_organise(event_id))


def check_reviewer(caller: Caller, event_id: str) -> None:
    """Raise NotSignedIn or Forbidden unless the caller is allowed to see the submissions of this event."""
    detail = Message("Only the event's organisers and reviewers may see submissions.")
    _check_permission(caller, detail, is_allowed=caller.can_review(event_id))


def check_moderator(caller: Caller) -> None:
    """Raise NotSignedIn or Forbidden unless the caller is a moderator."""
    _check_permission(caller, Message("Only moderators may do this."), is_allowed=caller.is_moderator)


def grantable_scopes(caller: Caller) -> tuple[Scope, ...]:
    """Return the scopes that the caller is allowed to grant to an access token."""
    if caller.is_moderator:
        return tuple(Scope)
    return (
        (Scope.READ, Scope.SUBMIT, Scope.ORGANISE) if caller.is_team_member_or_moderator else (Scope.READ, Scope.SUBMIT)
    )


def _check_permission(caller: Caller, message: str, *, is_allowed: bool) -> None:
    if not caller.is_signed_in:
        raise NotSignedIn(Message("Sign in or send a token."))
    if not is_allowed:
        raise Forbidden(message)
