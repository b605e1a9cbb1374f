"""Errors raised for speakers."""

from eventcal.kit.errors import Conflict, Message, NotFound


class SpeakerNotFound(NotFound):
    """No speaker has this slug, or the caller is not allowed to see the speaker."""

    def __init__(self, slug: str) -> None:
        super().__init__(Message("Speaker “%(slug)s” not found.", slug=slug))


class CannotMergeWithItself(Conflict):
    """The two speakers are identical, or one of them has already been merged."""

    code = "same-speaker"
    title = Message("Same speaker")
