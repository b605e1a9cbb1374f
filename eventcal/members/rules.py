"""Who may do what: the only place that turns a caller's role into a no."""

from eventcal.kit.refusals import Forbidden, Sentence
from eventcal.members.caller import Caller
from eventcal.members.errors import NotSignedIn
from eventcal.members.words import Scope


def check_organiser(caller: Caller, event_id: str) -> None:
    """Refuse whoever does not decide for this event (NotSignedIn, Forbidden)."""
    _check_signed_in(caller)
    if not caller.may_organise(event_id):
        raise Forbidden(Sentence("Only this event's organisers may do this."))


def check_reviewer(caller: Caller, event_id: str) -> None:
    """Refuse whoever may not see what was submitted to this event (NotSignedIn, Forbidden)."""
    _check_signed_in(caller)
    if not caller.may_review(event_id):
        raise Forbidden(Sentence("Only this event's organisers and reviewers see what was submitted."))


def check_moderator(caller: Caller) -> None:
    """Refuse whoever does not moderate this site (NotSignedIn, Forbidden)."""
    _check_signed_in(caller)
    if not caller.moderates:
        raise Forbidden(Sentence("Only moderators may do this."))


def useful_scopes(caller: Caller) -> tuple[Scope, ...]:
    """Return the scopes of a token that this member has a use for: none reaches further than they do themselves."""
    if caller.moderates:
        return tuple(Scope)
    return (Scope.READ, Scope.SUBMIT, Scope.ORGANISE) if caller.has_duties else (Scope.READ, Scope.SUBMIT)


def _check_signed_in(caller: Caller) -> None:
    if not caller.signed_in:
        raise NotSignedIn(Sentence("Sign in first, or send a token."))
