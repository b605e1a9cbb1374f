"""Errors raised for events."""

from eventcal.kit.errors import Conflict, Message, NotFound


class EventNotFound(NotFound):
    """No event has this slug, or the caller is not allowed to see the event."""

    def __init__(self, slug: str) -> None:
        super().__init__(Message("Event “%(slug)s” not found.", slug=slug))


class EventPartNotFound(NotFound):
    """No track, room or team member has this ID."""


class DuplicateName(Conflict):
    """The event already has a track, room or sponsorship tier with this name."""

    code = "name-taken"
    title = Message("Duplicate name")


class InvalidTransition(Conflict):
    """The state change is not allowed in the current state."""

    code = "forbidden-step"
    title = Message("Not allowed in this state")


class CannotDeletePublished(Conflict):
    """Public events can be cancelled but not deleted."""

    code = "was-public"
    title = Message("Already published")


class InUse(Conflict):
    """The object cannot be deleted while other objects refer to it."""

    code = "in-use"
    title = Message("In use")


class LastOrganiser(Conflict):
    """The change would leave the event without an organiser."""

    code = "last-organiser"
    title = Message("Last organiser cannot be removed")


class EventEnded(Conflict):
    """The event has ended."""

    code = "event-over"
    title = Message("Event has ended")
