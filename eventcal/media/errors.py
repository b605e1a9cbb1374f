"""Errors of uploaded pictures."""

from eventcal.kit.errors import Invalid, Message, NotFound


class UnsupportedImage(Invalid):
    """The uploaded data is not a supported picture. The detail says what to upload instead."""

    code = "unreadable-picture"
    title = Message("Not a picture that can be taken")


class ImageNotFound(NotFound):
    """No picture has this name."""

    def __init__(self) -> None:
        super().__init__(Message("There is no such picture here."))
