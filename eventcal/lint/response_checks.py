"""Checks for the HTTP responses that serve a calendar. This module performs no I/O: the caller sends the requests."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from eventcal.lint.rules import Finding, finding, quote_excerpt

_NOT_MODIFIED = 304
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s";]+)', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ServerResponses:
    """The responses to a GET request, a HEAD request and a conditional GET request.

    The names in `headers` are in lower case. `conditional_status` is None if the GET response contains no validator.
    """

    status: int
    headers: Mapping[str, str]
    head_status: int
    conditional_status: int | None


def lint_http_responses(responses: ServerResponses) -> list[Finding]:
    headers = responses.headers
    return sorted([*_check_content_type(headers), *_check_validators(headers), *_check_statuses(responses)])


def _check_content_type(headers: Mapping[str, str]) -> Iterator[Finding]:
    written = headers.get("content-type", "")
    if written.partition(";")[0].strip().lower() != "text/calendar":
        yield finding("content-type", 0, f"Content-Type is {quote_excerpt(written)}")
        return
    charset = _CHARSET.search(written)
    if charset is None or charset[1].lower() != "utf-8":
        yield finding("charset", 0, f"Content-Type is {quote_excerpt(written)}")


def _check_validators(headers: Mapping[str, str]) -> Iterator[Finding]:
    etag, modified = headers.get("etag"), headers.get("last-modified")
    if etag is None:
        yield finding("etag-missing", 0, "there is no ETag")
    elif not _ETAG.fullmatch(etag):
        yield finding("etag-form", 0, f"ETag is {quote_excerpt(etag)}")
    elif etag.startswith("W/"):
        yield finding("etag-weak", 0, f"ETag is {quote_excerpt(etag)}")
    if modified is None:
        yield finding("last-modified", 0, "there is no Last-Modified")
    elif not _is_http_date(modified):
        yield finding("last-modified", 0, f"Last-Modified is {quote_excerpt(modified)}")
    if not headers.get("cache-control"):
        yield finding("cache-control", 0, "there is no Cache-Control")


def _check_statuses(responses: ServerResponses) -> Iterator[Finding]:
    status = responses.conditional_status
    if status is not None and status != _NOT_MODIFIED:
        yield finding("not-modified", 0, f"the conditional request is answered with status {status}, not 304")
    if responses.head_status != responses.status:
        yield finding("head", 0, f"HEAD is answered with status {responses.head_status}, GET with {responses.status}")


def _is_http_date(text: str) -> bool:
    try:
        return text.endswith(" GMT") and parsedate_to_datetime(text) is not None
    except (TypeError, ValueError, OverflowError):
        return False
