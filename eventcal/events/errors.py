"""What events refuse."""

from eventcal.kit.refusals import Conflict, NotFound, Sentence


class NoSuchEvent(NotFound):
    """No event by this slug, or none that the caller may know of."""

    def __init__(self, slug: str) -> None:
        super().__init__(Sentence("There is no event “%(slug)s” here.", slug=slug))


class NoSuchPart(NotFound):
    """No track, room or team member by this id."""


class NameTaken(Conflict):
    """A track, room or tier of this name is there already."""

    code = "name-taken"
    title = Sentence("This name is taken")


class ForbiddenStep(Conflict):
    """There is no such step from the state that the thing is in."""

    code = "forbidden-step"
    title = Sentence("No such step from here")


class WasPublic(Conflict):
    """What the public has seen is cancelled, not deleted."""

    code = "was-public"
    title = Sentence("Cancel it instead")


class InUse(Conflict):
    """Something else still needs it."""

    code = "in-use"
    title = Sentence("Still in use")


class LastOrganiser(Conflict):
    """An event is never left without somebody to decide."""

    code = "last-organiser"
    title = Sentence("The last organiser stays")


class EventOver(Conflict):
    """The event's last day is past."""

    code = "event-over"
    title = Sentence("This event is over")
