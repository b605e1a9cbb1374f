"""Cached responses: the WSGI middleware that serves them before Flask, and the documents that they are rendered from.

The middleware handles GET and HEAD requests for public responses. A cache hit costs one SQL statement (the feed state)
and no routing. All other requests are passed on to Flask, on a cache miss with the state that was read, so that the
response is cached under a revision that is not newer than its content. Requests with a cookie or an Authorization
header are served from the cache only for pages, because cached pages do not depend on the user.
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
from eventcal.web.cache import ResponseKey, url_of
from eventcal.web.http.conditional import PUBLIC, decide, etag_of, serve
from eventcal.web.http.representation import Origin, Representation
from eventcal.web.i18n import language_of
from eventcal.web.request.context import EXTENSION, Services, now, reading, services

_STATE = "eventcal.state"


class ResponseCacheMiddleware:
    """WSGI middleware that serves cached responses, or calls the wrapped Flask app."""

    def __init__(self, app: Flask) -> None:
        self._app: WSGIApplication = app.wsgi_app
        self._extensions = app.extensions

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve the cached response, or pass the request on."""
        here: Services = self._extensions[EXTENSION]
        url = _kept_under(here, environ) if environ["REQUEST_METHOD"] in {"GET", "HEAD"} else None
        if url is None:
            return self._app(environ, start_response)
        try:
            state = state_for(environ, here)
        except SQLAlchemyError:
            # The app will get the same error and report it.
            return self._app(environ, start_response)
        rendition = here.renditions.get(ResponseKey.at(url, state.revision, here.clock.now()))
        if rendition is None:
            return self._app({**environ, _STATE: state}, start_response)
        return _send(rendition, here, environ, start_response)


def state_for(environ: WSGIEnvironment, here: Services) -> FeedState:
    """Return the feed state of this request: the one that the middleware read, or a new one.

    Data read afterwards is of this revision or a later one, so nothing older is cached under it.
    """
    state: FeedState | None = environ.get(_STATE)
    if state is None:
        with here.database.autocommit_connection() as connection:
            state = read_feed_state(connection)
    return state


def _kept_under(here: Services, environ: WSGIEnvironment) -> str | None:
    """Return the URL under which a response to this request is cached, including the language of pages, or None."""
    url = url_of(environ)
    names_nobody = "HTTP_COOKIE" not in environ and "HTTP_AUTHORIZATION" not in environ
    if names_nobody and here.renditions.knows(url):
        return url
    in_language = url_of(environ, language_of(environ))
    return in_language if here.renditions.knows(in_language) else None


def _send(
    rendition: Representation, here: Services, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    moment = here.clock.now()
    headers, body = decide(rendition, environ, moment)
    status = HTTPStatus.OK if body is not None else HTTPStatus.NOT_MODIFIED
    if body is not None:
        headers.append(("Content-Length", str(len(body))))
    start_response(f"{status.value} {status.phrase}", headers)
    if rendition.counted is not None:
        client = detect_client_kind(environ.get("HTTP_USER_AGENT", "")[:MAX_USER_AGENT_LENGTH])
        if here.tally.increment(rendition.counted, client, status=status.value, moment=moment):
            here.afterwards.submit(partial(here.tally.flush, here.database))
    return [body] if body is not None and environ["REQUEST_METHOD"] == "GET" else []


class Snapshot(NamedTuple):
    """The input for rendering: a session that sees the public data at `state` or later, and the current time (UTC)."""

    session: Session
    state: FeedState
    moment: datetime


class Rendered(NamedTuple):
    """A rendered body, its version (by default a hash of the body), and the source for incremental rendering."""

    body: bytes
    version: str | None = None
    origin: Origin | None = None


@dataclass(kw_only=True)
class Document(ABC):
    """The resource at a URL. An instance serves one request: `find` is called first, then `render`.

    dated: whether it depends only on the public data and the day. Otherwise it has no Last-Modified and is not cached.
    daily: whether it may change from one day (UTC) to the next without a change of the data.
    The other attributes are those of the representation. `find` may set all of them except `language`.
    """

    media_type: str
    filename: str | None = None
    cache_control: str = PUBLIC
    link: str | None = None
    counted: str | None = None
    language: str | None = None
    extra: tuple[tuple[str, str], ...] = ()
    dated: bool = True
    daily: bool = True

    @abstractmethod
    def find(self, snapshot: Snapshot, /) -> None:
        """Find the resource. Raises an error, such as NotFound, if it does not exist."""

    @abstractmethod
    def render(self, snapshot: Snapshot, earlier: Origin | None, /) -> Rendered:
        """Render the resource. `earlier` is the origin of the previously cached representation, or None."""

    def last_modified(self, state: FeedState, moment: datetime) -> datetime | None:
        """Return the time of the last possible change. Windows and tombstones change at midnight (UTC)."""
        if not self.dated:
            return None
        midnight = datetime.combine(moment.astimezone(UTC).date(), time(), tzinfo=UTC)
        return max(state.changed_at, midnight) if self.daily else state.changed_at


def serve_cached(document: Document) -> Response:
    """Return the cached response to a GET request; on a cache miss, render the document and cache it.

    Requests for the same URL wait while one of them renders. Waiting requests hold no database connection. `find` and
    `render` must not serve another document, because it may need the lock that this thread already holds.
    """
    moment = now()
    cache = services().renditions
    state = state_for(request.environ, services())
    key = ResponseKey.at(url_of(request.environ, document.language), state.revision, moment)
    rendition = cache.get(key)
    if rendition is None:
        with cache.turn(key):
            rendition = cache.get(key) or _rendition(document, state, moment, cache.get_earlier(key))
            if rendition.last_modified is not None:
                cache.put(key, rendition)
    return serve(rendition, moment)


def serve_uncached(document: Document) -> Response:
    """Return the response to a GET request, rendered for this request only."""
    moment = now()
    return serve(render_uncached(document, moment), moment)


def render_uncached(document: Document, moment: datetime) -> Representation:
    """Render a document at a moment without reading or filling the cache."""
    return _rendition(document, state_for(request.environ, services()), moment, None)


def _rendition(
    document: Document, state: FeedState, moment: datetime, earlier: Representation | None
) -> Representation:
    """Find and render a document. Reuse the encodings of the earlier representation if the body is the same."""
    with reading() as session:
        snapshot = Snapshot(session, state, moment)
        document.find(snapshot)
        rendered = document.render(snapshot, earlier.origin if earlier else None)
    rendition = Representation(
        body=rendered.body,
        media_type=document.media_type,
        etag=rendered.version or etag_of(rendered.body),
        last_modified=document.last_modified(state, moment),
        cache_control=document.cache_control,
        filename=document.filename,
        link=document.link,
        counted=document.counted,
        language=document.language,
        extra=document.extra,
        origin=rendered.origin,
    )
    if earlier is not None and earlier == replace(rendition, last_modified=earlier.last_modified):
        return replace(earlier, last_modified=rendition.last_modified, origin=rendition.origin)
    return rendition
