"""What talks refuse."""

from eventcal.kit.refusals import Conflict, NotFound


class NoSuchTalk(NotFound):
    """No talk by this id, or none that the caller may know of."""

    def __init__(self, talk_id: str) -> None:
        super().__init__(f"There is no talk “{talk_id}” here.")


class TalksClosed(Conflict):
    """The event takes no talks at this moment."""

    code = "talks-closed"
    title = "No talks are taken now"


class AlreadyDecided(Conflict):
    """The submitter's own changes end with the decision."""

    code = "already-decided"
    title = "Already decided on"
