"""The steps of an event that are no edits: who may take which, and what the event is afterwards."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from eventcal.events.derive import derive_event
from eventcal.events.models import Event
from eventcal.events.words import PUBLIC_STATUSES, STANDING_STATUSES, EventStatus
from eventcal.kit.refusals import Transition
from eventcal.members.caller import Caller

PLACE = ("venue", "address", "city", "region", "country", "latitude", "longitude")
"""Where an event is, by column."""

REDACTED = "[removed]"
"""What stands in the place of a text that a moderator blanked."""


class EventStep(StrEnum):
    """What can be done to an event as a whole; the word is the one in the URL."""

    PUBLISH = "publish"
    CANCEL = "cancel"
    DELETE = "delete"
    REDACT = "redact"


STEPS: Mapping[EventStep, Transition[EventStatus | None]] = {
    EventStep.PUBLISH: Transition(frozenset({EventStatus.PENDING}), EventStatus.CONFIRMED),
    EventStep.CANCEL: Transition(frozenset(STANDING_STATUSES), EventStatus.CANCELLED),
    EventStep.DELETE: Transition(frozenset(EventStatus) - frozenset(PUBLIC_STATUSES), None),
    EventStep.REDACT: Transition(frozenset(EventStatus), None),
}
MODERATORS_STEPS = frozenset({EventStep.PUBLISH, EventStep.REDACT})


def open_steps(event: Event, caller: Caller) -> tuple[EventStep, ...]:
    """Return the steps that somebody who decides for the event may take now."""
    return tuple(
        step
        for step, transition in STEPS.items()
        if event.status in transition.sources
        and (caller.moderates or step not in MODERATORS_STEPS)
        and not (step == EventStep.REDACT and event.redacted_at is not None)
    )


def become(event: Event, step: EventStep, *, now: datetime) -> None:
    """Make an event what it is after a step that it may take; an event that no session holds, nobody else sees."""
    target = STEPS[step].target
    if target is not None:
        event.status = target
    elif step == EventStep.REDACT:
        _blank(event)
        event.redacted_at = now
        event.status = EventStatus.CANCELLED if event.status in PUBLIC_STATUSES else EventStatus.DRAFT
    derive_event(event, now=now)


def _blank(event: Event) -> None:
    event.title = REDACTED
    for name in ("summary", "description", "online_url", "url", "registration_url", "series", *PLACE):
        setattr(event, name, None)
    event.tags = []
    event.recurrence_overrides = {}
    if event.call is not None:
        event.call.note = None
