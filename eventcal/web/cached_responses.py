"""WSGI middleware that serves responses from the cache, and the documents that are rendered on a cache miss.

The middleware handles GET and HEAD requests for public responses. A cache hit needs no routing and only one SQL
statement, which reads the feed state. On a cache miss, the middleware passes the feed state to Flask, so that the
response is cached under a revision that is not newer than its content. If a request has a cookie or an Authorization
header, the middleware serves cached pages, which do not depend on the user, but no other cached responses.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from functools import partial
from http import HTTPStatus
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from eventcal.feeds.clients import MAX_USER_AGENT_LENGTH, detect_client_kind
from eventcal.feeds.index.models import FeedState, read_feed_state
from eventcal.web.http.conditional import PUBLIC, conditional_headers_and_body, conditional_response, etag_of
from eventcal.web.http.representation import RenderSource, Representation
from eventcal.web.i18n import preferred_language
from eventcal.web.process_state import ResponseKey, request_url
from eventcal.web.request.context import EXTENSION_KEY, Services, now, read_session, services

_FEED_STATE_KEY = "eventcal.state"


class ResponseCacheMiddleware:
    """WSGI middleware that serves a cached response or, on a cache miss, calls the wrapped Flask app."""

    def __init__(self, app: Flask) -> None:
        self._app: WSGIApplication = app.wsgi_app
        self._extensions = app.extensions

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        here: Services = self._extensions[EXTENSION_KEY]
        url = _cache_url(here, environ) if environ["REQUEST_METHOD"] in {"GET", "HEAD"} else None
        if url is None:
            return self._app(environ, start_response)
        try:
            state = feed_state_for(environ, here)
        except SQLAlchemyError:
            # If the feed state cannot be read, the Flask app reports the database error.
            return self._app(environ, start_response)
        representation = here.responses.get(ResponseKey.build(url, state.revision, here.clock.now()))
        if representation is None:
            return self._app({**environ, _FEED_STATE_KEY: state}, start_response)
        return _send_cached(representation, here, environ, start_response=start_response)


def feed_state_for(environ: WSGIEnvironment, services: Services) -> FeedState:
    """Return the feed state that the middleware has read, or else read the feed state from the database.

    Read the feed state before the data, so that no response is cached under a revision that is newer than its data.
    """
    state: FeedState | None = environ.get(_FEED_STATE_KEY)
    if state is None:
        with services.database.single_select_connection() as connection:
            state = read_feed_state(connection)
    return state


def _cache_url(services: Services, environ: WSGIEnvironment) -> str | None:
    """Return the URL under which a response to the request is cached, or None if no response is cached."""
    url = request_url(environ)
    names_nobody = "HTTP_COOKIE" not in environ and "HTTP_AUTHORIZATION" not in environ
    if names_nobody and services.responses.has_url(url):
        return url
    in_language = request_url(environ, preferred_language(environ))
    return in_language if services.responses.has_url(in_language) else None


def _send_cached(
    representation: Representation, services: Services, environ: WSGIEnvironment, *, start_response: StartResponse
) -> Iterable[bytes]:
    moment = services.clock.now()
    headers, body = conditional_headers_and_body(representation, environ, moment)
    status = HTTPStatus.OK if body is not None else HTTPStatus.NOT_MODIFIED
    if body is not None:
        headers.append(("Content-Length", str(len(body))))
    start_response(f"{status.value} {status.phrase}", headers)
    if representation.fetch_key is not None:
        client = detect_client_kind(environ.get("HTTP_USER_AGENT", "")[:MAX_USER_AGENT_LENGTH])
        if services.fetch_counter.increment(representation.fetch_key, client, status=status.value, now=moment):
            services.background.submit(partial(services.fetch_counter.flush, services.database))
    return [body] if body is not None and environ["REQUEST_METHOD"] == "GET" else []


class Snapshot(NamedTuple):
    """The input for rendering. `session` reads data that is at least as new as `state`. `now` is in UTC."""

    session: Session
    state: FeedState
    now: datetime


class RenderedBody(NamedTuple):
    """A rendered body, its version (by default a hash of the body), and the source for incremental rendering."""

    body: bytes
    version: str | None = None
    source: RenderSource | None = None


@dataclass(kw_only=True)
class Document(ABC):
    """Base class for rendered documents. An instance serves one request, for which `load` and then `render` are called.

    `cacheable`: whether the document depends only on the public data and the current day.
    `changes_daily`: whether the document can change at midnight (UTC) while the data stays the same.
    The `load` method can set any attribute except `language`.
    """

    media_type: str
    filename: str | None = None
    cache_control: str = PUBLIC
    link: str | None = None
    fetch_key: str | None = None
    language: str | None = None
    extra_headers: tuple[tuple[str, str], ...] = ()
    cacheable: bool = True
    changes_daily: bool = True

    @abstractmethod
    def load(self, snapshot: Snapshot, /) -> None:
        """Load the resource. Raises an error such as NotFound if the resource does not exist."""

    @abstractmethod
    def render(self, snapshot: Snapshot, previous_source: RenderSource | None, /) -> RenderedBody:
        """Render the resource. `previous_source` is the source of the previously cached representation, or None."""

    def last_modified(self, state: FeedState, moment: datetime) -> datetime | None:
        """Return the latest time at which the document may have changed, or None if the document is not cacheable."""
        if not self.cacheable:
            return None
        midnight = datetime.combine(moment.astimezone(UTC).date(), time(), tzinfo=UTC)
        return max(state.changed_at, midnight) if self.changes_daily else state.changed_at


def serve_cached(document: Document) -> Response:
    """Return the cached response to a GET request. On a cache miss, render and cache the document.

    While one request renders a document, concurrent requests for the same URL wait without using a database connection.
    The `load` and `render` methods must not call `serve_cached`, because both calls could need the same lock.
    """
    moment = now()
    cache = services().responses
    state = feed_state_for(request.environ, services())
    key = ResponseKey.build(request_url(request.environ, document.language), state.revision, moment)
    found = cache.get(key)
    if found is None:
        with cache.get_render_lock(key):
            found = cache.get(key) or _render_document(document, state, moment, previous=cache.get_same_or_earlier(key))
            if found.last_modified is not None:
                cache.put(key, found)
    return conditional_response(found, moment)


def serve_uncached(document: Document) -> Response:
    moment = now()
    return conditional_response(render_uncached(document, moment), moment)


def render_uncached(document: Document, moment: datetime) -> Representation:
    return _render_document(document, feed_state_for(request.environ, services()), moment, previous=None)


def _render_document(
    document: Document, state: FeedState, moment: datetime, *, previous: Representation | None
) -> Representation:
    """Render a document, reusing the content encodings of the previous representation if the body is unchanged."""
    with read_session() as session:
        snapshot = Snapshot(session, state, moment)
        document.load(snapshot)
        rendered = document.render(snapshot, previous.source if previous else None)
    representation = Representation(
        body=rendered.body,
        media_type=document.media_type,
        etag=rendered.version or etag_of(rendered.body),
        last_modified=document.last_modified(state, moment),
        cache_control=document.cache_control,
        filename=document.filename,
        link=document.link,
        fetch_key=document.fetch_key,
        language=document.language,
        extra_headers=document.extra_headers,
        source=rendered.source,
    )
    if previous is not None and previous == replace(representation, last_modified=previous.last_modified):
        return replace(previous, last_modified=representation.last_modified, source=representation.source)
    return representation
