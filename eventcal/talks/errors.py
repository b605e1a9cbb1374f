"""Errors raised for talks."""

from collections.abc import Mapping

from eventcal.kit.errors import Conflict, DomainError, Message, NotFound


class TalkNotFound(NotFound):
    """No talk has this ID, or the caller is not allowed to see the talk."""

    def __init__(self, talk_id: str) -> None:
        super().__init__(Message("Talk “%(talk_id)s” not found.", talk_id=talk_id))


class TalksClosed(Conflict):
    """The event does not currently accept talks."""

    code = "talks-closed"
    title = Message("Submissions closed")


class AlreadyDecided(Conflict):
    """The submitter is not allowed to change the talk after a decision has been made."""

    code = "already-decided"
    title = Message("Already decided")


class BulkActionFailed(Conflict):
    """A bulk change failed, and no talk was changed. `errors_by_talk` maps talk IDs to errors."""

    def __init__(self, errors_by_talk: Mapping[str, DomainError]) -> None:
        super().__init__(Message("Nothing was saved: some of these talks cannot be changed this way."))
        self.errors_by_talk = dict(errors_by_talk)
