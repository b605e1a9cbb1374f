"""What pictures refuse."""

from eventcal.kit.refusals import Invalid, NotFound, Sentence


class UnreadablePicture(Invalid):
    """What was sent is no picture that can be shown; the detail says what to send instead."""

    code = "unreadable-picture"
    title = Sentence("Not a picture that can be taken")


class NoSuchPicture(NotFound):
    """No picture by this name."""

    def __init__(self) -> None:
        super().__init__(Sentence("There is no such picture here."))
