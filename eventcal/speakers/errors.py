"""Errors raised for speakers."""

from eventcal.kit.errors import Conflict, Message, NotFound


class SpeakerNotFound(NotFound):
    """No speaker has this slug, or the caller may not see them."""

    def __init__(self, slug: str) -> None:
        super().__init__(Message("There is no speaker “%(slug)s” here.", slug=slug))


class CannotMergeWithItself(Conflict):
    """The speakers to merge are the same, or one of them was merged before."""

    code = "same-speaker"
    title = Message("One and the same")
