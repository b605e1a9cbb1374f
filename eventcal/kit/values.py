"""Validators and their messages for schemas and commands: types, sizes, URLs and texts with a fixed format.

The messages have no subject, so that they can follow the name of any field.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

from eventcal.kit.refusals import Message

REQUIRED = Message("is required")
NOT_NULL = Message("must not be null; leave it out instead")
UNKNOWN = Message("is not known here; leave it out")
NOT_OBJECT = Message("must be a JSON object")
NOT_LIST = Message("must be a list")
NOT_TEXT = Message("must be text")
NOT_FLAG = Message("must be true or false")
NOT_WHOLE = Message("must be a whole number")

URL_LIMIT = 2000
"""The maximum number of characters in a URL."""

STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
# RFC 3986 does not allow these in a URL, and browsers and calendar apps interpret them differently.
_NEVER_IN_URLS = re.compile(r"[\s<>\"\\^`{|}\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def at_most_characters(limit: int) -> Message:
    """Return the error message for a text that is too long."""
    return Message("must have at most %(limit)s characters", limit=limit)


def one_of(words: Iterable[str]) -> Message:
    """Return the error message for a word that is not one of these."""
    return Message("must be one of: %(choices)s", choices=", ".join(words))


def url_fault(text: str) -> Message | None:
    """Return the error message for a URL that is not accepted, or None if it is valid."""
    found = _NEVER_IN_URLS.search(text)
    if found is not None:
        return Message("contains %(what)s, which no URL may; percent-encode it", what=ascii(found.group()))
    if STRAY_PERCENT.search(text) is not None:
        return Message("contains a %(percent)s that encodes nothing; write it as %(percent)s25", percent="%")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return Message("is not a URL; write one like https://example.org/")
    if parts.scheme not in {"http", "https"} or not host:
        return Message("must be a URL that begins with https:// or http:// and a host name")
    return Message("must not hold a user name or a password") if "@" in parts.netloc else None


@cache
def _countries() -> frozenset[str]:
    lines = resources.files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8").splitlines()
    return frozenset(line.partition("\t")[0] for line in lines if not line.startswith("#"))


@dataclass(frozen=True)
class Form:
    """The format of a single-line text: a regular expression, a maximum length, and the error message `says`.

    If `known` is given, the text must also be in the collection that it returns.
    """

    pattern: str
    limit: int
    says: Message
    known: Callable[[], Collection[str]] | None = None

    def fault(self, text: str) -> Message | None:
        """Return the error message if the text does not have this format, or None. Does not check the length."""
        matches = re.fullmatch(self.pattern, text, re.ASCII) is not None
        return None if matches and (self.known is None or text in self.known()) else self.says


COUNTRY = Form(
    "[A-Z]{2}", 2, Message("must be an ISO 3166-1 code of two capital letters, such as DE"), known=_countries
)
# Only the syntax of BCP 47 is checked, not the registry.
LANGUAGE = Form("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", 35, Message("must be a language tag such as en or pt-BR"))
COLOUR = Form("#[0-9A-Fa-f]{6}", 7, Message("must be a colour such as #2a7f62"))
CURRENCY = Form("[A-Z]{3}", 3, Message("must be an ISO 4217 code such as EUR"))
# The rules of events check that the time zone exists.
TIMEZONE = Form("[A-Za-z0-9_+/-]{1,64}", 64, Message("must be an IANA time zone such as Europe/London"))
