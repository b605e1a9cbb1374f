"""Serving documents: each is rendered once for a URL, a state of the public data and a day, and cached under these."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import NamedTuple

from flask import Response, request
from sqlalchemy.orm import Session

from eventcal.feeds.index.models import State
from eventcal.web.cache.store import RenditionKey, url_of
from eventcal.web.http.conditional import PUBLIC, etag_of, serve
from eventcal.web.http.representation import Origin, Rendition
from eventcal.web.request.context import house, now, reading
from eventcal.web.serving.cache_middleware import state_for


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
    return serve(rendition, request, moment)


def serve_uncached(document: Document) -> Response:
    """Answer a GET with a document that is rendered for this request only."""
    moment = now()
    return serve(render_uncached(document, moment), request, moment)


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
        return earlier.again(last_modified=rendition.last_modified, origin=rendition.origin)
    return rendition
