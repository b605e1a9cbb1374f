"""Images for tests, including malformed and hostile files."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

RED, BLUE = (200, 30, 40), (20, 60, 210)


def make_image(
    size: tuple[int, int] = (64, 48),
    *,
    mode: str = "RGB",
    form: str = "PNG",
    colour: Any = RED,  # noqa: ANN401 - any colour of Pillow
    **saved: Any,
) -> bytes:
    """Return an encoded image of one colour."""
    return encode_image(Image.new(mode, size, colour), form=form, **saved)


def make_two_colour_image(size: tuple[int, int] = (64, 48), *, form: str = "PNG", **saved: Any) -> bytes:
    """Return an encoded image whose left half is red and whose right half is blue."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (0, 0, size[0] // 2, size[1]))
    return encode_image(image, form=form, **saved)


def make_noise_image(size: tuple[int, int]) -> bytes:
    """Return a PNG image of random noise, which hardly compresses."""
    return encode_image(Image.effect_noise(size, 90).convert("RGB"), form="PNG")


def encode_image(image: Image.Image, *, form: str = "PNG", **saved: Any) -> bytes:
    out = BytesIO()
    image.save(out, form, **saved)
    return out.getvalue()


def decode_image(raw: bytes) -> Image.Image:
    image = Image.open(BytesIO(raw))
    image.load()
    return image


def make_png_without_pixels(width: int, height: int) -> bytes:
    """Return a short PNG file whose header states this size but whose pixel data is incomplete."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(10_000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _png_chunk(*one) for one in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    )


def make_png_text_bomb() -> bytes:
    """Return a small PNG file with a text chunk that is decompressed to 100 MB."""
    small = make_image()
    note = b"Comment\x00\x00" + zlib.compress(bytes(100_000_000), 9)
    return small[:33] + _png_chunk(b"zTXt", note) + small[33:]


def make_swapped_colour_profile() -> bytes:
    """Return an ICC version 2 profile with the red and blue primaries of sRGB exchanged."""
    red, green, blue = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
    white, gamma = (0.9642, 1.0, 0.8249), b"curv" + bytes(4) + struct.pack(">IH", 1, 0x0233) + bytes(2)
    desc = b"desc" + bytes(4) + struct.pack(">I", 2) + b"x\x00" + bytes(78)
    said = {b"rXYZ": _icc_xyz(blue), b"gXYZ": _icc_xyz(green), b"bXYZ": _icc_xyz(red), b"wtpt": _icc_xyz(white)}
    tags = {**said, b"rTRC": gamma, b"gTRC": gamma, b"bTRC": gamma, b"desc": desc, b"cprt": b"text" + bytes(8)}
    at, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += name + struct.pack(">II", at + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2020, 1, 1, 0, 0, 0, b"acsp")
    return head.ljust(68, b"\x00") + _icc_xyz(white)[8:] + bytes(48) + table + body


def _icc_xyz(colour: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(one * 65536) for one in colour))


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
