"""JSON responses with ETags: rendered for each request of a signed-in member, cached for anonymous requests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import orjson
from flask import Response, request
from sqlalchemy.orm import Session

from eventcal.web.http.conditional import check_etag, check_revision, etag_of, revision_etag, serve
from eventcal.web.http.representation import Origin, Representation
from eventcal.web.identity.current_user import caller
from eventcal.web.request.context import now, services
from eventcal.web.schemas.out import Json
from eventcal.web.serving import Document, Rendered, Snapshot, serve_cached, serve_uncached

JSON = "application/json"
# Only private caches may store the response, and they must revalidate it each time.
TO_ONE = "private, no-cache"


def json_response(
    body: object,
    status: int = 200,
    *,
    location: str | None = None,
    revision: int | None = None,
    versioned: bool = False,
) -> Response:
    """Return an uncacheable JSON response to a request that changed something, with Location and ETag if they apply.

    The ETag is made from `revision`, or with `versioned` from the bytes of the body.
    """
    raw = orjson.dumps(body)
    response = Response(raw, status=status, mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    if location is not None:
        response.headers["Location"] = location
    if revision is not None:
        response.headers["ETag"] = f'"{revision_etag(revision, services().ledger.renderer_version)}"'
    elif versioned:
        response.headers["ETag"] = f'"{etag_of(raw)}"'
    return response


def check_version(revision: int) -> None:
    """Check If-Match against the revision of a resource. Raises PreconditionRequired, VersionConflict."""
    check_revision(request.headers.get("If-Match"), revision)


def check_if_match(body: object) -> None:
    """Check If-Match against the bytes of a resource that has no revision.

    Raises PreconditionRequired, VersionConflict.
    """
    check_etag(request.headers.get("If-Match"), etag_of(orjson.dumps(body)))


@dataclass(frozen=True, kw_only=True)
class Content:
    """The content of a response: its body, its version unless that is a hash of the body, and whether it is public.

    daily: see Document. link: the Link header of a page of a list.
    """

    body: bytes
    version: str | None = None
    public: bool = True
    media_type: str = JSON
    daily: bool = True
    link: str | None = None


def resource(body: Json, *, revision: int, public: bool) -> Content:
    """Return the content for a resource that is versioned by its revision."""
    version = revision_etag(revision, services().ledger.renderer_version)
    return Content(body=orjson.dumps(body), version=version, public=public, daily=False)


def document(body: object, *, public: bool = True, link: str | None = None) -> Content:
    """Return the content for any other JSON body, versioned by a hash of its bytes."""
    return Content(body=orjson.dumps(body), public=public, link=link)


Read = Callable[[Session], Content]
"""A function that reads the content of a response from the database, and raises an error if it does not exist."""


@dataclass(kw_only=True)
class _ApiDocument(Document):
    """The document for an API view's content."""

    read: Read
    media_type: str = JSON
    content: Content = field(init=False)

    def find(self, snapshot: Snapshot, /) -> None:
        self.content = content = self.read(snapshot.session)
        self.media_type, self.link, self.daily = content.media_type, content.link, content.daily
        if not content.public:
            self.cache_control, self.dated = TO_ONE, False

    def render(self, _snapshot: Snapshot, _earlier: Origin | None, /) -> Rendered:
        return Rendered(self.content.body, self.content.version)


def serve_public(read: Read, *, to_all: bool = False, dated: bool = True) -> Response:
    """Serve content from the cache to anonymous callers, and with `to_all` (the same for all users) also to members.

    dated: false for content that changes as time passes; such content is not cached and has no Last-Modified.
    """
    found = _ApiDocument(read=read, dated=dated)
    return serve_cached(found) if dated and (to_all or not caller().is_signed_in) else serve_uncached(found)


def cached(read: Callable[..., Content]) -> Callable[..., Response]:
    """Return a view that calls `read` with a database session and the view's arguments, and uses `serve_public`."""

    @wraps(read)
    def view(*args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - whatever the route gives
        return serve_public(lambda session: read(session, *args, **kwargs))

    return view


def serve_private(body: object, *, link: str | None = None) -> Response:
    """Serve JSON that is private to the current user."""
    raw = orjson.dumps(body)
    rendition = Representation(
        body=raw, media_type=JSON, etag=etag_of(raw), last_modified=None, cache_control=TO_ONE, link=link
    )
    return serve(rendition, now())
