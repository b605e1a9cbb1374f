"""Whether a form was made of an event as it still is."""

from flask import request

from eventcal.events.models import Event
from eventcal.kit.refusals import Sentence, Stale


def check_unchanged(event: Event) -> None:
    """Refuse the form that was sent if the event it was made of has changed since (Stale)."""
    if request.form.get("revision") != str(event.revision):
        raise Stale(Sentence("Somebody else changed this event meanwhile."))
