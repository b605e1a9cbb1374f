"""An HTTP client that fetches calendars within limits on size and duration."""

import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse

from eventcal import __version__

# The maximum size of a calendar, both compressed and decompressed.
MAX_CALENDAR_BYTES = 20_000_000
_CHUNK_BYTES = 65_536
_MAX_CONTENT_LENGTH_DIGITS = 20


class UnreadableCalendar(Exception):
    """The calendar cannot be read. The error message does not end with a full stop."""


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """Limits on the size of a response and the duration of a request."""

    octets: int = MAX_CALENDAR_BYTES
    seconds: float = 30.0


@dataclass(frozen=True, kw_only=True)
class FetchedResponse:
    """An HTTP response with lower-case header names, the decompressed body, and the URL after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


def fetch(
    url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, limits: FetchLimits | None = None
) -> FetchedResponse:
    """Return the response to a request, regardless of the response status. At most five redirects are followed.

    Only http and https URLs are allowed. Raises UnreadableCalendar if the request fails or a limit is exceeded.
    """
    limits = limits or FetchLimits()
    sent = {
        "User-Agent": f"eventcal-lint/{__version__}",
        "Accept": "text/calendar, */*;q=0.5",
        "Accept-Encoding": "gzip",
        **(headers or {}),
    }
    end = time.monotonic() + limits.seconds
    try:
        request = urllib.request.Request(url, method=method, headers=sent)  # noqa: S310 - the opener supports http and https only
        with _build_opener().open(request, timeout=limits.seconds) as answer:
            # The headers of a HEAD response describe a body that is not sent.
            body = b"" if method == "HEAD" else _read_body(answer, deadline=end, limits=limits)
            return _build_response(answer, answer.status, body)
    except urllib.error.HTTPError as error:
        with error:
            return _build_response(error, error.code)
    except (OSError, HTTPException, ValueError) as error:
        raise UnreadableCalendar(_error_reason(error)) from error


class _RedirectHandler(urllib.request.HTTPRedirectHandler):
    max_redirections = max_repeats = 5


def _build_opener() -> urllib.request.OpenerDirector:
    """Return an opener that supports only http and https, so that a redirect cannot point to a local file."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        _RedirectHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _build_response(response: HTTPResponse | urllib.error.HTTPError, status: int, body: bytes = b"") -> FetchedResponse:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return FetchedResponse(status=status, headers=headers, body=body, url=response.geturl())


def _read_body(response: HTTPResponse, *, deadline: float, limits: FetchLimits) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise UnreadableCalendar(f"the response uses the content encoding {encoding[:20]!a}, which was not requested")
    length = response.headers.get("Content-Length", "")
    whole = int(length) if length.isdecimal() and len(length) < _MAX_CONTENT_LENGTH_DIGITS else None
    parts, size = list[bytes](), 0
    # Reading beyond Content-Length would block if the server keeps the connection open.
    while size != whole and (
        chunk := response.read1(_CHUNK_BYTES if whole is None else min(_CHUNK_BYTES, whole - size))
    ):
        parts.append(chunk)
        size += len(chunk)
        if size > limits.octets:
            raise UnreadableCalendar(f"the response is larger than {limits.octets} octets")
        if time.monotonic() > deadline:
            raise UnreadableCalendar(f"the response is incomplete after {limits.seconds:g} seconds")
    if whole is not None and size < whole:
        raise UnreadableCalendar(f"the response ended after {size} of {whole} octets")
    body = b"".join(parts)
    return _gunzip(body, limits) if encoding in {"gzip", "x-gzip"} else body


def _gunzip(compressed: bytes, limits: FetchLimits) -> bytes:
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        body = unpacking.decompress(compressed, limits.octets + 1)
    except zlib.error as error:
        raise UnreadableCalendar("the response is not valid gzip") from error
    if len(body) > limits.octets:
        raise UnreadableCalendar(f"the response is larger than {limits.octets} octets after decompression")
    if not unpacking.eof:
        raise UnreadableCalendar("the gzip data of the response is truncated")
    return body


def _error_reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "the request timed out"
    if isinstance(error, urllib.error.URLError):
        return _error_reason(error.reason) if isinstance(error.reason, Exception) else str(error.reason)
    return str(error) or type(error).__name__
