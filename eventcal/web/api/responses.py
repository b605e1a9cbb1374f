"""JSON responses with ETags. Responses that do not depend on the user are cached."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import orjson
from flask import Response, request
from sqlalchemy.orm import Session

from eventcal.web.cached_responses import Document, RenderedBody, Snapshot, serve_cached, serve_uncached
from eventcal.web.http.conditional import check_etag, check_revision, conditional_response, etag_of, revision_etag
from eventcal.web.http.representation import RenderSource, Representation
from eventcal.web.identity.current_user import caller
from eventcal.web.request.context import now, services
from eventcal.web.schemas.response_schema import Json

JSON = "application/json"
# Only private caches are allowed to store the response, and they must revalidate the response for each request.
PRIVATE_REVALIDATE = "private, no-cache"


def json_response(
    body: object,
    status: int = 200,
    *,
    location: str | None = None,
    revision: int | None = None,
    with_body_etag: bool = False,
) -> Response:
    """Return an uncacheable JSON response to an unsafe request.

    The ETag is derived from `revision` or, if `with_body_etag` is true, from the body.
    """
    raw = orjson.dumps(body)
    response = Response(raw, status=status, mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    if location is not None:
        response.headers["Location"] = location
    if revision is not None:
        response.headers["ETag"] = f'"{revision_etag(revision, services().feed_index.renderer_version)}"'
    elif with_body_etag:
        response.headers["ETag"] = f'"{etag_of(raw)}"'
    return response


def check_if_match_revision(revision: int) -> None:
    """Check If-Match against the revision of a resource. Raises PreconditionRequired or VersionConflict."""
    check_revision(request.headers.get("If-Match"), revision)


def check_if_match(body: object) -> None:
    """Check If-Match against a resource that has no revision. Raises PreconditionRequired or VersionConflict."""
    check_etag(request.headers.get("If-Match"), etag_of(orjson.dumps(body)))


@dataclass(frozen=True, kw_only=True)
class Content:
    """The content of a response.

    `version`: the value from which the ETag is derived, by default a hash of the body.
    `link`: the Link header for a page of a list.
    """

    body: bytes
    version: str | None = None
    public: bool = True
    media_type: str = JSON
    changes_daily: bool = True
    link: str | None = None


def revision_content(body: Json, *, revision: int, public: bool) -> Content:
    """Return the content for a resource whose ETag is derived from its revision."""
    version = revision_etag(revision, services().feed_index.renderer_version)
    return Content(body=orjson.dumps(body), version=version, public=public, changes_daily=False)


def json_content(body: object, *, public: bool = True, link: str | None = None) -> Content:
    """Return a `Content` object for a JSON body. The ETag is a hash of the bytes of the body."""
    return Content(body=orjson.dumps(body), public=public, link=link)


LoadContent = Callable[[Session], Content]
"""A function that reads the content of a response from the database, or raises an error such as NotFound."""


@dataclass(kw_only=True)
class _ApiDocument(Document):
    load_content: LoadContent
    media_type: str = JSON
    content: Content = field(init=False)

    def load(self, snapshot: Snapshot, /) -> None:
        self.content = content = self.load_content(snapshot.session)
        self.media_type, self.link, self.changes_daily = content.media_type, content.link, content.changes_daily
        if not content.public:
            self.cache_control, self.cacheable = PRIVATE_REVALIDATE, False

    def render(self, _snapshot: Snapshot, _previous_source: RenderSource | None, /) -> RenderedBody:
        return RenderedBody(self.content.body, self.content.version)


def serve_content(load_content: LoadContent, *, same_for_all: bool = False, cacheable: bool = True) -> Response:
    """Serve content from the cache if the caller is anonymous or `same_for_all` is true.

    `cacheable`: whether the content changes only with the data. Only cacheable content has a Last-Modified header.
    """
    found = _ApiDocument(load_content=load_content, cacheable=cacheable)
    return serve_cached(found) if cacheable and (same_for_all or not caller().is_signed_in) else serve_uncached(found)


def cached_view(load_content: Callable[..., Content]) -> Callable[..., Response]:
    """Return a view that calls `load_content` with a session and the view arguments, and serves the content."""

    @wraps(load_content)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        return serve_content(lambda session: load_content(session, *args, **kwargs))

    return wrapper


def serve_private_json(body: object, *, link: str | None = None) -> Response:
    """Serve JSON that is private to the current user."""
    raw = orjson.dumps(body)
    representation = Representation(
        body=raw, media_type=JSON, etag=etag_of(raw), last_modified=None, cache_control=PRIVATE_REVALIDATE, link=link
    )
    return conditional_response(representation, now())
