"""Errors of uploaded pictures."""

from eventcal.kit.refusals import Invalid, NotFound, Sentence


class UnreadablePicture(Invalid):
    """The uploaded data is not a supported picture. The detail says what to upload instead."""

    code = "unreadable-picture"
    title = Sentence("Not a picture that can be taken")


class NoSuchPicture(NotFound):
    """No picture has this name."""

    def __init__(self) -> None:
        super().__init__(Sentence("There is no such picture here."))
