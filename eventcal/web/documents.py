"""Documents: public resources that are rendered for a request and cached for later requests."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from time import thread_time
from typing import NamedTuple

from flask import Response, request
from sqlalchemy.orm import Session

from eventcal.feeds.index.models import FeedState
from eventcal.web.cache_middleware import feed_state_for
from eventcal.web.http.conditional import PUBLIC, conditional_response, etag_of, version_in_epoch
from eventcal.web.http.representation import RenderSource, Representation
from eventcal.web.request.context import now, read_session, services
from eventcal.web.request.security_headers import DEFAULT_POLICY, security_headers
from eventcal.web.response_cache import ResponseKey, request_url


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
    content_security_policy: str = DEFAULT_POLICY
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
    The `load` and `render` methods must not call `serve_cached`, because both calls could need the same lock. Raises
    Overloaded if too many requests render documents or wait for them. Cached responses do not count.
    """
    moment = now()
    cache = services().responses
    state = feed_state_for(request.environ, services())
    key = ResponseKey.build(request_url(request.environ, document.language), state, moment)
    found = cache.get(key)
    if found is not None:
        return conditional_response(found.representation, moment)
    with services().limiters.renders.slot():
        with cache.get_render_lock(key):
            found = cache.get(key)
            if found is not None:
                return conditional_response(found.representation, moment)
            started = thread_time()
            rendered = _render_document(document, state, moment, previous=cache.get_same_or_earlier(key))
            if rendered.last_modified is not None:
                cache.put(key, rendered, cost=thread_time() - started)
        return conditional_response(rendered, moment)


def serve_uncached(document: Document) -> Response:
    """Return the response to a GET request for a document that is never cached. Raises Overloaded."""
    moment = now()
    return conditional_response(render_uncached(document, moment), moment)


def render_uncached(document: Document, moment: datetime) -> Representation:
    """Render a document. Raises Overloaded if too many requests render documents."""
    with services().limiters.renders.slot():
        # The document can contain private data, whose changes do not increase the revision, so no standby is used.
        state = services().feed_states.read_primary()
        with read_session() as session:
            rendered = _load_and_render(document, Snapshot(session, state, moment), None)
        return _build_representation(document, rendered, state=state, moment=moment)


def _no_earlier_than_epoch(last_modified: datetime | None, state: FeedState) -> datetime | None:
    """Return a time that is later than every date that was sent before the database was restored from a backup."""
    return None if last_modified is None else max(last_modified, state.epoch_started_at)


def _render_document(
    document: Document, state: FeedState, moment: datetime, *, previous: Representation | None
) -> Representation:
    """Render a document, reusing the content encodings of the previous representation if the body is unchanged."""

    def render(session: Session) -> RenderedBody:
        return _load_and_render(document, Snapshot(session, state, moment), previous.source if previous else None)

    rendered = services().feed_states.render_from_standby(render, state, request.environ)
    if rendered is None:
        with read_session() as session:
            rendered = render(session)
    representation = _build_representation(document, rendered, state=state, moment=moment)
    if previous is not None and previous == replace(representation, last_modified=previous.last_modified):
        return replace(previous, last_modified=representation.last_modified, source=representation.source)
    return representation


def _load_and_render(document: Document, snapshot: Snapshot, previous_source: RenderSource | None) -> RenderedBody:
    document.load(snapshot)
    return document.render(snapshot, previous_source)


def _build_representation(
    document: Document, rendered: RenderedBody, *, state: FeedState, moment: datetime
) -> Representation:
    return Representation(
        body=rendered.body,
        media_type=document.media_type,
        etag=version_in_epoch(state.epoch, rendered.version or etag_of(rendered.body)),
        last_modified=_no_earlier_than_epoch(document.last_modified(state, moment), state),
        cache_control=document.cache_control,
        filename=document.filename,
        link=document.link,
        fetch_key=document.fetch_key,
        language=document.language,
        extra_headers=security_headers(document.content_security_policy),
        route=request.url_rule.rule if request.url_rule else "",
        source=rendered.source,
    )
