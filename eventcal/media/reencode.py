"""Re-encoding of uploaded images, which removes metadata such as the location. Equal input gives equal output."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import BytesIO

from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.Image import Resampling

from eventcal.kit.errors import Message
from eventcal.media.errors import UnsupportedImage
from eventcal.media.images import MAX_UPLOAD_BYTES, ImageSpec, Picture

MAX_PIXELS = 16_000_000
_OPAQUE = 255

# Turn Pillow's warning about large images, which is issued before decoding, into an error.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
# Warnings about malformed uploads are not useful in the log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def count_pixels(raw: bytes) -> int:
    """Return the number of pixels of an uploaded image without decoding it. Raises UnsupportedImage."""
    with _open_image(raw) as image:
        return image.width * image.height


def reencode_picture(raw: bytes, spec: ImageSpec) -> Picture:
    """Decode an uploaded image, rotate it upright and scale it to the maximum size. Raises UnsupportedImage."""
    with _open_image(raw) as image:
        return _reencode_image(image, spec)


@contextmanager
def _open_image(raw: bytes) -> Iterator[Image.Image]:
    """Open an image, which is decoded when its pixels are used. Raises UnsupportedImage, also for later errors."""
    if len(raw) > MAX_UPLOAD_BYTES:
        limit = MAX_UPLOAD_BYTES // 1024**2
        raise UnsupportedImage(Message("The image is larger than %(number)s MiB. Upload a smaller one.", number=limit))
    try:
        with Image.open(BytesIO(raw), formats=("PNG", "JPEG", "WEBP")) as image:
            yield image
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        count = MAX_PIXELS // 1_000_000
        detail = Message("The image has more than %(number)s million pixels. Upload a smaller one.", number=count)
        raise UnsupportedImage(detail) from error
    except UnidentifiedImageError as error:
        detail = Message("The file is not a PNG, JPEG or WebP image. Upload an image of one of these types.")
        raise UnsupportedImage(detail) from error
    except Exception as error:
        # Decoders raise many kinds of exceptions for malformed data.
        detail = Message("The image is damaged or incomplete. Save it again and upload the new file.")
        raise UnsupportedImage(detail) from error


def _reencode_image(image: Image.Image, spec: ImageSpec) -> Picture:
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
