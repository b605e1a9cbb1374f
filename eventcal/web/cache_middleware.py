"""WSGI middleware that serves cached responses.

The middleware handles GET and HEAD requests for public responses. A cache hit needs no routing and only one SQL
statement, which reads the feed state. On a cache miss, the middleware passes the feed state to Flask, so that the
response is cached under a revision that is not newer than its content. If a request has a cookie or an Authorization
header, the middleware serves cached pages, which do not depend on the user, but no other cached responses.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from sqlalchemy.exc import SQLAlchemyError

from eventcal.feeds.clients import detect_client_kind
from eventcal.feeds.index.models import FeedState
from eventcal.kit.errors import DatabaseBusy
from eventcal.web.http.slow_clients import has_memory_for
from eventcal.web.i18n import preferred_language
from eventcal.web.process_state import RequestCounter
from eventcal.web.request.context import EXTENSION_KEY, Services
from eventcal.web.response_cache import ResponseKey, request_url

_FEED_STATE_KEY = "eventcal.state"
_CACHED_METHODS = frozenset({"GET", "HEAD"})
_STATUS_LINES = {status: f"{status.value} {status.phrase}" for status in HTTPStatus}


class ResponseCacheMiddleware:
    """WSGI middleware that serves a cached response or, on a cache miss, calls the wrapped app."""

    def __init__(
        self, app: WSGIApplication, extensions: Mapping[str, Any], counter: RequestCounter | None = None
    ) -> None:
        """`extensions` are those of the Flask app. `counter` counts the responses that are served from the cache."""
        self._app = app
        self._extensions = extensions
        self._counter = counter

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        here: Services = self._extensions[EXTENSION_KEY]
        url = _cache_url(here, environ) if environ["REQUEST_METHOD"] in _CACHED_METHODS else None
        if url is None:
            return self._app(environ, start_response)
        try:
            state = environ.get(_FEED_STATE_KEY) or here.feed_states.read(environ)
        except (DatabaseBusy, SQLAlchemyError):
            # The Flask app reads the feed state again and reports the database error.
            return self._app(environ, start_response)
        moment = here.clock.now()
        cached = here.responses.get(ResponseKey.build(url, state, moment))
        if cached is None:
            return self._app({**environ, _FEED_STATE_KEY: state}, start_response)
        status, headers, body, _ = cached.respond(environ, moment)
        if body is not None and state.is_provisional and "HTTP_IF_NONE_MATCH" in environ:
            # The client has another version, which can be newer than the one of the standby.
            return self._serve_confirmed(state, environ, start_response)
        if body is not None and not has_memory_for(body):
            # The Flask app rejects the request.
            return self._app({**environ, _FEED_STATE_KEY: state}, start_response)
        # A WSGI server is allowed to change the list of headers.
        start_response(_STATUS_LINES[status], headers.copy())
        if self._counter is not None:
            self._counter.count_response(cached.representation.route, status)
        if cached.representation.fetch_key is not None:
            _count_fetch(here, cached.representation.fetch_key, environ, status=status, now=moment)
        return [body] if body is not None and environ["REQUEST_METHOD"] == "GET" else []

    def _serve_confirmed(
        self, state: FeedState, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        here: Services = self._extensions[EXTENSION_KEY]
        try:
            confirmed = here.feed_states.confirm(state)
        except (DatabaseBusy, SQLAlchemyError):
            # The Flask app reads the feed state again and reports the database error.
            return self._app(environ, start_response)
        return self({**environ, _FEED_STATE_KEY: confirmed}, start_response)


def feed_state_for(environ: WSGIEnvironment, services: Services) -> FeedState:
    """Return the feed state that the middleware has read, or else read the feed state from the database.

    Read the feed state before the data, so that no response is cached under a revision that is newer than its data.
    """
    state: FeedState = environ.get(_FEED_STATE_KEY) or services.feed_states.read(environ)
    if state.is_provisional and "HTTP_IF_NONE_MATCH" in environ:
        # Until the response is rendered, it is not known whether the client has a newer version.
        return services.feed_states.confirm(state)
    return state


def _cache_url(services: Services, environ: WSGIEnvironment) -> str | None:
    """Return the URL under which a response to the request is cached, or None if no response is cached."""
    url = request_url(environ)
    names_nobody = "HTTP_COOKIE" not in environ and "HTTP_AUTHORIZATION" not in environ
    if names_nobody and services.responses.has_url(url):
        return url
    in_language = request_url(environ, preferred_language(environ))
    return in_language if services.responses.has_url(in_language) else None


def _count_fetch(services: Services, feed_key: str, environ: WSGIEnvironment, *, status: int, now: datetime) -> None:
    client = detect_client_kind(environ.get("HTTP_USER_AGENT", ""))
    if services.fetch_counter.increment(feed_key, client, status=status, now=now):
        services.background.submit(partial(services.fetch_counter.flush, services.database))
