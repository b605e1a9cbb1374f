"""The view of a feed, and how other views get what it serves."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from flask import Response, current_app, request
from werkzeug.datastructures import MultiDict

from eventcal.web.feeds.count_fetch import count_fetch
from eventcal.web.http.representation import Rendition
from eventcal.web.params.listing_filters import feed_key, read_feed
from eventcal.web.request.context import house, now
from eventcal.web.serving.cache_middleware import state_for
from eventcal.web.serving.cached_document import NOTHING_KEPT, Find, make_rendition, serve_document

MakeFind = Callable[..., Find]
"""Given what a query asks for, and by name what a path names, returns what finds it."""


def offered(make_find: MakeFind, *, media_type: str, says: str | None) -> Callable[..., Response]:
    """Return the view of a feed, which counts who fetches it. `says` is what the OpenAPI document says of it."""

    def view(**named: str) -> Response:
        asked = read_feed(request.args)
        key = feed_key(request.path, asked)
        count_fetch(key)
        # Calls open and close by the clock, and nobody notes when.
        cache = NOTHING_KEPT if asked.filter.call_open else house().renditions
        return serve_document(make_find(asked, **named), cache=cache, counted=key)

    return described(view, make_find, media_type=media_type, says=says)


def described(
    view: Callable[..., Response], make_find: MakeFind, *, media_type: str, says: str | None
) -> Callable[..., Response]:
    """Return a feed's view with what it is noted on it: for `rendition_of`, and for the OpenAPI document."""
    noted = cast("Any", view)
    noted.make_find, noted.media_type, noted.__doc__ = make_find, media_type, says
    return view


def rendition_of(endpoint: str, view_args: Mapping[str, str], args: MultiDict[str, str]) -> Rendition:
    """Return what the feed at an endpoint gives at this moment; refuses as it does."""
    make_find: MakeFind = cast("Any", current_app.view_functions[endpoint]).make_find
    find = make_find(read_feed(args), **view_args)
    return make_rendition(find, state_for({}, house()), None, moment=now())
