"""Rules about how a calendar is served: the headers of three answers, in plain words. Knows no network."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from eventcal.lint.findings import Finding, error, quoted, warning

TYPE = error(
    "content-type", "RFC 5545, 8.1", "Content-Type is not text/calendar; browsers show it, programs refuse it."
)
CHARSET = warning(
    "charset",
    "RFC 5545, 3.1.4",
    "Content-Type does not say charset=utf-8; programs guess, some of them ISO-8859-1.",
)
ETAG_FORM = error("etag-form", "RFC 9110, 8.8.3", "ETag is not in double quotes.")
HEAD = error("head", "RFC 9110, 9.1", "HEAD is not answered with the status that GET has.")
ETAG = warning("etag-missing", "RFC 9110, 8.8.3", "There is no ETag, so nobody can ask whether anything changed.")
WEAK = warning("etag-weak", "RFC 9110, 8.8.1", "ETag is weak: it does not promise the same octets.")
MODIFIED = warning(
    "last-modified",
    "RFC 9110, 8.8.2",
    "There is no Last-Modified, or it is no HTTP date; some programs ask by nothing else.",
)
CACHE = warning(
    "cache-control",
    "RFC 9111, 5.2",
    "There is no Cache-Control; caches guess for how long an answer is good.",
)
CONDITIONAL = warning(
    "not-modified",
    "RFC 9110, 13.1",
    "Asked again with If-None-Match or If-Modified-Since, the server does not answer 304, but sends everything again.",
)

RULES = (TYPE, ETAG_FORM, HEAD, CHARSET, ETAG, WEAK, MODIFIED, CACHE, CONDITIONAL)

_NOT_MODIFIED = 304
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s";]+)', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Served:
    """How a calendar was answered: `headers` of the GET with names in small letters, and the two statuses after it.

    `again` is that of a GET under the condition that anything changed, None where there was nothing to ask by.
    """

    status: int
    headers: Mapping[str, str]
    head: int
    again: int | None


def lint_answer(served: Served) -> list[Finding]:
    """Return what is wrong with how a calendar is served; the line of each finding is 0."""
    return sorted([*_check_type(served.headers), *_check_validators(served.headers), *_check_answers(served)])


def _check_type(headers: Mapping[str, str]) -> Iterator[Finding]:
    written = headers.get("content-type", "")
    if written.partition(";")[0].strip().lower() != "text/calendar":
        yield TYPE.at(0, f"Content-Type is {quoted(written)}")
        return
    charset = _CHARSET.search(written)
    if charset is None or charset[1].lower() != "utf-8":
        yield CHARSET.at(0, f"Content-Type is {quoted(written)}")


def _check_validators(headers: Mapping[str, str]) -> Iterator[Finding]:
    etag, modified = headers.get("etag"), headers.get("last-modified")
    if etag is None:
        yield ETAG.at(0, "there is no ETag")
    elif not _ETAG.fullmatch(etag):
        yield ETAG_FORM.at(0, f"ETag is {quoted(etag)}")
    elif etag.startswith("W/"):
        yield WEAK.at(0, f"ETag is {quoted(etag)}")
    if modified is None:
        yield MODIFIED.at(0, "there is no Last-Modified")
    elif not _is_http_date(modified):
        yield MODIFIED.at(0, f"Last-Modified is {quoted(modified)}")
    if not headers.get("cache-control"):
        yield CACHE.at(0, "there is no Cache-Control")


def _check_answers(served: Served) -> Iterator[Finding]:
    if served.again is not None and served.again != _NOT_MODIFIED:
        yield CONDITIONAL.at(0, f"asked again whether anything changed, the server answers {served.again}")
    if served.head != served.status:
        yield HEAD.at(0, f"HEAD is answered with {served.head}, GET with {served.status}")


def _is_http_date(text: str) -> bool:
    try:
        return text.endswith(" GMT") and parsedate_to_datetime(text) is not None
    except (TypeError, ValueError, OverflowError):
        return False
