"""How the API answers: JSON with its version, made anew for those who are signed in, kept for everybody else."""

from collections.abc import Callable
from datetime import UTC, datetime, time

import orjson
from flask import Response, request
from sqlalchemy.orm import Session

from eventcal.feeds.index.state import State, read_state
from eventcal.web.cache.store import RenditionKey, url_of
from eventcal.web.http.conditional import PUBLIC, check_etag, check_revision, etag_of, revision_etag, serve
from eventcal.web.http.representation import Rendition
from eventcal.web.identity.permissions import caller
from eventcal.web.request.context import house, now, reading
from eventcal.web.serializers import Json
from eventcal.web.serving.cache_middleware import state_for
from eventcal.web.serving.cached_document import NOTHING_KEPT

JSON = "application/json"
# Only its reader may keep it, and asks each time.
TO_ONE = "private, no-cache"


def answer(
    body: object,
    status: int = 200,
    *,
    location: str | None = None,
    revision: int | None = None,
    versioned: bool = False,
) -> Response:
    """Return an answer to a call that changed something: never kept, with where the thing is and its version.

    The version is the revision, or for what has none (`versioned`) its bytes.
    """
    raw = orjson.dumps(body)
    response = Response(raw, status=status, mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    if location is not None:
        response.headers["Location"] = location
    if revision is not None:
        response.headers["ETag"] = f'"{revision_etag(revision, renderer())}"'
    elif versioned:
        response.headers["ETag"] = f'"{etag_of(raw)}"'
    return response


def nothing() -> Response:
    """Return the answer after a deletion."""
    return Response(status=204)


def check_version(revision: int) -> None:
    """Refuse a PATCH that was not made for this revision (PreconditionRequired, Stale)."""
    check_revision(request.headers.get("If-Match"), revision)


def check_body_version(body: object) -> None:
    """Refuse a PATCH that was not made for these bytes (PreconditionRequired, Stale)."""
    check_etag(request.headers.get("If-Match"), etag_of(orjson.dumps(body)))


def renderer() -> str:
    """Name what this installation renders with; a part of every version."""
    return house().ledger.renderer


def serve_public(make: Callable[[Session], Rendition], *, moves: bool = False, for_all: bool = False) -> Response:
    """Serve what anybody may read, made once for each state of the public data, day and URL.

    One statement tells the state; where this URL was answered at it already, that answer is served again.
    Whoever is signed in may see more at the same URL: for them it is made anew, unless it is the same `for_all`.
    `moves` is for what changes with the clock and not with the day alone.
    """
    moment = now()
    kept = not moves and (for_all or not caller().signed_in)
    cache = house().renditions if kept else NOTHING_KEPT
    state = state_for(request.environ, house())
    key = RenditionKey.at(url_of(request.environ), state.revision, moment)
    rendition = cache.get(key)
    if rendition is None:
        with reading() as session:
            session.info[_STATE] = state
            rendition = _again(make(session), cache.get_earlier(key))
        if rendition.cache_control == PUBLIC:
            cache.put(key, rendition)
    return serve(rendition, request, moment)


# Where a session keeps the state that it sees, so that it is read once.
_STATE = "eventcal_state"


def _again(made: Rendition, earlier: Rendition | None) -> Rendition:
    """Return what was made, with the encodings of an earlier answer of the same bytes."""
    if earlier is None or (earlier.body, earlier.link, earlier.etag) != (made.body, made.link, made.etag):
        return made
    return earlier.again(last_modified=made.last_modified, origin=None)


def public_since(session: Session) -> datetime:
    """Return when something that the public sees last changed. Tombstones and windows move at midnight (UTC)."""
    today = datetime.combine(now().astimezone(UTC).date(), time(), tzinfo=UTC)
    return max(_changed_at(session), today)


def _changed_at(session: Session) -> datetime:
    state: State = session.info.get(_STATE) or read_state(session.connection())
    return state.changed_at


def resource(session: Session, body: Json, *, revision: int, public: bool) -> Rendition:
    """Return one resource, whose version is its revision."""
    return Rendition(
        body=orjson.dumps(body),
        media_type=JSON,
        etag=revision_etag(revision, renderer()),
        last_modified=_changed_at(session) if public else None,
        cache_control=PUBLIC if public else TO_ONE,
    )


def document(session: Session, body: object, *, public: bool = True, link: str | None = None) -> Rendition:
    """Return anything else, whose version is its bytes; `body` may be JSON already."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Rendition(
        body=raw,
        media_type=JSON,
        etag=etag_of(raw),
        last_modified=public_since(session) if public else None,
        cache_control=PUBLIC if public else TO_ONE,
        link=link,
    )


def page(session: Session, html: str) -> Rendition:
    """Return a page that anybody may read."""
    raw = html.encode()
    return Rendition(
        body=raw,
        media_type="text/html; charset=utf-8",
        etag=etag_of(raw),
        last_modified=public_since(session),
        cache_control=PUBLIC,
    )


def serve_private(body: object, *, link: str | None = None) -> Response:
    """Serve what is only its reader's."""
    raw = orjson.dumps(body)
    rendition = Rendition(
        body=raw,
        media_type=JSON,
        etag=etag_of(raw),
        last_modified=None,
        cache_control=TO_ONE,
        link=link,
    )
    return serve(rendition, request, now())
