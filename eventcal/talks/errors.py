"""Errors raised for talks."""

from collections.abc import Mapping

from eventcal.kit.errors import Conflict, DomainError, Message, NotFound


class TalkNotFound(NotFound):
    """No talk has this id, or the caller may not see it."""

    def __init__(self, talk_id: str) -> None:
        super().__init__(Message("There is no talk “%(talk_id)s” here.", talk_id=talk_id))


class TalksClosed(Conflict):
    """The event does not accept talks at present."""

    code = "talks-closed"
    title = Message("No talks are taken now")


class AlreadyDecided(Conflict):
    """The talk has been decided on, so the submitter may no longer change it."""

    code = "already-decided"
    title = Message("Already decided on")


class BulkActionFailed(Conflict):
    """Some talks of a bulk change cannot be changed, so none was. `errors_by_talk` holds the errors by talk id."""

    def __init__(self, errors_by_talk: Mapping[str, DomainError]) -> None:
        super().__init__(Message("Some of these talks cannot be changed so; none is."))
        self.errors_by_talk = dict(errors_by_talk)
