"""Serving a public GET: which encoding, which validators, and when nothing need be sent; also to other origins' pages.

RFC 9110: validators 8.8, preconditions 13. RFC 9111: Vary, Cache-Control. Ranges are
not served. An entity tag is a version and a suffix for the coding; in this module an `etag` is the bare version.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from wsgiref.types import WSGIEnvironment

from flask import Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import PreconditionRequired
from werkzeug.http import http_date, parse_date

from eventcal.kit.clock import whole_second
from eventcal.kit.refusals import Sentence, Stale
from eventcal.web.http.content_encoding import IDENTITY, acceptable_codings
from eventcal.web.http.representation import Rendition

# Cache-Control of what everybody may see, of what they may not show without asking whether it is still so (pages), and
# of what belongs to one person, such as a secret feed.
PUBLIC = "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400"
REVALIDATED = "public, no-cache"
PRIVATE = "private, max-age=300"
# Compressing fewer bytes gains nothing.
_SMALLEST_COMPRESSED = 200
# Longer than any unit of work that readers are not told to wait for.
_SETTLES = timedelta(minutes=1)
_TAG = re.compile(r'(W/)?"([^"]*)"')
_HTTP_DATE = re.compile(
    r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT"
    r"|[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}",
    re.ASCII,
)
_cached_http_date = lru_cache(1024)(http_date)


def etag_of(body: bytes) -> str:
    """Return a version that is the body's own: 32 hex digits."""
    return blake2b(body, digest_size=16).hexdigest()


def revision_etag(revision: int, renderer: str) -> str:
    """Return a version such as "17.ab12cd34": the resource's revision, and what rendered it."""
    return f"{revision}.{blake2b(renderer.encode(), digest_size=4).hexdigest()}"


def entity_tag(etag: str, coding: str) -> str:
    """Return the strong entity tag of a version in a coding, in its quotes."""
    return f'"{etag}"' if coding == IDENTITY else f'"{etag}-{coding}"'


def serve(rendition: Rendition, now: datetime) -> Response:
    """Return the answer to a GET or HEAD: 304, or 200 in the encoding that the caller likes best; never 406."""
    headers, body = decide(rendition, request.environ, now)
    return _NotModified(status=304, headers=headers) if body is None else Response(body, headers=headers)


def decide(rendition: Rendition, environ: WSGIEnvironment, now: datetime) -> tuple[list[tuple[str, str]], bytes | None]:
    """Return the headers of the answer to a GET or HEAD, and the body of a 200; None is a 304."""
    codings = acceptable_codings(environ.get("HTTP_ACCEPT_ENCODING")) if rendition.compressible else (IDENTITY,)
    is_small = IDENTITY in codings and len(rendition.body) < _SMALLEST_COMPRESSED
    coding = IDENTITY if is_small else codings[0]
    common = _common_headers(
        rendition.etag,
        rendition.cache_control,
        coding,
        compressible=rendition.compressible,
        translated=rendition.language is not None,
    )
    headers = [*common, *rendition.extra]
    dated = rendition.last_modified if _is_settled(now) else None
    if dated is not None:
        # A second change within the second of the first must not hide behind the same date (RFC 9110, 8.8.2.2): until
        # that second is over, the thing was last modified before it.
        earlier = whole_second(now) - timedelta(seconds=1)
        headers.append(("Last-Modified", _cached_http_date(min(whole_second(dated), earlier))))
    if_none_match: str | None = environ.get("HTTP_IF_NONE_MATCH")
    if if_none_match is not None:
        same = _names(if_none_match, entity_tag(rendition.etag, coding))
    else:
        same = dated is not None and _is_unchanged(dated, environ.get("HTTP_IF_MODIFIED_SINCE", ""), now)
    if same:
        return headers, None
    headers += _body_headers(rendition.media_type, rendition.filename, rendition.link, coding)
    if rendition.language is not None:
        headers.append(("Content-Language", rendition.language))
    return headers, rendition.encoded(coding)


@lru_cache(4096)
def _common_headers(
    etag: str, cache_control: str, coding: str, *, compressible: bool, translated: bool
) -> list[tuple[str, str]]:
    varies_by = ["Accept-Encoding"] * compressible + ["Accept-Language"] * translated
    return [
        ("ETag", entity_tag(etag, coding)),
        ("Cache-Control", cache_control),
        *([("Vary", ", ".join(varies_by))] if varies_by else []),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", "ETag, Last-Modified, Link, Content-Disposition"),
    ]


@lru_cache(4096)
def _body_headers(media_type: str, filename: str | None, link: str | None, coding: str) -> list[tuple[str, str]]:
    headers = [("Content-Type", media_type), ("Accept-Ranges", "none")]
    if coding != IDENTITY:
        headers.append(("Content-Encoding", coding))
    if filename is not None:
        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", filename).lstrip(".-") or "download"
        headers.append(("Content-Disposition", f'inline; filename="{safe}"'))
    if link is not None:
        headers.append(("Link", link))
    return headers


def _is_settled(now: datetime) -> bool:
    """Say whether dates can be told.

    At midnight (UTC) all that counts in days changes, and so does its date. What was begun before midnight may still
    be committed after it, under the date of before: until that is over, nobody is told or believed a date.
    """
    utc = now.astimezone(UTC)
    return utc - utc.replace(hour=0, minute=0, second=0, microsecond=0) >= _SETTLES


def _is_unchanged(last_modified: datetime, if_modified_since: str, now: datetime) -> bool:
    """Say whether nothing changed since a date in one of the three forms of RFC 9110, 5.6.7 (13.1.3)."""
    since = parse_date(if_modified_since) if _HTTP_DATE.fullmatch(if_modified_since) else None
    if since is None:
        return False
    # A date to come is none that we gave (RFC 9110, 13.1.3 counts by our clock): only a wrong clock has it.
    # What changed within this very second may change again in it.
    changed = whole_second(last_modified)
    return changed <= since <= now and changed < whole_second(now)


def _tags(header: str) -> Iterator[tuple[bool, str]]:
    """Yield each entity tag in a list: whether it is weak, and what stands between the quotes."""
    return ((match[1] is not None, match[2]) for match in _TAG.finditer(header))


def _names(header: str, tag: str) -> bool:
    """Say whether If-None-Match names a tag; it compares weakly (RFC 9110, 8.8.3.2), for caches weaken ours."""
    return header == tag or header.strip() == "*" or any(f'"{opaque}"' == tag for _, opaque in _tags(header))


class _NotModified(Response):
    """A 304 that keeps its Last-Modified: werkzeug would drop it."""

    def get_wsgi_headers(self, environ: dict[str, object]) -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers.extend((name, value) for name, value in self.headers if name == "Last-Modified")
        return headers


def matches_version(if_match: str | None, version: str, *, end: str) -> bool:
    """Say whether an If-Match names this version: in any encoding, in a list, or as "*" (RFC 9110, 13.1.1).

    In a tag, the version ends at `end`. The comparison is strong: a weak tag matches nothing. Raises
    PreconditionRequired where the header is missing.
    """
    if if_match is None:
        raise PreconditionRequired(
            Sentence("Send If-Match with the ETag that you were given, or * to change it whatever it is.")
        )
    named = any(not weak and opaque.partition(end)[0] == version for weak, opaque in _tags(if_match))
    return named or if_match.strip() == "*"


def check_revision(if_match: str | None, revision: int) -> None:
    """Refuse a change by a caller who does not know this revision (PreconditionRequired, Stale)."""
    if not matches_version(if_match, str(revision), end="."):
        raise Stale(
            Sentence(
                "This is at revision %(revision)s now; read it again, and send the ETag that comes with it.",
                revision=revision,
            )
        )


def check_etag(if_match: str | None, etag: str) -> None:
    """Refuse a change by a caller who does not know this version, in any encoding (PreconditionRequired, Stale)."""
    if not matches_version(if_match, etag, end="-"):
        raise Stale(Sentence("This was changed since; read it again, and send the ETag that comes with it."))


def answer_preflights(app: Flask) -> None:
    """Let `app` answer a browser that asks, for a page of another origin, what it may send (the Fetch standard, 4.9).

    Any origin may read what is public, with conditional headers and without credentials. Nothing else is allowed: no
    cookie, no token and no unsafe method ever comes from another origin's page.
    """

    @app.after_request
    def allow_reading(answer: Response) -> Response:
        wanted = request.headers.get("Access-Control-Request-Method")
        if request.method == "OPTIONS" and wanted in {"GET", "HEAD"} and "GET" in (answer.allow or ()):
            answer.headers["Access-Control-Allow-Origin"] = "*"
            answer.headers["Access-Control-Allow-Methods"] = "GET, HEAD"
            answer.headers["Access-Control-Allow-Headers"] = "Accept, If-Modified-Since, If-None-Match"
            answer.headers["Access-Control-Max-Age"] = "86400"
        return answer
