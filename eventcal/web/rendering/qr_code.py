"""A QR code that stands in a page as it is: an image from a data: address would need a looser policy."""

from dataclasses import dataclass

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode


@dataclass(frozen=True)
class Qr:
    """A square of `size` by `size` modules, its quiet border among them; `path` draws the dark ones (SVG)."""

    size: int
    path: str


def qr_code(text: str) -> Qr:
    """Return the QR code of a text."""
    made = QRCode(error_correction=ERROR_CORRECT_M)
    made.add_data(text)
    rows = made.get_matrix()
    dark = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return Qr(len(rows), "".join(dark))
