"""Serving what is made of the ledger: kept for each URL by the state of the public data, and made on from there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time

from flask import Response, request
from sqlalchemy.orm import Session

from eventcal.feeds.index.state import State
from eventcal.web.cache.store import RenditionCache, RenditionKey, url_of
from eventcal.web.http.conditional import PUBLIC, serve
from eventcal.web.http.representation import Origin, Rendition
from eventcal.web.request.context import house, now
from eventcal.web.serving.cache_middleware import state_for

NOTHING_KEPT = RenditionCache(0)


@dataclass(frozen=True, kw_only=True)
class Made:
    """A body, what names its bytes, and what the next one can be made from."""

    version: str
    body: bytes
    origin: Origin | None = None


@dataclass(frozen=True, kw_only=True)
class Document:
    """Something to be served at a URL, and how it is made at a state of the data, from an earlier one where it can.

    `dated` says that the public data and the day decide on it alone, so that it has a Last-Modified, and is kept.
    `extra` are headers that go with it.
    """

    make: Callable[[Session, State, Origin | None], Made]
    media_type: str
    filename: str | None
    cache_control: str = PUBLIC
    dated: bool = True
    extra: tuple[tuple[str, str], ...] = ()


Find = Callable[[Session, datetime], Document]
"""Finds what a URL names, at a moment; refuses what is not there."""


def serve_document(
    find: Find, *, cache: RenditionCache, counted: str | None = None, language: str | None = None
) -> Response:
    """Answer a GET from what is kept for its URL, else with what is made; `counted` and `language` as in Rendition."""
    moment = now()
    state = state_for(request.environ, house())
    key = RenditionKey.at(url_of(request.environ, language), state.revision, moment)
    kept = cache.get(key)
    if kept is None:
        # Whoever has the turn before makes just this.
        with cache.turn(key):
            earlier = cache.get_earlier(key)
            kept = cache.get(key) or make_rendition(
                find, state, earlier, moment=moment, counted=counted, language=language
            )
            if kept.last_modified is not None:
                cache.put(key, kept)
    return serve(kept, request, moment)


def make_rendition(
    find: Find,
    state: State,
    earlier: Rendition | None,
    *,
    moment: datetime,
    counted: str | None = None,
    language: str | None = None,
) -> Rendition:
    """Find the document and render it; `earlier` is what an older state of the data gave, to continue from."""
    with house().database.reading() as session:
        document = find(session, moment)
        made = document.make(session, state, earlier.origin if earlier else None)
    last_modified = _last_modified(state, moment) if document.dated else None
    if earlier is not None and earlier.etag == made.version:
        return earlier.again(last_modified=last_modified, origin=made.origin)
    return Rendition(
        body=made.body,
        media_type=document.media_type,
        etag=made.version,
        last_modified=last_modified,
        cache_control=document.cache_control,
        filename=document.filename,
        counted=counted,
        language=language,
        extra=document.extra,
        origin=made.origin,
    )


def _last_modified(state: State, moment: datetime) -> datetime:
    """Return when it last changed, or may have: windows and tombstones move at midnight (UTC)."""
    midnight = datetime.combine(moment.astimezone(UTC).date(), time(), tzinfo=UTC)
    return max(state.changed_at, midnight)
