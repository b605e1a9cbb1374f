"""Who may do what: the only place that turns a caller's role into a no."""

from eventcal.kit.refusals import Forbidden
from eventcal.members.caller import Caller


def check_organiser(caller: Caller, event_id: str) -> None:
    """Refuse whoever does not decide for this event (Forbidden)."""
    if not caller.may_organise(event_id):
        raise Forbidden("Only this event's organisers may do this.")


def check_moderator(caller: Caller) -> None:
    """Refuse whoever does not moderate this site (Forbidden)."""
    if not caller.moderates:
        raise Forbidden("Only moderators may do this.")
