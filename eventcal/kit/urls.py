"""Which URLs we print."""

import re
from urllib.parse import urlsplit

from eventcal.kit.sentences import Sentence

URL_LIMIT = 2000
"""The most characters a URL has."""

STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
# RFC 3986 has no place for these in a URL; browsers and calendars disagree on what they mean.
_NEVER_IN_URLS = re.compile(r"[\s<>\"\\^`{|}\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def url_fault(text: str) -> Sentence | None:
    """Return why a line is no URL that we print, or None."""
    found = _NEVER_IN_URLS.search(text)
    if found is not None:
        return Sentence("contains %(what)s, which no URL may; percent-encode it", what=ascii(found.group()))
    if STRAY_PERCENT.search(text) is not None:
        return Sentence("contains a %(percent)s that encodes nothing; write it as %(percent)s25", percent="%")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return Sentence("is not a URL; write one like https://example.org/")
    if parts.scheme not in {"http", "https"} or not host:
        return Sentence("must be a URL that begins with https:// or http:// and a host name")
    return Sentence("must not hold a user name or a password") if "@" in parts.netloc else None
