"""Validators and their error messages, which have no subject so that they can follow any field name."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

from eventcal.kit.errors import Message

REQUIRED = Message("is required")
NOT_NULL = Message("must not be null; omit it instead")
UNKNOWN_FIELD = Message("is not a known field; remove it")
NOT_OBJECT = Message("must be a JSON object")
NOT_LIST = Message("must be a list")
NOT_TEXT = Message("must be a string")
NOT_BOOLEAN = Message("must be true or false")
NOT_INTEGER = Message("must be an integer")

URL_LIMIT = 2000
STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
# Characters that RFC 3986 does not allow in a URL, and that browsers and calendar apps interpret differently.
_FORBIDDEN_IN_URL = re.compile(r"[\s<>\"\\^`{|}\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def too_long_message(limit: int) -> Message:
    return Message("must have at most %(limit)s characters", limit=limit)


def must_be_one_of_message(words: Iterable[str]) -> Message:
    return Message("must be one of: %(choices)s", choices=", ".join(words))


def url_error(text: str) -> Message | None:
    if found := _FORBIDDEN_IN_URL.search(text):
        return Message("contains %(what)s, which is not allowed in a URL; percent-encode it", what=ascii(found.group()))
    if STRAY_PERCENT.search(text) is not None:
        return Message(
            "contains a %(percent)s that is not followed by two hexadecimal digits; write %(percent)s25", percent="%"
        )
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return Message("must be a URL such as https://example.org/")
    if parts.scheme not in {"http", "https"} or not host:
        return Message("must be a URL that starts with https:// or http:// and a host name")
    return Message("must not contain a user name or a password") if "@" in parts.netloc else None


@cache
def _country_codes() -> frozenset[str]:
    lines = resources.files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8").splitlines()
    return frozenset(line.partition("\t")[0] for line in lines if not line.startswith("#"))


@dataclass(frozen=True)
class TextFormat:
    """The format of a single-line text. If `allowed_values` is given, only the values that it returns are allowed."""

    pattern: str
    limit: int
    message: Message
    allowed_values: Callable[[], Collection[str]] | None = None

    def find_error(self, text: str) -> Message | None:
        """Return the error message if the text does not match the format, or None. The length is not checked."""
        matches = re.fullmatch(self.pattern, text, re.ASCII) is not None
        return None if matches and (self.allowed_values is None or text in self.allowed_values()) else self.message


COUNTRY = TextFormat(
    "[A-Z]{2}", 2, Message("must be an ISO 3166-1 code of two capital letters, such as DE"), _country_codes
)
# The syntax of a language tag (RFC 5646, section 2.1): language, script, region, variants, extensions and private use.
# The subtags are not looked up in the IANA registry, which has no primary language of more than three letters.
_LANGUAGE_PATTERN = (
    "[A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
    "(-[0-9A-WY-Za-wy-z](-[A-Za-z0-9]{2,8})+)*(-[xX](-[A-Za-z0-9]{1,8})+)?"
)
LANGUAGE = TextFormat(_LANGUAGE_PATTERN, 35, Message("must be a language tag such as en or pt-BR"))
COLOUR = TextFormat("#[0-9A-Fa-f]{6}", 7, Message("must be a colour such as #2a7f62"))
CURRENCY = TextFormat("[A-Z]{3}", 3, Message("must be an ISO 4217 code such as EUR"))
TIMEZONE = TextFormat("[A-Za-z0-9_+/-]{1,64}", 64, Message("must be an IANA time zone such as Europe/London"))
