"""What speakers refuse."""

from eventcal.kit.refusals import Conflict, NotFound, Sentence


class NoSuchSpeaker(NotFound):
    """No speaker by this slug, or none that the caller may know of."""

    def __init__(self, slug: str) -> None:
        super().__init__(Sentence("There is no speaker “%(slug)s” here.", slug=slug))


class SameSpeaker(Conflict):
    """A speaker cannot be merged into themselves."""

    code = "same-speaker"
    title = Sentence("One and the same")
