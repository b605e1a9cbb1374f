"""Errors raised for uploaded images."""

from eventcal.kit.errors import Invalid, Message, NotFound


class UnsupportedImage(Invalid):
    """The uploaded data is not a supported image."""

    code = "unreadable-picture"
    title = Message("Not a picture that can be taken")


class ImageNotFound(NotFound):
    """No image has this name."""

    def __init__(self) -> None:
        super().__init__(Message("There is no such picture here."))
