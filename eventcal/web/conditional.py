"""Serving a public GET: which encoding, which validators, and when nothing need be sent.

RFC 9110: validators 8.8, preconditions 13. RFC 9111: Vary, Cache-Control. Ranges are
not served. An entity tag is a version and a suffix for the coding; in this module an `etag` is the bare version.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from flask import Request, Response
from werkzeug.datastructures import Headers
from werkzeug.http import http_date, parse_date

from eventcal.kit.clock import whole_second
from eventcal.kit.refusals import Stale
from eventcal.web.encodings import IDENTITY, acceptable_codings, encode
from eventcal.web.errors import PreconditionRequired

PUBLIC = "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400"
"""Cache-Control of what everybody may see."""

PRIVATE = "private, max-age=300"
"""Cache-Control of what belongs to one person, such as a secret feed."""

SMALLEST_COMPRESSED = 200
"""Bodies of fewer bytes go out as they are: compressing gains nothing there."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """What answers a conditional request without any body: see `unchanged`."""

    etag: str
    last_modified: datetime | None
    cache_control: str


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """A finished body and all that is said of it. Each encoding is made once, when somebody first takes it.

    etag: names the version, without quotes and without a suffix for the encoding.
    last_modified: never goes backwards; None where nobody knows.
    filename: what a download is called, or None; reduced to safe ASCII.
    link: the Link header of a page of a list.
    """

    body: bytes
    media_type: str
    etag: str
    last_modified: datetime | None
    cache_control: str
    filename: str | None = None
    link: str | None = None
    _encoded: dict[str, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @property
    def version(self) -> Version:
        """Return what names this body."""
        return Version(etag=self.etag, last_modified=self.last_modified, cache_control=self.cache_control)

    def encoded(self, coding: str) -> bytes:
        """Return the body in a coding: br, zstd, gzip or identity."""
        if coding == IDENTITY:
            return self.body
        # Whoever comes while it is being made waits for it: cheaper than making it twice.
        with self._lock:
            if coding not in self._encoded:
                self._encoded[coding] = encode(self.body, coding)
            return self._encoded[coding]

    def weight(self) -> int:
        """Return how many bytes this holds by now."""
        return len(self.body) + sum(map(len, tuple(self._encoded.values())))


def etag_of(body: bytes) -> str:
    """Return a version that is the body's own: 32 hex digits."""
    return blake2b(body, digest_size=16).hexdigest()


def revision_etag(revision: int, renderer: str) -> str:
    """Return a version such as "17.ab12cd34": the resource's revision, and what rendered it."""
    return f"{revision}.{blake2b(renderer.encode(), digest_size=4).hexdigest()}"


def entity_tag(etag: str, coding: str) -> str:
    """Return the strong entity tag of a version in a coding, in its quotes."""
    return f'"{etag}"' if coding == IDENTITY else f'"{etag}-{coding}"'


def serve(rendition: Rendition, request: Request, now: datetime) -> Response:
    """Return the answer to a GET or HEAD: 304, or 200 in the encoding that the caller likes best; never 406."""
    coding = _chosen(rendition, acceptable_codings(request.headers.get("Accept-Encoding")))
    version = rendition.version
    if _is_current(request, version, coding=coding, now=now):
        return _not_modified(version, coding, now=now)
    answer = Response(rendition.encoded(coding), content_type=rendition.media_type)
    _describe(answer, version, coding, now=now)
    answer.headers["Accept-Ranges"] = "none"
    if coding != IDENTITY:
        answer.headers["Content-Encoding"] = coding
    if rendition.filename is not None:
        answer.headers["Content-Disposition"] = f'inline; filename="{_safe(rendition.filename)}"'
    if rendition.link is not None:
        answer.headers["Link"] = rendition.link
    return answer


def unchanged(version: Version, request: Request, now: datetime) -> Response | None:
    """Return the 304 where the version alone shows it, so that nothing needs to be rendered; else None.

    None says nothing yet: `serve` knows the body, and so also what a small one is tagged with.
    """
    coding = acceptable_codings(request.headers.get("Accept-Encoding"))[0]
    header = request.headers.get("If-None-Match")
    if header is None or not _names(header, entity_tag(version.etag, coding)):
        return None
    return _not_modified(version, coding, now=now)


def _chosen(rendition: Rendition, codings: tuple[str, ...]) -> str:
    if IDENTITY in codings and len(rendition.body) < SMALLEST_COMPRESSED:
        return IDENTITY
    return codings[0]


def _is_current(request: Request, version: Version, *, coding: str, now: datetime) -> bool:
    """Say whether the caller has this already (RFC 9110, 13.2.2): If-None-Match wins over If-Modified-Since."""
    header = request.headers.get("If-None-Match")
    if header is not None:
        return header.strip() == "*" or _names(header, entity_tag(version.etag, coding))
    since = _http_date(request.headers.get("If-Modified-Since"))
    if since is None or version.last_modified is None:
        return False
    # A date to come is none that we gave (RFC 9110, 13.1.3 counts by our clock): only a wrong clock has it.
    # What changed within this very second may change again in it.
    changed = whole_second(version.last_modified)
    return changed <= since <= now and changed < whole_second(now)


_TAG = re.compile(r'(W/)?"([^"]*)"')


def _tags(header: str) -> Iterator[tuple[bool, str]]:
    """Yield each entity tag in a list: whether it is weak, and what stands between the quotes."""
    return ((match[1] is not None, match[2]) for match in _TAG.finditer(header))


def _names(header: str, tag: str) -> bool:
    """Compare weakly (RFC 9110, 8.8.3.2), as If-None-Match does: caches weaken our tags on the way."""
    return any(f'"{opaque}"' == tag for _, opaque in _tags(header))


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


def _not_modified(version: Version, coding: str, *, now: datetime) -> Response:
    answer = _NotModified(status=304)
    _describe(answer, version, coding, now=now)
    return answer


def _describe(answer: Response, version: Version, coding: str, *, now: datetime) -> None:
    """Say what 200 and 304 have in common."""
    answer.headers["ETag"] = entity_tag(version.etag, coding)
    if version.last_modified is not None:
        # A second change within the second of the first must not hide behind the same date (RFC 9110, 8.8.2.2):
        # until that second is over, the thing was last modified before it.
        earlier = whole_second(now) - timedelta(seconds=1)
        answer.headers["Last-Modified"] = http_date(min(whole_second(version.last_modified), earlier))
    answer.headers["Cache-Control"] = version.cache_control
    answer.headers["Vary"] = "Accept-Encoding"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Access-Control-Expose-Headers"] = "ETag, Last-Modified, Link, Content-Disposition"


def _safe(filename: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", filename).lstrip(".-") or "download"


def matches_revision(if_match: str, revision: int) -> bool:
    """Say whether an If-Match names this revision: in any encoding, in a list, or as "*" (RFC 9110, 13.1.1).

    The comparison is strong: a weak tag matches nothing.
    """
    if if_match.strip() == "*":
        return True
    return any(not weak and opaque.partition(".")[0] == str(revision) for weak, opaque in _tags(if_match))


def check_revision(if_match: str | None, revision: int) -> None:
    """Return if the caller knows the revision that they change.

    Raises PreconditionRequired where the header is missing, Stale where it names another revision.
    """
    if not matches_revision(_given(if_match), revision):
        raise Stale(f"This is at revision {revision} now; read it again, and send the ETag that comes with it.")


def check_etag(if_match: str | None, etag: str) -> None:
    """Return if the caller knows the version that they change, in any encoding; refuses as check_revision does."""
    given = _given(if_match)
    if given.strip() != "*" and all(weak or opaque.partition("-")[0] != etag for weak, opaque in _tags(given)):
        raise Stale("This was changed since; read it again, and send the ETag that comes with it.")


def _given(if_match: str | None) -> str:
    if if_match is None:
        raise PreconditionRequired("Send If-Match with the ETag that you were given, or * to change it whatever it is.")
    return if_match


class RenditionKey(NamedTuple):
    """Which rendition: the URL with its query, the calendar's revision, and the day (UTC), which moves windows."""

    url: str
    generation: int
    day: date


class RenditionCache:
    """The renditions that were asked for last, within a bound in bytes; one for each URL, for all threads."""

    # What a rendition costs beside its bytes, roughly.
    _OVERHEAD = 1000

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[RenditionKey, Rendition, int]] = OrderedDict()
        self._total = 0

    def get(self, key: RenditionKey) -> Rendition | None:
        """Return what is kept for exactly this key."""
        with self._lock:
            kept = self._kept.get(key.url)
            if kept is None or kept[0] != key:
                return None
            # Encodings have been made since: weigh it again.
            self._put(key, kept[1])
            return kept[1]

    def put(self, key: RenditionKey, rendition: Rendition) -> None:
        """Keep a rendition in place of whatever was kept for its URL, unless it is larger than the bound."""
        with self._lock:
            self._put(key, rendition)

    def _put(self, key: RenditionKey, rendition: Rendition) -> None:
        self._drop(key.url)
        weight = rendition.weight() + len(key.url) + self._OVERHEAD
        if weight > self._largest:
            return
        self._kept[key.url] = (key, rendition, weight)
        self._total += weight
        while self._total > self._largest:
            self._drop(next(iter(self._kept)))

    def _drop(self, url: str) -> None:
        kept = self._kept.pop(url, None)
        if kept is not None:
            self._total -= kept[2]
