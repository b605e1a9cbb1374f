"""State changes of events: allowed actions and their effects."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from eventcal.events.enums import ACTIVE_STATUSES, PUBLIC_STATUSES, EventStatus
from eventcal.events.errors import InvalidTransition
from eventcal.events.fields import Location
from eventcal.events.models import Event, EventPart
from eventcal.events.rules import recompute_event_columns
from eventcal.kit.database import truncate_log_after_commit
from eventcal.kit.errors import Message, Transition
from eventcal.kit.ids import new_id
from eventcal.members.caller import Caller
from eventcal.members.permission_checks import check_moderator
from eventcal.members.security_log import SecurityEvent, log_security_event_on_commit
from eventcal.members.service import delete_idempotency_records
from eventcal.outbox.service import erase_mail_about_event

LOCATION_COLUMNS = tuple(Location.__annotations__)
REDACTED_TEXT = "[removed]"


class EventAction(StrEnum):
    """The actions on an event. The enum values are used in URLs."""

    PUBLISH = "publish"
    CANCEL = "cancel"
    DELETE = "delete"
    REDACT = "redact"


EVENT_TRANSITIONS: Mapping[EventAction, Transition[EventStatus | None]] = {
    EventAction.PUBLISH: Transition(frozenset({EventStatus.PENDING}), EventStatus.CONFIRMED),
    EventAction.CANCEL: Transition(frozenset(ACTIVE_STATUSES), EventStatus.CANCELLED),
    EventAction.DELETE: Transition(frozenset(EventStatus) - frozenset(PUBLIC_STATUSES), None),
    EventAction.REDACT: Transition(frozenset(EventStatus), None),
}
MODERATOR_ACTIONS = frozenset({EventAction.PUBLISH, EventAction.REDACT})


def allowed_event_actions(event: Event, caller: Caller) -> tuple[EventAction, ...]:
    return tuple(
        step
        for step, transition in EVENT_TRANSITIONS.items()
        if event.status in transition.sources
        and (caller.is_moderator or step not in MODERATOR_ACTIONS)
        and not (step == EventAction.REDACT and event.redacted_at is not None)
    )


def apply_transition(event: Event, action: EventAction, *, now: datetime) -> None:
    """Apply the effects of an action, but do not flush the session. The event does not have to belong to a session."""
    target = EVENT_TRANSITIONS[action].target
    if target is not None:
        event.status = target
    elif action == EventAction.REDACT:
        event.title, event.tags, event.recurrence_overrides = REDACTED_TEXT, [], {}
        for name in ("summary", "description", "online_url", "url", "registration_url", "series", *LOCATION_COLUMNS):
            setattr(event, name, None)
        if event.call is not None:
            event.call.note = None
        event.redacted_at = now
        event.status = EventStatus.CANCELLED if event.status in PUBLIC_STATUSES else EventStatus.DRAFT
    recompute_event_columns(event, now=now)


def publish_event(session: Session, event: Event, *, caller: Caller) -> Event:
    """Publish a pending event. Raises NotSignedIn, Forbidden or InvalidTransition."""
    check_moderator(caller)
    detail = Message("This event is %(status)s. Only a pending event can be published.", status=event.status.label)
    EVENT_TRANSITIONS[EventAction.PUBLISH].check(event.status, InvalidTransition(detail))
    event.status = EventStatus.CONFIRMED
    session.flush()
    log_security_event_on_commit(session, SecurityEvent.EVENT_PUBLISHED, calendar_event=event.slug)
    return event


def cancel_event(session: Session, event: Event, *, now: datetime) -> Event:
    """Cancel a public event permanently. Raises InvalidTransition."""
    words = {"status": event.status.label}
    detail = Message(
        "This event is %(status)s. Only a tentative, confirmed or postponed event can be cancelled.", **words
    )
    EVENT_TRANSITIONS[EventAction.CANCEL].check(event.status, InvalidTransition(detail))
    apply_transition(event, EventAction.CANCEL, now=now)
    session.flush()
    return event


def redact_event(session: Session, event: Event, *, caller: Caller, now: datetime) -> Event:
    """Redact an event with its tracks and rooms. A public event is also cancelled. Raises NotSignedIn or Forbidden."""
    check_moderator(caller)
    apply_transition(event, EventAction.REDACT, now=now)
    number_part_names(session, event.tracks)
    number_part_names(session, event.rooms)
    delete_idempotency_records(session, f'"slug":"{event.slug}"')
    erase_mail_about_event(session, event.id)
    truncate_log_after_commit(session)
    session.flush()
    log_security_event_on_commit(session, SecurityEvent.REDACTED, calendar_event=event.slug)
    return event


def number_part_names(session: Session, parts: Sequence[EventPart]) -> None:
    """Replace the names of tracks, rooms or sponsorship tiers with numbered placeholders, and flush the session."""
    for part in parts:
        # Use temporary names first, because another part of the event can still have the final name.
        part.name = f"{REDACTED_TEXT} {new_id()}"
    session.flush()
    for position, part in enumerate(parts, start=1):
        part.name = f"{REDACTED_TEXT} {position}"
    session.flush()
