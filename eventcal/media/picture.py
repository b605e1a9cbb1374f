"""A picture made anew: strangers' bytes in, bytes of our own out, or a refusal. Nothing here touches a file.

What is written holds pixels and nothing else: where a portrait was taken, with which camera, and whatever was hidden
behind the picture stay behind. The same bytes give the same picture.
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

from eventcal.kit.refusals import Sentence
from eventcal.media.errors import UnreadablePicture

# The most bytes that a picture may have when it comes.
LARGEST_UPLOAD = 5 * 1024 * 1024
MOST_PIXELS = 40_000_000
# Its decoder takes five times the memory for each.
MOST_PIXELS_OF_WEBP = 16_000_000
# What is read, and what is written.
MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")
SERVED_AS = "image/webp"

_FORMATS = ("PNG", "JPEG", "WEBP")
# Of EXIF; pictures with these orientations lie on their side.
_ORIENTATION = 0x0112
_SIDEWAYS = frozenset({5, 6, 7, 8})
_OPAQUE = 255

# Pillow looks at the size before it decodes; what it only warns of is refused as well.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
# What is odd about a stranger's picture is no line in our log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# The largest takes 300 MB while it is decoded: in one process, no two at once.
_one_at_a_time = threading.Lock()


class Frame(Enum):
    """What a picture is for, and with it the width and height that it is scaled down to."""

    PORTRAIT = (512, 512)
    LOGO = (640, 320)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A finished picture; `digest` is the SHA-256 of its bytes, in hex."""

    body: bytes
    media_type: str
    width: int
    height: int
    digest: str


def read_picture(raw: bytes, frame: Frame) -> Picture:
    """Return the picture that was sent, upright and no larger than its frame. Raises UnreadablePicture."""
    if len(raw) > LARGEST_UPLOAD:
        raise UnreadablePicture(
            Sentence("The picture has more than %(number)s MiB; send a smaller one.", number=LARGEST_UPLOAD // 1024**2)
        )
    try:
        with _one_at_a_time, Image.open(BytesIO(raw), formats=_FORMATS) as image:
            return _made_anew(image, frame)
    except UnreadablePicture:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_many_pixels(MOST_PIXELS) from error
    except UnidentifiedImageError as error:
        detail = Sentence("This is no PNG, JPEG or WebP; send a picture of one of these types.")
        raise UnreadablePicture(detail) from error
    except Exception as error:
        # A decoder that meets bytes made by a stranger raises whatever it stumbles over.
        detail = Sentence("The picture is damaged or incomplete; save it anew, and send that.")
        raise UnreadablePicture(detail) from error


def _too_many_pixels(most: int) -> UnreadablePicture:
    return UnreadablePicture(
        Sentence(
            "The picture has more than %(number)s million pixels; scale it down, and send that.",
            number=most // 1_000_000,
        )
    )


def _made_anew(image: Image.Image, frame: Frame) -> Picture:
    most = MOST_PIXELS_OF_WEBP if image.format == "WEBP" else MOST_PIXELS
    if image.width * image.height > most:
        raise _too_many_pixels(most)
    sideways = False
    # What the camera noted may be unreadable.
    with suppress(Exception):
        sideways = image.getexif().get(_ORIENTATION) in _SIDEWAYS
    profile = image.info.get("icc_profile")
    width, height = frame.value
    plain = _plain(image)
    # A JPEG is decoded no larger than this needs.
    plain.thumbnail((height, width) if sideways else (width, height), Resampling.LANCZOS)
    with suppress(Exception):
        ImageOps.exif_transpose(plain, in_place=True)
    finished = _in_srgb(plain, profile)
    if finished.mode == "RGBA" and finished.getchannel("A").getextrema()[0] == _OPAQUE:
        finished = finished.convert("RGB")
    out = BytesIO()
    # Letters and flat colours of a logo stay sharp only without loss.
    finished.save(out, "WEBP", lossless=frame is Frame.LOGO, quality=85, method=6)
    body = out.getvalue()
    return Picture(
        body=body, media_type=SERVED_AS, width=finished.width, height=finished.height, digest=sha256(body).hexdigest()
    )


def _plain(image: Image.Image) -> Image.Image:
    """Return the picture in a mode that can be scaled: no palette, no more than eight bits a channel."""
    if image.mode.startswith("I"):
        # Sixteen bits of grey; converted as they are, all but the darkest would be white.
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"RGB", "RGBA", "CMYK", "L"} and not (image.mode != "RGBA" and image.has_transparency_data):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the picture in the colours that a browser takes it to be in, by the profile that came with it."""
    wanted = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        # A profile that is broken, or of other colours than the picture, says nothing.
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            given, ours = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            found = ImageCms.profileToProfile(image, given, ours, outputMode=wanted)
            if found is not None:
                return found
    return image.convert(wanted)
