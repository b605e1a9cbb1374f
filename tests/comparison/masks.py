"""Placeholders for values that are random or depend on the real time, or that belong to the session mechanism."""

import re
from collections.abc import Iterable, Sequence

_QUOTE = '(?:&#34;|&quot;|")'
_Mask = tuple[re.Pattern[str], str]

_MASKS: Sequence[_Mask] = (
    # Fields of forms: who the session belongs to, a form that is accepted once, and a token from an email.
    (re.compile(r'(<input [^>]*name="(csrf_token|form_key|token)" value=")[^"]+'), r"\1{\2}"),
    (re.compile(r'("csrf_token":")[^"]+'), r"\1{csrf_token}"),
    # An emailed token in the JSON of a request; access tokens are reproducible.
    (re.compile(r'("token": ")(?!evc_)[\w.~-]{20,}'), r"\1{token}"),
    # A confirmation or reset token, in the link of an email or in the address of a page.
    (re.compile(r"(token(?:=|%3D))[\w.~-]{20,}"), r"\1{token}"),
    # What a passkey signs, and the random identifier of its owner; the options are JSON inside an attribute.
    (re.compile(rf"({_QUOTE}challenge{_QUOTE}: ?{_QUOTE})[\w-]+"), r"\1{challenge}"),
    (re.compile(rf"({_QUOTE}user{_QUOTE}: ?\{{{_QUOTE}id{_QUOTE}: ?{_QUOTE})[\w-]+"), r"\1{user_handle}"),
    # The secret of an authenticator app, as an address, as text, and as the QR code of the address.
    (re.compile(r"(otpauth://[^\"\s]*?secret=)[A-Z2-7]+"), r"\1{totp_secret}"),
    (re.compile(r"(<code>)[A-Z2-7]{4}(?:-[A-Z2-7]{1,4})+(</code>)"), r"\1{totp_secret}\2"),
    # Recovery codes.
    (re.compile(r"(<code>)(?:[0-9a-z]{4}-){3}[0-9a-z]{4}(</code>)"), r"\1{recovery_code}\2"),
)
_QR_PATH_PATTERN = re.compile(r'(<svg class="qr"[^>]*><path d=")[^"]*')
# When a static file was checked out, its size and a checksum of its path: Flask makes the tag of these.
_FILE_ETAG_PATTERN = re.compile(r'"\d+\.\d+-\d+-\d+"')
_FILE_HEADERS = frozenset({"ETag", "Last-Modified"})
_COOKIE_PATTERN = re.compile(r"^([^=;]+)=([^;]*)")
_EXPIRES_PATTERN = re.compile(r"(?<=[Ee]xpires=)(?!Thu, 01 Jan 1970)[^;]+")


def mask_text(text: str) -> str:
    """Return a body, an address or an email with every secret replaced by a placeholder."""
    if "otpauth://" in text:
        # The QR code of a feed address is reproducible; only this one holds a random secret.
        text = _QR_PATH_PATTERN.sub(r"\1{qr_code}", text)
    for pattern, placeholder in _MASKS:
        text = pattern.sub(placeholder, text)
    return text


def mask_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers sorted by name, without what is secret or depends on the real time or on this checkout."""
    # The order of headers means nothing, except among those of one name.
    pairs = sorted(headers, key=lambda pair: pair[0].lower())
    is_file = any(name == "ETag" and _FILE_ETAG_PATTERN.fullmatch(value) for name, value in pairs)
    return [(name, _mask_header(name, value, is_file=is_file)) for name, value in pairs]


def _mask_header(name: str, value: str, *, is_file: bool) -> str:
    if name == "Set-Cookie":
        return mask_cookie(value)
    if name == "Date" or (is_file and name in _FILE_HEADERS):
        return f"{{{name.lower()}}}"
    if name == "Allow":
        # The order is that of a set, which differs from process to process.
        return ", ".join(sorted(value.split(", ")))
    return mask_text(value)


def mask_cookie(header: str) -> str:
    """Return a Set-Cookie header without its value and the real time; that a cookie is removed still shows."""
    header = _EXPIRES_PATTERN.sub("{date}", header)
    found = _COOKIE_PATTERN.match(header)
    # The reader's language is no secret, and an empty value takes a cookie back.
    if found is None or not found[2] or found[1].endswith("language"):
        return header
    return _COOKIE_PATTERN.sub(r"\1={cookie}", header)
