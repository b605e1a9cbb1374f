"""Conditional requests: validators, 304 responses, If-Match checks, and CORS for public resources.

See RFC 9110, sections 8.8 (validators) and 13 (preconditions), and RFC 9111 (Vary and Cache-Control). Range requests
are not supported. An entity tag consists of a version, which is named `etag` in this module, and a suffix for the
content encoding. The version of a resource from the database begins with the epoch of the database.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from http import HTTPStatus
from typing import NamedTuple

from flask import Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import PreconditionRequired
from werkzeug.http import http_date, parse_date

from eventcal.kit.bounded_cache import bounded_cache
from eventcal.kit.clock import truncate_to_second
from eventcal.kit.errors import Message, Overloaded, VersionConflict
from eventcal.kit.text import truncate_list
from eventcal.web.http.content_encoding import IDENTITY, acceptable_codings
from eventcal.web.http.representation import Representation
from eventcal.web.http.slow_clients import has_memory_for

# Caches must revalidate pages before each use. Shared caches must not store a response that is specific to a user.
PUBLIC = "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400"
PUBLIC_REVALIDATE = "public, no-cache"
PRIVATE = "private, max-age=300"
# The minimum size in bytes of a body that benefits from compression.
_SMALLEST_COMPRESSED = 200
# Content that depends on the day gets a new modification date at midnight (UTC).
# In the minute after midnight, a transaction that began before midnight can still commit with an older date.
_MIDNIGHT_GRACE = timedelta(minutes=1)
# A change is visible after its commit, which can be later than the second in which it is dated. Changes in the same
# second have the same date. Dates are therefore sent and compared when the second and the time of a commit are over.
_SETTLING_TIME = timedelta(seconds=2)
_ENTITY_TAG = re.compile(r'(W/)?"([^"]*)"')
_HTTP_DATE = re.compile(
    r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT"
    r"|[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}",
    re.ASCII,
)
_cached_http_date = bounded_cache(200_000)(http_date)
# A longer If-None-Match or If-Match header is truncated.
_MAX_ENTITY_TAGS_LENGTH = 4_000


def etag_of(body: bytes) -> str:
    """Return a hash of the body as 32 hexadecimal digits."""
    return blake2b(body, digest_size=16).hexdigest()


def revision_etag(revision: int, renderer: str) -> str:
    """Return a version such as "17.ab12cd34", which consists of a revision and a hash of the renderer version."""
    return f"{revision}.{blake2b(renderer.encode(), digest_size=4).hexdigest()}"


def version_in_epoch(epoch: str, version: str) -> str:
    """Return a version that no resource had before the database was restored from a backup."""
    return f"{epoch}.{version}"


def entity_tag(etag: str, coding: str) -> str:
    """Return the quoted strong entity tag for a version and a content encoding."""
    return f'"{etag}"' if coding == IDENTITY else f'"{etag}-{coding}"'


class ConditionalResponse(NamedTuple):
    """A 200 response, or a 304 response without a body.

    `constant_from`: the earliest time at which this response is sent to the same request, or None if another response
    may be sent before midnight (UTC).
    """

    status: HTTPStatus
    headers: list[tuple[str, str]]
    body: bytes | None
    constant_from: datetime | None


def conditional_response(representation: Representation, now: datetime) -> Response:
    """Return a 304 response, or a 200 response in the preferred content encoding, but never a 406 response.

    Raises Overloaded if the body is large and too many large bodies are being sent.
    """
    found = evaluate_conditions(representation, request.environ, now)
    if found.body is None:
        return _NotModified(status=304, headers=found.headers)
    if not has_memory_for(found.body):
        raise Overloaded(Message("The server is sending too many large responses. Try again in a few seconds."))
    return Response(found.body, headers=found.headers)


def evaluate_conditions(
    representation: Representation, environ: Mapping[str, str], now: datetime
) -> ConditionalResponse:
    """Return the response to a GET request, which has the same headers as the response to a HEAD request."""
    codings = acceptable_codings(environ.get("HTTP_ACCEPT_ENCODING")) if representation.compressible else (IDENTITY,)
    is_small = IDENTITY in codings and len(representation.body) < _SMALLEST_COMPRESSED
    coding = IDENTITY if is_small else codings[0]
    common = _common_headers(
        representation.etag,
        representation.cache_control,
        coding,
        compressible=representation.compressible,
        translated=representation.language is not None,
    )
    headers = [*common, *representation.extra_headers]
    constant_from = dates_reliable_from = _midnight(now) + _MIDNIGHT_GRACE
    changed = None
    if representation.last_modified is not None and now >= dates_reliable_from:
        changed = truncate_to_second(representation.last_modified)
        headers.append(("Last-Modified", _cached_http_date(min(changed, truncate_to_second(now) - _SETTLING_TIME))))
        constant_from = max(constant_from, changed + _SETTLING_TIME)
    if_none_match = environ.get("HTTP_IF_NONE_MATCH")
    if if_none_match is not None:
        is_unchanged = _matches_if_none_match(if_none_match, entity_tag(representation.etag, coding))
    else:
        since = _parse_http_date(environ.get("HTTP_IF_MODIFIED_SINCE", ""))
        is_unchanged = changed is not None and since is not None and _is_unchanged_since(changed, since, now)
        constant_from = max(constant_from, since or constant_from)
    stable_from = constant_from if constant_from <= now else None
    if is_unchanged:
        return ConditionalResponse(HTTPStatus.NOT_MODIFIED, headers, None, stable_from)
    headers += _body_headers(representation.media_type, representation.filename, representation.link, coding=coding)
    if representation.language is not None:
        headers.append(("Content-Language", representation.language))
    body = representation.encoded_body(coding)
    headers.append(("Content-Length", str(len(body))))
    return ConditionalResponse(HTTPStatus.OK, headers, body, stable_from)


@bounded_cache(500_000)
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


@bounded_cache(500_000)
def _body_headers(media_type: str, filename: str | None, link: str | None, *, coding: str) -> list[tuple[str, str]]:
    headers = [("Content-Type", media_type), ("Accept-Ranges", "none")]
    if coding != IDENTITY:
        headers.append(("Content-Encoding", coding))
    if filename is not None:
        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", filename).lstrip(".-") or "download"
        headers.append(("Content-Disposition", f'inline; filename="{safe}"'))
    if link is not None:
        headers.append(("Link", link))
    return headers


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _parse_http_date(header: str) -> datetime | None:
    return parse_date(header) if _HTTP_DATE.fullmatch(header) else None


def _is_unchanged_since(changed: datetime, since: datetime, now: datetime) -> bool:
    """Return whether the resource has not changed since the If-Modified-Since date (RFC 9110, section 13.1.3)."""
    # An If-Modified-Since date in the future is ignored, because Last-Modified is never in the future.
    return changed <= since <= now and changed <= truncate_to_second(now) - _SETTLING_TIME


def _iter_entity_tags(header: str) -> Iterator[tuple[bool, str]]:
    """Yield a pair for each entity tag in a header: whether the tag is weak, and the value without quotes."""
    return (
        (match[1] is not None, match[2])
        for match in _ENTITY_TAG.finditer(truncate_list(header, _MAX_ENTITY_TAGS_LENGTH))
    )


def _matches_if_none_match(header: str, tag: str) -> bool:
    """Return whether If-None-Match matches an entity tag by weak comparison (RFC 9110, section 8.8.3.2)."""
    return header == tag or header.strip() == "*" or any(f'"{value}"' == tag for _, value in _iter_entity_tags(header))


class _NotModified(Response):
    """A 304 response that preserves the Last-Modified header, which Werkzeug would remove."""

    def get_wsgi_headers(self, environ: dict[str, object]) -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers.extend((name, value) for name, value in self.headers if name == "Last-Modified")
        return headers


def matches_version(if_match: str | None, version: str, *, separator: str) -> bool:
    """Return whether If-Match is "*" or matches a version in any content encoding (RFC 9110, section 13.1.1).

    In an entity tag, the version is followed by nothing or by `separator` and a suffix. The comparison is strong, so
    weak entity tags never match. Raises PreconditionRequired if `if_match` is None.
    """
    if if_match is None:
        raise PreconditionRequired(
            Message("Send If-Match with the ETag of the version that you want to change, or * for any version.")
        )
    prefix = version + separator
    named = any(not weak and f"{opaque}{separator}".startswith(prefix) for weak, opaque in _iter_entity_tags(if_match))
    return named or if_match.strip() == "*"


def check_revision(if_match: str | None, revision: int, *, epoch: str) -> None:
    """Raise PreconditionRequired if If-Match is missing, or VersionConflict if If-Match does not match the revision."""
    if not matches_version(if_match, version_in_epoch(epoch, str(revision)), separator="."):
        raise VersionConflict(
            Message(
                "The current revision is %(revision)s. Read the resource again and send its ETag.", revision=revision
            )
        )


def check_etag(if_match: str | None, etag: str) -> None:
    """Raise PreconditionRequired if If-Match is missing, or VersionConflict if If-Match does not match the version."""
    if not matches_version(if_match, etag, separator="-"):
        raise VersionConflict(Message("The resource has changed. Read it again and send its ETag."))


def register_cors_preflight(app: Flask) -> None:
    """Register the response to CORS preflight requests, as defined in the Fetch standard.

    Pages from any origin can read public resources and send conditional requests. Cross-origin requests cannot use
    cookies, tokens or unsafe methods.
    """

    @app.after_request
    def add_preflight_headers(response: Response) -> Response:
        wanted = request.headers.get("Access-Control-Request-Method")
        if request.method == "OPTIONS" and wanted in {"GET", "HEAD"} and "GET" in (response.allow or ()):
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD"
            response.headers["Access-Control-Allow-Headers"] = "Accept, If-Modified-Since, If-None-Match"
            response.headers["Access-Control-Max-Age"] = "86400"
        return response
