"""The purposes and media types of images, and the result of re-encoding an image."""

from dataclasses import dataclass
from enum import Enum

MAX_UPLOAD_BYTES = 5 * 1024 * 1024
MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")
STORED_MEDIA_TYPE = "image/webp"


class ImageSpec(Enum):
    """The purpose of an image and its maximum size in pixels (width, height). Larger images are scaled down."""

    PORTRAIT = (512, 512)
    LOGO = (640, 320)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A re-encoded image. `digest` is the SHA-256 hash of the body in hexadecimal form."""

    body: bytes
    width: int
    height: int
    digest: str
