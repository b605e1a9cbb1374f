"""Placeholders for values that are random, depend on the real time, or belong to the session mechanism."""

import re
from collections.abc import Iterable, Sequence

_QUOTE = '(?:&#34;|&quot;|")'
_Mask = tuple[re.Pattern[str], str]

_MASKS: Sequence[_Mask] = (
    # Form fields with a CSRF token, a key that prevents duplicate submissions, or a token from an email.
    (re.compile(r'(<input [^>]*name="(csrf_token|form_key|token)" value=")[^"]+'), r"\1{\2}"),
    (re.compile(r'("csrf_token":")[^"]+'), r"\1{csrf_token}"),
    # A confirmation or reset token in a JSON request. Access tokens are reproducible, and are not masked.
    (re.compile(r'("token": ")(?!evc_)[\w.~-]{20,}'), r"\1{token}"),
    # A confirmation or reset token in a URL or in the link of an email.
    (re.compile(r"(token(?:=|%3D))[\w.~-]{20,}"), r"\1{token}"),
    # The challenge for a passkey and the random user id are JSON in an HTML attribute.
    (re.compile(rf"({_QUOTE}challenge{_QUOTE}: ?{_QUOTE})[\w-]+"), r"\1{challenge}"),
    (re.compile(rf"({_QUOTE}user{_QUOTE}: ?\{{{_QUOTE}id{_QUOTE}: ?{_QUOTE})[\w-]+"), r"\1{user_handle}"),
    # The secret of an authenticator app, in a URI, as text, and in the QR code of the URI.
    (re.compile(r"(otpauth://[^\"\s]*?secret=)[A-Z2-7]+"), r"\1{totp_secret}"),
    (re.compile(r"(<code>)[A-Z2-7]{4}(?:-[A-Z2-7]{1,4})+(</code>)"), r"\1{totp_secret}\2"),
    # Recovery codes.
    (re.compile(r"(<code>)(?:[0-9a-z]{4}-){3}[0-9a-z]{4}(</code>)"), r"\1{recovery_code}\2"),
)
_QR_PATH_PATTERN = re.compile(r'(<svg class="qr"[^>]*><path d=")[^"]*')
# Flask builds the ETag of a static file from its modification time, its size and a checksum of its path.
_FILE_ETAG_PATTERN = re.compile(r'"\d+\.\d+-\d+-\d+"')
_FILE_HEADERS = frozenset({"ETag", "Last-Modified"})
_COOKIE_PATTERN = re.compile(r"^([^=;]+)=([^;]*)")
_EXPIRES_PATTERN = re.compile(r"(?<=[Ee]xpires=)(?!Thu, 01 Jan 1970)[^;]+")


def mask_text(text: str) -> str:
    """Return a body, URL or email with every secret replaced by a placeholder."""
    if "otpauth://" in text:
        # The QR code of a feed URL is reproducible. Only the QR code of an otpauth URI contains a random secret.
        text = _QR_PATH_PATTERN.sub(r"\1{qr_code}", text)
    for pattern, placeholder in _MASKS:
        text = pattern.sub(placeholder, text)
    return text


def mask_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers sorted by name, with placeholders for secrets and for values that depend on time or checkout."""
    # The order of headers is significant only among headers with the same name.
    pairs = sorted(headers, key=lambda pair: pair[0].lower())
    is_file = any(name == "ETag" and _FILE_ETAG_PATTERN.fullmatch(value) for name, value in pairs)
    return [(name, _mask_header(name, value, is_file=is_file)) for name, value in pairs]


def _mask_header(name: str, value: str, *, is_file: bool) -> str:
    if name == "Set-Cookie":
        return mask_cookie(value)
    if name == "Date" or (is_file and name in _FILE_HEADERS):
        return f"{{{name.lower()}}}"
    if name == "Allow":
        # The values come from a set, whose order differs between processes.
        return ", ".join(sorted(value.split(", ")))
    return mask_text(value)


def mask_cookie(header: str) -> str:
    """Return a Set-Cookie header with placeholders for its expiry time and for a secret value."""
    header = _EXPIRES_PATTERN.sub("{date}", header)
    found = _COOKIE_PATTERN.match(header)
    # The language is not secret, and an empty value deletes a cookie.
    if found is None or not found[2] or found[1].endswith("language"):
        return header
    return _COOKIE_PATTERN.sub(r"\1={cookie}", header)
