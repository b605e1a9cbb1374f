"""Uploaded pictures are re-encoded so that only pixels remain. Other files are rejected with advice."""

import random
import tracemalloc
from contextlib import suppress
from io import BytesIO

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from eventcal.media.errors import UnsupportedImage
from eventcal.media.images import MAX_UPLOAD_BYTES, ImageSpec, Picture
from eventcal.media.reencode import count_pixels, reencode_picture
from tests.images import (
    BLUE,
    RED,
    decode_image,
    encode_image,
    make_image,
    make_noise_image,
    make_png_text_bomb,
    make_png_without_pixels,
    make_swapped_colour_profile,
    make_two_colour_image,
)

GPS_TAGS = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}


def upload_error(raw: bytes) -> str:
    """Return the error message for a rejected upload."""
    with pytest.raises(UnsupportedImage) as refusal:
        reencode_picture(raw, ImageSpec.PORTRAIT)
    return refusal.value.detail


def get_pixel(picture: Picture, x: int = 5, y: int = 5) -> tuple[int, ...]:
    found = decode_image(picture.body).getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(one) for one in found)


def is_similar_colour(seen: tuple[int, ...], meant: tuple[int, ...], *, by: int = 12) -> bool:
    return len(seen) == len(meant) and all(abs(a - b) <= by for a, b in zip(seen, meant, strict=True))


def webp_chunk_types(webp: bytes) -> list[bytes]:
    """Return the chunk types of a WebP file."""
    found, at = [], 12
    while at < len(webp):
        size = int.from_bytes(webp[at + 4 : at + 8], "little")
        found.append(webp[at : at + 4])
        at += 8 + size + size % 2
    return found


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_every_accepted_format_is_converted_to_webp(form: str) -> None:
    picture = reencode_picture(make_image(form=form), ImageSpec.PORTRAIT)
    assert (picture.width, picture.height) == (64, 48)
    assert decode_image(picture.body).format == "WEBP"
    assert is_similar_colour(get_pixel(picture), RED)


def test_identical_bytes_give_an_identical_picture_and_digest() -> None:
    first, again = (reencode_picture(make_noise_image((700, 700)), ImageSpec.PORTRAIT).digest for _ in range(2))
    raw = make_noise_image((300, 200))
    assert reencode_picture(raw, ImageSpec.LOGO) == reencode_picture(raw, ImageSpec.LOGO)
    assert first != again
    assert reencode_picture(raw, ImageSpec.LOGO).digest != reencode_picture(raw, ImageSpec.PORTRAIT).digest


@pytest.mark.parametrize(
    ("frame", "size", "fits"),
    [
        (ImageSpec.PORTRAIT, (2000, 1000), (512, 256)),
        (ImageSpec.PORTRAIT, (1000, 2000), (256, 512)),
        (ImageSpec.PORTRAIT, (100, 80), (100, 80)),
        (ImageSpec.PORTRAIT, (1, 1), (1, 1)),
        (ImageSpec.PORTRAIT, (20_000, 3), (512, 1)),
        (ImageSpec.LOGO, (2000, 1000), (640, 320)),
        (ImageSpec.LOGO, (1000, 1000), (320, 320)),
        (ImageSpec.LOGO, (640, 320), (640, 320)),
    ],
)
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_picture_is_scaled_down_to_its_frame_but_never_up(
    frame: ImageSpec, size: tuple[int, int], fits: tuple[int, int], form: str
) -> None:
    picture = reencode_picture(make_image(size, form=form), frame)
    assert (picture.width, picture.height) == decode_image(picture.body).size == fits


# Removed data


def test_camera_metadata_is_removed() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x8769], exif[0x8825] = "A camera", {0x9286: "a comment"}, GPS_TAGS
    notes = PngInfo()
    notes.add_text("Author", "somebody")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for raw in (
        make_image(form="JPEG", exif=exif, icc_profile=profile, comment=b"secret", xmp=b"<x:xmpmeta/>"),
        make_image(form="PNG", exif=exif, icc_profile=profile, pnginfo=notes),
        make_image(form="WEBP", exif=exif, icc_profile=profile, xmp=b"<x:xmpmeta/>"),
    ):
        assert decode_image(raw).getexif()[0x010F] == "A camera"
        for frame in ImageSpec:
            body = reencode_picture(raw, frame).body
            assert set(webp_chunk_types(body)) <= {b"VP8 ", b"VP8L"}
            assert decode_image(body).getexif() == {}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_data_appended_to_a_picture_is_removed(form: str) -> None:
    page = b"<!doctype html><script>alert(1)</script>"
    picture = reencode_picture(make_image(form=form) + page, ImageSpec.LOGO)
    assert page not in picture.body
    assert picture == reencode_picture(make_image(form=form), ImageSpec.LOGO)


def test_script_in_a_text_comment_is_removed() -> None:
    notes = PngInfo()
    notes.add_text("Comment", "*/alert(1)/*", zip=False)
    assert b"alert" not in reencode_picture(make_image(pnginfo=notes), ImageSpec.PORTRAIT).body


def test_colours_of_transparent_pixels_are_removed() -> None:
    image = Image.new("RGBA", (64, 48), (*BLUE, 255))
    image.paste((*RED, 0), (0, 0, 32, 48))
    picture = reencode_picture(encode_image(image), ImageSpec.LOGO)
    assert get_pixel(picture, 5)[3] == 0
    assert get_pixel(picture, 5)[:3] != RED
    assert is_similar_colour(get_pixel(picture, 50), (*BLUE, 255))


# Preserved data


@pytest.mark.parametrize(
    ("orientation", "red_is_at"),
    [
        (1, (5, 20)),
        (2, (58, 20)),
        (3, (58, 20)),
        (4, (5, 20)),
        (5, (20, 5)),
        (6, (20, 5)),
        (7, (20, 58)),
        (8, (20, 58)),
    ],
)
def test_exif_orientation_is_applied(orientation: int, red_is_at: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = reencode_picture(make_two_colour_image((64, 48), form="JPEG", exif=exif, quality=95), ImageSpec.PORTRAIT)
    assert (picture.width, picture.height) == ((48, 64) if orientation >= 5 else (64, 48))
    assert is_similar_colour(get_pixel(picture, *red_is_at), RED, by=25)


def test_rotated_picture_is_scaled_after_rotation() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = reencode_picture(make_image((400, 1200), form="JPEG", exif=exif), ImageSpec.LOGO)
    assert (picture.width, picture.height) == (640, 213)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("notes", [b"Exif\x00\x00", b"Exif\x00\x00MM\x00*\xff\xff\xff\xff", b"Exif\x00\x00II*\x00junk"])
def test_unreadable_exif_data_is_ignored(notes: bytes) -> None:
    assert reencode_picture(make_image(form="JPEG", exif=notes), ImageSpec.PORTRAIT).width == 64


def test_every_colour_mode_keeps_its_colours() -> None:
    palette = Image.new("RGB", (64, 48), RED).convert("P", palette=Image.Palette.ADAPTIVE)
    for raw in (
        encode_image(palette),
        make_image(mode="CMYK", form="JPEG", colour=(0, 255, 255, 0)),
        make_image(mode="1", colour=1),
        make_image(mode="L", colour=120),
        make_image(mode="LA", colour=(120, 255)),
        make_image(mode="I;16", colour=120 * 256),
        make_image(mode="RGBA", colour=(*RED, 255)),
    ):
        was = decode_image(raw)
        picture = reencode_picture(raw, ImageSpec.LOGO)
        meant = (120, 120, 120) if was.mode == "I;16" else was.convert("RGB").getpixel((5, 5))
        assert isinstance(meant, tuple)
        assert is_similar_colour(get_pixel(picture), meant, by=3), was.mode


def test_transparency_is_preserved() -> None:
    through = Image.new("P", (64, 48), 0)
    through.putpalette([*RED, *BLUE])
    for raw in (
        make_image(mode="RGBA", colour=(*RED, 100)),
        make_image(mode="LA", colour=(10, 100)),
        make_image(form="WEBP", mode="RGBA", colour=(*RED, 100)),
    ):
        for frame in ImageSpec:
            assert abs(get_pixel(reencode_picture(raw, frame))[3] - 100) <= 2
    assert get_pixel(reencode_picture(encode_image(through, transparency=0), ImageSpec.LOGO))[3] == 0
    assert get_pixel(reencode_picture(make_image(transparency=RED), ImageSpec.LOGO))[3] == 0


def test_colour_profile_is_applied() -> None:
    exchanged = make_swapped_colour_profile()
    for form in ("PNG", "JPEG", "WEBP"):
        raw = make_image(form=form, colour=(255, 0, 0), icc_profile=exchanged)
        assert is_similar_colour(get_pixel(reencode_picture(raw, ImageSpec.LOGO)), (0, 0, 255), by=20)
    seen_through = make_image(mode="RGBA", colour=(255, 0, 0, 100), icc_profile=exchanged)
    assert is_similar_colour(get_pixel(reencode_picture(seen_through, ImageSpec.LOGO)), (0, 0, 255, 100), by=20)


def test_unusable_colour_profile_is_ignored() -> None:
    others = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    for unusable in (others, b"no profile", make_swapped_colour_profile()[:200]):
        assert is_similar_colour(
            get_pixel(reencode_picture(make_image(icc_profile=unusable), ImageSpec.LOGO)), RED, by=2
        )


def test_animation_is_reduced_to_its_first_frame() -> None:
    second = Image.new("RGB", (64, 48), BLUE)
    for form in ("WEBP", "PNG"):
        raw = make_image(form=form, save_all=True, append_images=[second], lossless=True)
        picture = reencode_picture(raw, ImageSpec.LOGO)
        assert is_similar_colour(get_pixel(picture), RED, by=2)
        assert getattr(decode_image(picture.body), "n_frames", 1) == 1


# Rejected files


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"GIF89a",
        make_image(form="GIF"),
        make_image(form="BMP"),
        make_image(form="TIFF"),
        make_image(form="ICO"),
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"<!doctype html><p>a page",
        b"%PDF-1.7",
        b"%!PS-Adobe-3.0 EPSF-3.0",
    ],
    ids=lambda raw: repr(raw[:8]),
)
def test_other_file_formats_are_rejected(raw: bytes) -> None:
    assert "PNG, JPEG or WebP" in upload_error(raw)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_truncated_picture_is_rejected(form: str) -> None:
    whole = make_two_colour_image((300, 200), form=form, quality=90)
    for kept in (0.5, 0.8):
        assert "damaged or incomplete" in upload_error(whole[: int(len(whole) * kept)])


def test_decompression_bomb_is_rejected_before_decoding() -> None:
    bomb = make_png_without_pixels(50_000, 50_000)
    assert len(bomb) < 200
    tracemalloc.start()
    try:
        for raw in (bomb, make_png_without_pixels(8_000, 8_000), make_png_without_pixels(6_400, 6_400)):
            assert "million pixels" in upload_error(raw)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_every_format_is_limited_to_16_million_pixels(form: str) -> None:
    # The `method` option of WebP is ignored by the other formats.
    assert "16 million pixels" in upload_error(make_image((4_001, 4_000), form=form, method=0))
    largest = make_image((4_000, 4_000), form=form, method=0)
    assert count_pixels(largest) == 16_000_000
    assert reencode_picture(largest, ImageSpec.LOGO).width == 320


def test_pixels_are_counted_without_decoding() -> None:
    tracemalloc.start()
    try:
        assert count_pixels(make_png_without_pixels(4_000, 4_000)) == 16_000_000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_first_picture_of_a_multi_picture_photo_is_used() -> None:
    raw = make_image(form="MPO", save_all=True, append_images=[Image.new("RGB", (64, 48), BLUE)])
    assert is_similar_colour(get_pixel(reencode_picture(raw, ImageSpec.LOGO)), RED)


def test_compressed_text_bomb_is_rejected() -> None:
    assert "damaged" in upload_error(make_png_text_bomb())


def test_upload_above_the_size_limit_is_rejected() -> None:
    assert "5 MiB" in upload_error(make_image() + bytes(MAX_UPLOAD_BYTES))


def test_corrupted_upload_gives_a_picture_or_an_error() -> None:
    dice = random.Random(2014)  # noqa: S311 - the same bytes each time
    for form in ("PNG", "JPEG", "WEBP"):
        whole = make_two_colour_image(form=form)
        for _ in range(150):
            broken = bytearray(whole)
            for _ in range(dice.randint(1, 12)):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            with suppress(UnsupportedImage):
                picture = reencode_picture(bytes(broken), ImageSpec.PORTRAIT)
                assert decode_image(picture.body).size == (picture.width, picture.height)


def test_large_photo_is_decoded_at_reduced_size() -> None:
    raw = make_image((4_200, 3_000), form="JPEG")
    with Image.open(BytesIO(raw)) as image:
        image.thumbnail(ImageSpec.PORTRAIT.value)
        assert image.size == (512, 366)
    assert reencode_picture(raw, ImageSpec.PORTRAIT).width == 512
