"""Who may do what: the only place that turns a caller's role into a no."""

from eventcal.kit.refusals import Forbidden, Sentence
from eventcal.members.caller import Caller
from eventcal.members.errors import NotSignedIn
from eventcal.members.words import Scope


def check_organiser(caller: Caller, event_id: str) -> None:
    """Refuse whoever does not decide for this event (NotSignedIn, Forbidden)."""
    _check(caller, Sentence("Only this event's organisers may do this."), may=caller.may_organise(event_id))


def check_reviewer(caller: Caller, event_id: str) -> None:
    """Refuse whoever may not see what was submitted to this event (NotSignedIn, Forbidden)."""
    refused = Sentence("Only this event's organisers and reviewers see what was submitted.")
    _check(caller, refused, may=caller.may_review(event_id))


def check_moderator(caller: Caller) -> None:
    """Refuse whoever does not moderate this site (NotSignedIn, Forbidden)."""
    _check(caller, Sentence("Only moderators may do this."), may=caller.moderates)


def useful_scopes(caller: Caller) -> tuple[Scope, ...]:
    """Return the scopes of a token that this member has a use for: none reaches further than they do themselves."""
    if caller.moderates:
        return tuple(Scope)
    return (Scope.READ, Scope.SUBMIT, Scope.ORGANISE) if caller.has_duties else (Scope.READ, Scope.SUBMIT)


def _check(caller: Caller, refused: str, *, may: bool) -> None:
    if not caller.signed_in:
        raise NotSignedIn(Sentence("Sign in first, or send a token."))
    if not may:
        raise Forbidden(refused)
