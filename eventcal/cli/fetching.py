"""Fetching a calendar over HTTP like a calendar app, with limits on size and time."""

import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse

from eventcal import __version__

LARGEST = 20_000_000
"""The largest size of a calendar in octets, compressed and decompressed."""

_CHUNK = 65_536
_LONGEST_LENGTH = 20


class Unreadable(Exception):
    """The calendar cannot be read. The message is a sentence without a full stop."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on the size and duration of a fetch."""

    octets: int = LARGEST
    seconds: float = 30.0


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A response: status, headers with lower-case names, decompressed body, and URL after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


def fetch(
    url: str, *, method: str = "GET", condition: Mapping[str, str] | None = None, limits: Limits | None = None
) -> Fetched:
    """Return the response to a request, whatever its status, after at most five redirects.

    Only http and https are allowed, also for redirects. Raises Unreadable if it is missing, late or too large.
    """
    limits = limits or Limits()
    headers = {
        "User-Agent": f"eventcal-lint/{__version__}",
        "Accept": "text/calendar, */*;q=0.5",
        "Accept-Encoding": "gzip",
        **(condition or {}),
    }
    end = time.monotonic() + limits.seconds
    try:
        request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310 - the opener supports http and https only
        with _opener().open(request, timeout=limits.seconds) as answer:
            # The headers of a HEAD response describe a body that is not sent.
            body = b"" if method == "HEAD" else _body(answer, end=end, limits=limits)
            return _fetched(answer, answer.status, body)
    except urllib.error.HTTPError as error:
        with error:
            return _fetched(error, error.code)
    except (OSError, HTTPException, ValueError) as error:
        raise Unreadable(_reason(error)) from error


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = max_repeats = 5


def _opener() -> urllib.request.OpenerDirector:
    """Return an opener for http and https only, so that a redirect cannot read a local file."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def _fetched(answer: HTTPResponse | urllib.error.HTTPError, status: int, body: bytes = b"") -> Fetched:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Fetched(status=status, headers=headers, body=body, url=answer.geturl())


def _body(answer: HTTPResponse, *, end: float, limits: Limits) -> bytes:
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise Unreadable(f"the answer is packed with {encoding[:20]!a}, which was not asked for")
    length = answer.headers.get("Content-Length", "")
    whole = int(length) if length.isdecimal() and len(length) < _LONGEST_LENGTH else None
    parts, size = list[bytes](), 0
    # Stops at Content-Length. Reading further would block if the server keeps the connection open.
    while size != whole and (chunk := answer.read1(_CHUNK if whole is None else min(_CHUNK, whole - size))):
        parts.append(chunk)
        size += len(chunk)
        if size > limits.octets:
            raise Unreadable(f"the answer is larger than {limits.octets} octets")
        if time.monotonic() > end:
            raise Unreadable(f"the answer is not whole after {limits.seconds:g} seconds")
    if whole is not None and size < whole:
        raise Unreadable(f"the answer ended after {size} octets of {whole}")
    body = b"".join(parts)
    return _unpacked(body, limits) if encoding in {"gzip", "x-gzip"} else body


def _unpacked(packed: bytes, limits: Limits) -> bytes:
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        body = unpacking.decompress(packed, limits.octets + 1)
    except zlib.error as error:
        raise Unreadable("the answer says that it is gzip, and is not") from error
    if len(body) > limits.octets:
        raise Unreadable(f"the answer is larger than {limits.octets} octets once unpacked")
    if not unpacking.eof:
        raise Unreadable("the answer is gzip that was cut off")
    return body


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "there was no answer in time"
    if isinstance(error, urllib.error.URLError):
        return _reason(error.reason) if isinstance(error.reason, Exception) else str(error.reason)
    return str(error) or type(error).__name__
