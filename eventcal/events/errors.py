"""Errors raised for events."""

from eventcal.kit.errors import Conflict, Message, NotFound


class EventNotFound(NotFound):
    """No event has this slug, or the caller may not see the event."""

    def __init__(self, slug: str) -> None:
        super().__init__(Message("There is no event “%(slug)s” here.", slug=slug))


class EventPartNotFound(NotFound):
    """No track, room or team member has this id."""


class DuplicateName(Conflict):
    """The event already has a track, room or tier with this name."""

    code = "name-taken"
    title = Message("This name is taken")


class InvalidTransition(Conflict):
    """The state change is not allowed in the current state."""

    code = "forbidden-step"
    title = Message("No such step from here")


class CannotDeletePublished(Conflict):
    """Public events can be cancelled but not deleted."""

    code = "was-public"
    title = Message("Cancel it instead")


class InUse(Conflict):
    """The object cannot be deleted while other objects refer to it."""

    code = "in-use"
    title = Message("Still in use")


class LastOrganiser(Conflict):
    """The change would leave the event without an organiser."""

    code = "last-organiser"
    title = Message("The last organiser stays")


class EventEnded(Conflict):
    """The event has ended."""

    code = "event-over"
    title = Message("This event is over")
