"""JSON responses with ETags. Responses that are the same for all users are cached."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import orjson
from flask import Response, request
from sqlalchemy.orm import Session

from eventcal.kit.database import read_epoch
from eventcal.web.documents import Document, RenderedBody, Snapshot, serve_cached, serve_uncached
from eventcal.web.http.conditional import (
    check_etag,
    check_revision,
    conditional_response,
    etag_of,
    revision_etag,
    version_in_epoch,
)
from eventcal.web.http.representation import RenderSource, Representation
from eventcal.web.identity.current_user import caller
from eventcal.web.request.context import now, read_session, services

JSON = "application/json"
# Allow only private caches to store a response, and require them to revalidate it before each use.
PRIVATE_REVALIDATE = "private, no-cache"


def json_response(
    body: object,
    status: int = 200,
    *,
    location: str | None = None,
    revision: int | None = None,
    with_body_etag: bool = False,
) -> Response:
    """Return an uncacheable JSON response, with an ETag if `revision` is given or `with_body_etag` is true."""
    raw = orjson.dumps(body)
    response = Response(raw, status=status, mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    if location is not None:
        response.headers["Location"] = location
    if revision is not None:
        response.headers["ETag"] = f'"{_in_current_epoch(_revision_version(revision))}"'
    elif with_body_etag:
        response.headers["ETag"] = f'"{_in_current_epoch(etag_of(raw))}"'
    return response


def check_if_match(body: object = None, *, revision: int | None = None) -> None:
    """Check the `If-Match` header against a revision or, for resources without a revision, a JSON representation."""
    if_match = request.headers.get("If-Match")
    if revision is None:
        check_etag(if_match, _in_current_epoch(etag_of(orjson.dumps(body))))
    else:
        check_revision(if_match, revision, epoch=_current_epoch())


def _current_epoch() -> str:
    with read_session() as session:
        return read_epoch(session)


def _in_current_epoch(version: str) -> str:
    return version_in_epoch(_current_epoch(), version)


@dataclass(frozen=True, kw_only=True)
class Content:
    """The body and metadata of a response. The ETag is derived from `version` or, by default, from the body."""

    body: bytes
    version: str | None = None
    public: bool = True
    media_type: str = JSON
    link: str | None = None


def json_content(body: object, *, revision: int | None = None, public: bool = True, link: str | None = None) -> Content:
    version = None if revision is None else _revision_version(revision)
    return Content(body=orjson.dumps(body), version=version, public=public, link=link)


def _revision_version(revision: int) -> str:
    return revision_etag(revision, services().feed_index.renderer_version)


@dataclass(kw_only=True)
class _ApiDocument(Document):
    load_content: Callable[[Session], Content]
    media_type: str = JSON
    content: Content = field(init=False)

    def load(self, snapshot: Snapshot, /) -> None:
        self.content = content = self.load_content(snapshot.session)
        self.media_type, self.link, self.changes_daily = content.media_type, content.link, content.version is None
        if not content.public:
            self.cache_control, self.cacheable = PRIVATE_REVALIDATE, False

    def render(self, _snapshot: Snapshot, _previous_source: RenderSource | None, /) -> RenderedBody:
        return RenderedBody(self.content.body, self.content.version)


def serve_content(
    load_content: Callable[[Session], Content], *, same_for_all: bool = False, cacheable: bool = True
) -> Response:
    """Serve content. Cacheable content is served from the cache if the caller is anonymous or `same_for_all` is true.

    `cacheable`: whether only changes to the data change the content. Uncacheable content has no Last-Modified header.
    """
    found = _ApiDocument(load_content=load_content, cacheable=cacheable)
    return serve_cached(found) if cacheable and (same_for_all or not caller().is_signed_in) else serve_uncached(found)


def cached_view(load_content: Callable[..., Content]) -> Callable[..., Response]:
    """Return a view that serves the content that `load_content` returns for a database session."""

    @wraps(load_content)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        return serve_content(lambda session: load_content(session, *args, **kwargs))

    return wrapper


def private_json(body: object, *, link: str | None = None) -> Response:
    raw = orjson.dumps(body)
    representation = Representation(
        body=raw,
        media_type=JSON,
        etag=_in_current_epoch(etag_of(raw)),
        last_modified=None,
        cache_control=PRIVATE_REVALIDATE,
        link=link,
    )
    return conditional_response(representation, now())
