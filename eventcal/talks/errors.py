"""What talks refuse."""

from collections.abc import Mapping

from eventcal.kit.refusals import Conflict, NotFound, Refusal, Sentence


class NoSuchTalk(NotFound):
    """No talk by this id, or none that the caller may know of."""

    def __init__(self, talk_id: str) -> None:
        super().__init__(Sentence("There is no talk “%(talk_id)s” here.", talk_id=talk_id))


class TalksClosed(Conflict):
    """The event takes no talks at this moment."""

    code = "talks-closed"
    title = Sentence("No talks are taken now")


class AlreadyDecided(Conflict):
    """The submitter's own changes end with the decision."""

    code = "already-decided"
    title = Sentence("Already decided on")


class SomeRefused(Conflict):
    """Of several talks that were to be changed at once, some cannot be, and so none is; `refused` says why, by id."""

    def __init__(self, refused: Mapping[str, Refusal]) -> None:
        super().__init__(Sentence("Some of these talks cannot be changed so; none is."))
        self.refused = dict(refused)
