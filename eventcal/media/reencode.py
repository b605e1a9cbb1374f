"""Re-encoding of uploaded images, which removes metadata such as the location. Equal input gives equal output."""

import threading
import warnings
from contextlib import suppress
from hashlib import sha256
from io import BytesIO

from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.Image import Resampling

from eventcal.kit.errors import Message
from eventcal.media.errors import UnsupportedImage
from eventcal.media.images import MAX_UPLOAD_BYTES, ImageSpec, Picture

MAX_PIXELS = 40_000_000
# The WebP decoder needs five times as much memory per pixel as the other decoders.
MAX_WEBP_PIXELS = 16_000_000
_OPAQUE = 255

# Turn Pillow's warning about large images, which is issued before decoding, into an error.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
# Warnings about malformed uploads are not useful in the log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# Decoding the largest image needs 300 MB of memory, so each process decodes only one image at a time.
_decode_lock = threading.Lock()


def reencode_picture(raw: bytes, spec: ImageSpec) -> Picture:
    """Decode an uploaded image, rotate it upright and scale it to the maximum size. Raises UnsupportedImage."""
    if len(raw) > MAX_UPLOAD_BYTES:
        limit = MAX_UPLOAD_BYTES // 1024**2
        raise UnsupportedImage(Message("The image is larger than %(number)s MiB. Upload a smaller one.", number=limit))
    try:
        with _decode_lock, Image.open(BytesIO(raw), formats=("PNG", "JPEG", "WEBP")) as image:
            return _reencode_image(image, spec)
    except UnsupportedImage:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_many_pixels_error(MAX_PIXELS) from error
    except UnidentifiedImageError as error:
        detail = Message("The file is not a PNG, JPEG or WebP image. Upload an image of one of these types.")
        raise UnsupportedImage(detail) from error
    except Exception as error:
        # Decoders raise many kinds of exceptions for malformed data.
        detail = Message("The image is damaged or incomplete. Save it again and upload the new file.")
        raise UnsupportedImage(detail) from error


def _too_many_pixels_error(limit: int) -> UnsupportedImage:
    count = limit // 1_000_000
    detail = Message("The image has more than %(number)s million pixels. Upload a smaller one.", number=count)
    return UnsupportedImage(detail)


def _reencode_image(image: Image.Image, spec: ImageSpec) -> Picture:
    most = MAX_WEBP_PIXELS if image.format == "WEBP" else MAX_PIXELS
    if image.width * image.height > most:
        raise _too_many_pixels_error(most)
    sideways = False
    # The EXIF data can be malformed. The orientations 5 to 8 swap width and height.
    with suppress(Exception):
        sideways = image.getexif().get(ExifTags.Base.Orientation) in {5, 6, 7, 8}
    profile = image.info.get("icc_profile")
    width, height = spec.value
    plain = _convert_to_scalable_mode(image)
    # For JPEG images, `thumbnail` also reduces the size at which the image is decoded.
    plain.thumbnail((height, width) if sideways else (width, height), Resampling.LANCZOS)
    with suppress(Exception):
        ImageOps.exif_transpose(plain, in_place=True)
    finished = _convert_to_srgb(plain, profile)
    if finished.mode == "RGBA" and finished.getchannel("A").getextrema()[0] == _OPAQUE:
        finished = finished.convert("RGB")
    out = BytesIO()
    # Logos are compressed losslessly, because lossy compression blurs text and flat colours.
    finished.save(out, "WEBP", lossless=spec is ImageSpec.LOGO, quality=85, method=6)
    body = out.getvalue()
    return Picture(body=body, width=finished.width, height=finished.height, digest=sha256(body).hexdigest())


def _convert_to_scalable_mode(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # For 16-bit greyscale images, `convert` would clip values above 255 to white, so the values are scaled first.
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"RGB", "RGBA", "CMYK", "L"} and not (image.mode != "RGBA" and image.has_transparency_data):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _convert_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert the image from its embedded colour profile to sRGB, which browsers assume by default."""
    wanted = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        # A malformed colour profile, or a colour profile for another colour space, is ignored.
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            given, ours = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            if (found := ImageCms.profileToProfile(image, given, ours, outputMode=wanted)) is not None:
                return found
    return image.convert(wanted)
