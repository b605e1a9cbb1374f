"""Errors raised for uploaded images."""

from eventcal.kit.errors import Invalid, Message, NotFound


class UnsupportedImage(Invalid):
    """The uploaded data is not a supported image."""

    code = "unreadable-picture"
    title = Message("Unsupported image")


class ImageNotFound(NotFound):
    """No image has this name."""

    def __init__(self) -> None:
        super().__init__(Message("Image not found."))
