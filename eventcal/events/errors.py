"""Errors raised for events."""

from eventcal.kit.refusals import Conflict, NotFound, Sentence


class NoSuchEvent(NotFound):
    """No event has this slug, or the caller may not see it."""

    def __init__(self, slug: str) -> None:
        super().__init__(Sentence("There is no event “%(slug)s” here.", slug=slug))


class NoSuchPart(NotFound):
    """No track, room or team member has this id."""


class NameTaken(Conflict):
    """The event already has a track, room or tier with this name."""

    code = "name-taken"
    title = Sentence("This name is taken")


class ForbiddenStep(Conflict):
    """The step is not allowed in the current state."""

    code = "forbidden-step"
    title = Sentence("No such step from here")


class WasPublic(Conflict):
    """An event that is public can only be cancelled, not deleted."""

    code = "was-public"
    title = Sentence("Cancel it instead")


class InUse(Conflict):
    """The object cannot be deleted while other objects refer to it."""

    code = "in-use"
    title = Sentence("Still in use")


class LastOrganiser(Conflict):
    """The event would have no organiser."""

    code = "last-organiser"
    title = Sentence("The last organiser stays")


class EventOver(Conflict):
    """The event has ended."""

    code = "event-over"
    title = Sentence("This event is over")
