"""Serving a public GET: which encoding, which validators, and when nothing need be sent.

RFC 9110: validators 8.8, preconditions 13. RFC 9111: Vary, Cache-Control. Ranges are
not served. An entity tag is a version and a suffix for the coding; in this module an `etag` is the bare version.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from flask import Request, Response
from werkzeug.datastructures import Headers
from werkzeug.http import http_date, parse_date

from eventcal.kit.clock import whole_second
from eventcal.kit.refusals import Sentence, Stale
from eventcal.web.http.content_encoding import IDENTITY, acceptable_codings
from eventcal.web.http.errors import PreconditionRequired
from eventcal.web.http.representation import Rendition

PUBLIC = "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400"
"""Cache-Control of what everybody may see."""

REVALIDATED = "public, no-cache"
"""Cache-Control of what everybody may see and keep, but not show without asking whether it is still so: pages."""

PRIVATE = "private, max-age=300"
"""Cache-Control of what belongs to one person, such as a secret feed."""

SMALLEST_COMPRESSED = 200
"""Bodies of fewer bytes go out as they are: compressing gains nothing there."""


def etag_of(body: bytes) -> str:
    """Return a version that is the body's own: 32 hex digits."""
    return blake2b(body, digest_size=16).hexdigest()


def revision_etag(revision: int, renderer: str) -> str:
    """Return a version such as "17.ab12cd34": the resource's revision, and what rendered it."""
    return f"{revision}.{blake2b(renderer.encode(), digest_size=4).hexdigest()}"


def entity_tag(etag: str, coding: str) -> str:
    """Return the strong entity tag of a version in a coding, in its quotes."""
    return f'"{etag}"' if coding == IDENTITY else f'"{etag}-{coding}"'


class Decided(NamedTuple):
    """The answer to a GET or HEAD: its headers, and the body of a 200; None is a 304."""

    headers: list[tuple[str, str]]
    body: bytes | None


def serve(rendition: Rendition, request: Request, now: datetime) -> Response:
    """Return the answer to a GET or HEAD: 304, or 200 in the encoding that the caller likes best; never 406."""
    asked = request.headers
    decided = decide(
        rendition,
        accept_encoding=asked.get("Accept-Encoding"),
        if_none_match=asked.get("If-None-Match"),
        if_modified_since=asked.get("If-Modified-Since"),
        now=now,
    )
    headers = Headers(decided.headers)
    if decided.body is None:
        return _NotModified(status=304, headers=headers)
    return Response(decided.body, headers=headers)


def decide(
    rendition: Rendition,
    *,
    accept_encoding: str | None,
    if_none_match: str | None,
    if_modified_since: str | None,
    now: datetime,
) -> Decided:
    """Return what is answered to these request headers, as `serve` does."""
    coding = _chosen(rendition, acceptable_codings(accept_encoding))
    headers = [*_validators(rendition.etag, rendition.cache_control, coding, rendition.language), *rendition.extra]
    dated = rendition.last_modified if _is_settled(now) else None
    if dated is not None:
        headers.append(("Last-Modified", _told(dated, now=now)))
    if if_none_match is not None:
        same = _names(if_none_match, entity_tag(rendition.etag, coding))
    else:
        same = dated is not None and _is_as_old(dated, if_modified_since, now=now)
    if same:
        return Decided(headers, None)
    headers += _particulars(rendition.media_type, rendition.filename, rendition.link, coding)
    if rendition.language is not None:
        headers.append(("Content-Language", rendition.language))
    return Decided(headers, rendition.encoded(coding))


@lru_cache(4096)
def _validators(etag: str, cache_control: str, coding: str, language: str | None) -> list[tuple[str, str]]:
    """Return what 200 and 304 have in common, the date apart."""
    return [
        ("ETag", entity_tag(etag, coding)),
        ("Cache-Control", cache_control),
        ("Vary", "Accept-Encoding" if language is None else "Accept-Encoding, Accept-Language"),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", "ETag, Last-Modified, Link, Content-Disposition"),
    ]


@lru_cache(4096)
def _particulars(media_type: str, filename: str | None, link: str | None, coding: str) -> list[tuple[str, str]]:
    """Return what only a body has."""
    lines = [("Content-Type", media_type), ("Accept-Ranges", "none")]
    if coding != IDENTITY:
        lines.append(("Content-Encoding", coding))
    if filename is not None:
        lines.append(("Content-Disposition", f'inline; filename="{_safe(filename)}"'))
    if link is not None:
        lines.append(("Link", link))
    return lines


def _told(last_modified: datetime, *, now: datetime) -> str:
    """Return what is told as Last-Modified.

    A second change within the second of the first must not hide behind the same date (RFC 9110, 8.8.2.2): until that
    second is over, the thing was last modified before it.
    """
    earlier = whole_second(now) - timedelta(seconds=1)
    return _written(min(whole_second(last_modified), earlier))


_written = lru_cache(1024)(http_date)


def _chosen(rendition: Rendition, codings: tuple[str, ...]) -> str:
    if IDENTITY in codings and len(rendition.body) < SMALLEST_COMPRESSED:
        return IDENTITY
    return codings[0]


# Longer than any unit of work that readers are not told to wait for.
_SETTLES = timedelta(minutes=1)


def _is_settled(now: datetime) -> bool:
    """Say whether dates can be told.

    At midnight (UTC) all that counts in days changes, and so does its date. What was begun before midnight may still
    be committed after it, under the date of before: until that is over, nobody is told or believed a date.
    """
    utc = now.astimezone(UTC)
    return utc - utc.replace(hour=0, minute=0, second=0, microsecond=0) >= _SETTLES


def _is_as_old(last_modified: datetime, if_modified_since: str | None, *, now: datetime) -> bool:
    """Say whether nothing changed since (RFC 9110, 13.1.3)."""
    since = _http_date(if_modified_since)
    if since is None:
        return False
    # A date to come is none that we gave (RFC 9110, 13.1.3 counts by our clock): only a wrong clock has it.
    # What changed within this very second may change again in it.
    changed = whole_second(last_modified)
    return changed <= since <= now and changed < whole_second(now)


_TAG = re.compile(r'(W/)?"([^"]*)"')


def _tags(header: str) -> Iterator[tuple[bool, str]]:
    """Yield each entity tag in a list: whether it is weak, and what stands between the quotes."""
    return ((match[1] is not None, match[2]) for match in _TAG.finditer(header))


def _names(header: str, tag: str) -> bool:
    """Say whether If-None-Match names a tag; it compares weakly (RFC 9110, 8.8.3.2), for caches weaken ours."""
    return header == tag or header.strip() == "*" or any(f'"{opaque}"' == tag for _, opaque in _tags(header))


_HTTP_DATE = re.compile(
    r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT"
    r"|[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}",
    re.ASCII,
)


def _http_date(header: str | None) -> datetime | None:
    """Return a date in one of the three forms of RFC 9110, 5.6.7; None for anything else, also for two of them."""
    return parse_date(header) if header is not None and _HTTP_DATE.fullmatch(header) else None


class _NotModified(Response):
    """A 304 that keeps its Last-Modified: werkzeug would drop it."""

    def get_wsgi_headers(self, environ: dict[str, object]) -> Headers:
        headers = super().get_wsgi_headers(environ)
        for value in self.headers.getlist("Last-Modified"):
            headers["Last-Modified"] = value
        return headers


def _safe(filename: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", filename).lstrip(".-") or "download"


def matches_version(if_match: str, version: str, *, end: str) -> bool:
    """Say whether an If-Match names this version: in any encoding, in a list, or as "*" (RFC 9110, 13.1.1).

    In a tag, the version ends at `end`. The comparison is strong: a weak tag matches nothing.
    """
    named = any(not weak and opaque.partition(end)[0] == version for weak, opaque in _tags(if_match))
    return named or if_match.strip() == "*"


def check_revision(if_match: str | None, revision: int) -> None:
    """Return if the caller knows the revision that they change.

    Raises PreconditionRequired where the header is missing, Stale where it names another revision.
    """
    if not matches_version(_given(if_match), str(revision), end="."):
        raise Stale(
            Sentence(
                "This is at revision %(revision)s now; read it again, and send the ETag that comes with it.",
                revision=revision,
            )
        )


def check_etag(if_match: str | None, etag: str) -> None:
    """Return if the caller knows the version that they change, in any encoding; refuses as check_revision does."""
    if not matches_version(_given(if_match), etag, end="-"):
        raise Stale(Sentence("This was changed since; read it again, and send the ETag that comes with it."))


def _given(if_match: str | None) -> str:
    if if_match is None:
        raise PreconditionRequired(
            Sentence("Send If-Match with the ETag that you were given, or * to change it whatever it is.")
        )
    return if_match
