"""Errors raised for talks."""

from collections.abc import Mapping, Sequence

from eventcal.kit.errors import Conflict, DomainError, FieldError, Message, NotFound


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
    """A bulk change failed, and no talk was changed. `errors_by_talk` maps talk IDs to errors.

    `errors` refers to the talks by their positions in the list of talks.
    """

    code = "bulk-failed"
    title = Message("Bulk change failed")

    def __init__(self, errors_by_talk: Mapping[str, DomainError], *, errors: Sequence[FieldError]) -> None:
        detail = Message("Nothing was saved: some of these talks cannot be changed this way.")
        super().__init__(detail, errors=errors)
        self.errors_by_talk = dict(errors_by_talk)
