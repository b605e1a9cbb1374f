"""Re-encoding of uploaded pictures, in memory.

The result contains pixels only. Metadata such as the location or the camera, and any appended data, is removed. The
same input always gives the same output.
"""

import threading
import warnings
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from io import BytesIO

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.Image import Resampling

from eventcal.kit.refusals import Message
from eventcal.media.errors import UnsupportedImage

# The largest upload, in bytes.
LARGEST_UPLOAD = 5 * 1024 * 1024
MOST_PIXELS = 40_000_000
# The WebP decoder needs five times the memory per pixel.
MOST_PIXELS_OF_WEBP = 16_000_000
# The accepted media types, and the media type of stored pictures.
MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")
SERVED_AS = "image/webp"

_FORMATS = ("PNG", "JPEG", "WEBP")
# The EXIF orientation tag, and the orientations that swap width and height.
_ORIENTATION = 0x0112
_SIDEWAYS = frozenset({5, 6, 7, 8})
_OPAQUE = 255

# Pillow checks the size before decoding. Its warning for large pictures is turned into an error.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
# Warnings about malformed uploads would only clutter the log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# Decoding the largest picture takes 300 MB, so a process decodes only one at a time.
_one_at_a_time = threading.Lock()


class ImageSpec(Enum):
    """The use of a picture, with the largest width and height; larger pictures are scaled down."""

    PORTRAIT = (512, 512)
    LOGO = (640, 320)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A re-encoded picture. `digest` is the SHA-256 hash of its body, in hex."""

    body: bytes
    media_type: str
    width: int
    height: int
    digest: str


def read_picture(raw: bytes, frame: ImageSpec) -> Picture:
    """Decode an uploaded picture, rotate it upright and scale it to its frame. Raises UnsupportedImage."""
    if len(raw) > LARGEST_UPLOAD:
        raise UnsupportedImage(
            Message("The picture has more than %(number)s MiB; send a smaller one.", number=LARGEST_UPLOAD // 1024**2)
        )
    try:
        with _one_at_a_time, Image.open(BytesIO(raw), formats=_FORMATS) as image:
            return _made_anew(image, frame)
    except UnsupportedImage:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_many_pixels(MOST_PIXELS) from error
    except UnidentifiedImageError as error:
        detail = Message("This is no PNG, JPEG or WebP; send a picture of one of these types.")
        raise UnsupportedImage(detail) from error
    except Exception as error:
        # Decoders raise many kinds of exceptions for malformed data.
        detail = Message("The picture is damaged or incomplete; save it anew, and send that.")
        raise UnsupportedImage(detail) from error


def _too_many_pixels(most: int) -> UnsupportedImage:
    return UnsupportedImage(
        Message(
            "The picture has more than %(number)s million pixels; scale it down, and send that.",
            number=most // 1_000_000,
        )
    )


def _made_anew(image: Image.Image, frame: ImageSpec) -> Picture:
    most = MOST_PIXELS_OF_WEBP if image.format == "WEBP" else MOST_PIXELS
    if image.width * image.height > most:
        raise _too_many_pixels(most)
    sideways = False
    # The EXIF data may be malformed.
    with suppress(Exception):
        sideways = image.getexif().get(_ORIENTATION) in _SIDEWAYS
    profile = image.info.get("icc_profile")
    width, height = frame.value
    plain = _plain(image)
    # For a JPEG, this also reduces the size at which it is decoded.
    plain.thumbnail((height, width) if sideways else (width, height), Resampling.LANCZOS)
    with suppress(Exception):
        ImageOps.exif_transpose(plain, in_place=True)
    finished = _in_srgb(plain, profile)
    if finished.mode == "RGBA" and finished.getchannel("A").getextrema()[0] == _OPAQUE:
        finished = finished.convert("RGB")
    out = BytesIO()
    # Lossless, because text and flat colours in logos would blur.
    finished.save(out, "WEBP", lossless=frame is ImageSpec.LOGO, quality=85, method=6)
    body = out.getvalue()
    return Picture(
        body=body, media_type=SERVED_AS, width=finished.width, height=finished.height, digest=sha256(body).hexdigest()
    )


def _plain(image: Image.Image) -> Image.Image:
    """Return the picture in a mode that can be scaled: without a palette, with at most eight bits per channel."""
    if image.mode.startswith("I"):
        # 16-bit greyscale. `convert` would clip values above 255 to white, so they are scaled first.
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"RGB", "RGBA", "CMYK", "L"} and not (image.mode != "RGBA" and image.has_transparency_data):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert the picture from its embedded colour profile, if any, to sRGB, which browsers assume."""
    wanted = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        # A malformed profile, or one for another colour space, is ignored.
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            given, ours = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            found = ImageCms.profileToProfile(image, given, ours, outputMode=wanted)
            if found is not None:
                return found
    return image.convert(wanted)
