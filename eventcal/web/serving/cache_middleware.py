"""At the door, before Flask: an answer that is kept is given here, for the cost of one statement and no routing.

Only to GET and HEAD, and only what anybody may have; whoever else comes is let through. So is a request whose answer
has to be made, with the state that was read for it: what is made is at least as new. Where a cookie or a token may say
who is asking, only pages are given: those that are kept know nobody.
"""

from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from eventcal.feeds.clients import kind_of
from eventcal.feeds.index.models import State, read_state
from eventcal.web.cache.store import RenditionKey, url_of
from eventcal.web.http.conditional import decide
from eventcal.web.i18n.locale import language_of
from eventcal.web.request.context import EXTENSION, House

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

_STATE = "eventcal.state"


class Door:
    """A WSGI application in front of the one of a Flask app."""

    def __init__(self, app: Flask) -> None:
        self._app: App = app.wsgi_app
        self._extensions = app.extensions

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with what is kept, or let the request through."""
        house: House = self._extensions[EXTENSION]
        url = _kept_under(house, environ) if environ["REQUEST_METHOD"] in {"GET", "HEAD"} else None
        if url is None:
            return self._app(environ, start_response)
        try:
            with house.database.glance() as connection:
                state = read_state(connection)
        except SQLAlchemyError:
            # The app meets the same, and knows what to say.
            return self._app(environ, start_response)
        key = RenditionKey.at(url, state.revision, house.clock.now())
        answer = _kept(house, key, environ, start_response)
        return answer if answer is not None else self._app({**environ, _STATE: state}, start_response)


def state_for(environ: Environ, house: House) -> State:
    """Return the state that was read for this request, at the door or now.

    Whatever is read afterwards is of this state or a later one; so nothing older is ever kept under it.
    """
    state: State | None = environ.get(_STATE)
    if state is None:
        with house.database.glance() as connection:
            state = read_state(connection)
    return state


def _kept_under(house: House, environ: Environ) -> str | None:
    """Return what something is kept under for this request, if anything is: its URL, or for pages with a language."""
    url = url_of(environ)
    if _names_nobody(environ) and house.renditions.knows(url):
        return url
    in_language = url_of(environ, language_of(environ))
    return in_language if house.renditions.knows(in_language) else None


def _names_nobody(environ: Environ) -> bool:
    return "HTTP_COOKIE" not in environ and "HTTP_AUTHORIZATION" not in environ


def _kept(house: House, key: RenditionKey, environ: Environ, start_response: StartResponse) -> Iterable[bytes] | None:
    moment = house.clock.now()
    rendition = house.renditions.get(key)
    if rendition is None:
        return None
    decided = decide(
        rendition,
        accept_encoding=environ.get("HTTP_ACCEPT_ENCODING"),
        if_none_match=environ.get("HTTP_IF_NONE_MATCH"),
        if_modified_since=environ.get("HTTP_IF_MODIFIED_SINCE"),
        now=moment,
    )
    status = HTTPStatus.OK if decided.body is not None else HTTPStatus.NOT_MODIFIED
    headers = decided.headers
    if decided.body is not None:
        headers.append(("Content-Length", str(len(decided.body))))
    start_response(f"{status.value} {status.phrase}", headers)
    body = [decided.body] if decided.body is not None and environ["REQUEST_METHOD"] == "GET" else []
    if rendition.counted is not None:
        client = kind_of(environ.get("HTTP_USER_AGENT"))
        if house.tally.note(rendition.counted, client, status=status.value, moment=moment):
            house.afterwards.do(partial(house.tally.write, house.database))
    return body
