"""Cached responses: the WSGI middleware that sends them before Flask, and the documents that they are rendered from.

The middleware answers only GET and HEAD, and only with what anybody may have; whoever else comes is let through. So is
a request whose answer has to be made, with the state that was read for it: what is made is at least as new. Where a
cookie or a token may say who is asking, only pages are given: those that are kept know nobody. An answer that is kept
costs one statement and no routing.
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

from eventcal.feeds.clients import LONGEST_USER_AGENT, kind_of
from eventcal.feeds.index.models import State, read_state
from eventcal.web.cache import RenditionKey, url_of
from eventcal.web.http.conditional import PUBLIC, decide, etag_of, serve
from eventcal.web.http.representation import Origin, Rendition
from eventcal.web.i18n import language_of
from eventcal.web.request.context import EXTENSION, House, house, now, reading

_STATE = "eventcal.state"


class Door:
    """A WSGI application in front of the one of a Flask app."""

    def __init__(self, app: Flask) -> None:
        self._app: WSGIApplication = app.wsgi_app
        self._extensions = app.extensions

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with what is kept, or let the request through."""
        here: House = self._extensions[EXTENSION]
        url = _kept_under(here, environ) if environ["REQUEST_METHOD"] in {"GET", "HEAD"} else None
        if url is None:
            return self._app(environ, start_response)
        try:
            state = state_for(environ, here)
        except SQLAlchemyError:
            # The app meets the same, and knows what to say.
            return self._app(environ, start_response)
        rendition = here.renditions.get(RenditionKey.at(url, state.revision, here.clock.now()))
        if rendition is None:
            return self._app({**environ, _STATE: state}, start_response)
        return _send(rendition, here, environ, start_response)


def state_for(environ: WSGIEnvironment, here: House) -> State:
    """Return the state that was read for this request, at the door or now.

    Whatever is read afterwards is of this state or a later one; so nothing older is ever kept under it.
    """
    state: State | None = environ.get(_STATE)
    if state is None:
        with here.database.glance() as connection:
            state = read_state(connection)
    return state


def _kept_under(here: House, environ: WSGIEnvironment) -> str | None:
    """Return what something is kept under for this request, if anything is: its URL, or for pages with a language."""
    url = url_of(environ)
    names_nobody = "HTTP_COOKIE" not in environ and "HTTP_AUTHORIZATION" not in environ
    if names_nobody and here.renditions.knows(url):
        return url
    in_language = url_of(environ, language_of(environ))
    return in_language if here.renditions.knows(in_language) else None


def _send(
    rendition: Rendition, here: House, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    moment = here.clock.now()
    headers, body = decide(rendition, environ, moment)
    status = HTTPStatus.OK if body is not None else HTTPStatus.NOT_MODIFIED
    if body is not None:
        headers.append(("Content-Length", str(len(body))))
    start_response(f"{status.value} {status.phrase}", headers)
    if rendition.counted is not None:
        client = kind_of(environ.get("HTTP_USER_AGENT", "")[:LONGEST_USER_AGENT])
        if here.tally.note(rendition.counted, client, status=status.value, moment=moment):
            here.afterwards.do(partial(here.tally.write, here.database))
    return [body] if body is not None and environ["REQUEST_METHOD"] == "GET" else []


class Snapshot(NamedTuple):
    """What a document is made from: a session that sees the public data at `state` or later, and the moment (UTC)."""

    session: Session
    state: State
    moment: datetime


class Rendered(NamedTuple):
    """A body, the version that identifies it if not by its bytes, and what the next one can be rendered from."""

    body: bytes
    version: str | None = None
    origin: Origin | None = None


@dataclass(kw_only=True)
class Document(ABC):
    """What a URL identifies. An instance serves one request: `find` is called first, then `render`.

    dated: whether the public data and the day alone determine it. Otherwise it has no Last-Modified and is not cached.
    daily: whether it may differ on another day (UTC) though the data has not changed.
    The other attributes are those of a Rendition. `find` may set all of them but the language.
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
        """Resolve what the URL names. Raises a Refusal if it does not exist."""

    @abstractmethod
    def render(self, snapshot: Snapshot, earlier: Origin | None, /) -> Rendered:
        """Render what was found; `earlier` is the origin of the rendition that was cached before, if there is one."""

    def last_modified(self, state: State, moment: datetime) -> datetime | None:
        """Return when it last changed or may have changed: windows and tombstones move at midnight (UTC)."""
        if not self.dated:
            return None
        midnight = datetime.combine(moment.astimezone(UTC).date(), time(), tzinfo=UTC)
        return max(state.changed_at, midnight) if self.daily else state.changed_at


def serve_cached(document: Document) -> Response:
    """Answer a GET with the cached rendition of its URL; if there is none, render the document and cache it.

    Requests for the same URL wait while one of them renders. Waiting requests hold no database connection. `find` and
    `render` must not serve another document: it may need the lock that this thread holds already.
    """
    moment = now()
    cache = house().renditions
    state = state_for(request.environ, house())
    key = RenditionKey.at(url_of(request.environ, document.language), state.revision, moment)
    rendition = cache.get(key)
    if rendition is None:
        with cache.turn(key):
            rendition = cache.get(key) or _rendition(document, state, moment, cache.get_earlier(key))
            if rendition.last_modified is not None:
                cache.put(key, rendition)
    return serve(rendition, moment)


def serve_uncached(document: Document) -> Response:
    """Answer a GET with a document that is rendered for this request only."""
    moment = now()
    return serve(render_uncached(document, moment), moment)


def render_uncached(document: Document, moment: datetime) -> Rendition:
    """Return the document as it is at a moment, without reading or filling the cache."""
    return _rendition(document, state_for(request.environ, house()), moment, None)


def _rendition(document: Document, state: State, moment: datetime, earlier: Rendition | None) -> Rendition:
    """Find and render a document, keeping the content encodings of an earlier rendition with the same bytes."""
    with reading() as session:
        snapshot = Snapshot(session, state, moment)
        document.find(snapshot)
        rendered = document.render(snapshot, earlier.origin if earlier else None)
    rendition = Rendition(
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
