"""How a list is read from the query and served: one Filter, one page, one Link to the next."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson
from flask import Request, Response, request
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter
from eventcal.kit.paging import Page, Paging
from eventcal.web.api.responses import Content, Read, document, serve_private, serve_public, serve_undated
from eventcal.web.http.urls import Links
from eventcal.web.params.listing_filters import Listing, canonical_query, read_listing
from eventcal.web.request.context import links, now, reading
from eventcal.web.schemas.out import Json

Row = TypeVar("Row")


def listing(req: Request) -> Listing:
    """Return what the query asks for. Raises Invalid with every fault."""
    return read_listing(req.args)


def serve_list(
    asked: Listing,
    read: Callable[..., Page[Row]],
    shape: Callable[[Row, Links], object],
    *,
    within: Filter | None = None,
    public: bool = True,
    serve: Callable[[Read], Response] = serve_public,
) -> Response:
    """Serve the page that `read` gives, each row in its `shape`, with a Link to the next page.

    `within` is the query's filter, narrowed to what the path names.
    """

    def make(session: Session) -> Content:
        page = read(session, within or asked.filter, sort=asked.sort, paging=asked.paging, now=now())
        body = page_json(page, lambda row: shape(row, links()))
        return document(body, public=public, link=next_link(asked, page.next))

    # Calls for talks open and close by the clock, which leaves no date.
    return serve_undated(make) if asked.filter.call_open else serve(make)


def finished(resource: str, _links: Links) -> orjson.Fragment:
    """Return a resource that is JSON already, for a list of such."""
    return orjson.Fragment(resource)


def next_link(asked: Listing, cursor: str | None) -> str | None:
    """Return the Link header's value for the next page (RFC 8288), or None on the last."""
    if cursor is None:
        return None
    return _next(canonical_query(replace(asked, paging=replace(asked.paging, cursor=cursor))))


def page_json(page: Page[Row], write: Callable[[Row], object]) -> Json:
    """Return a page as JSON."""
    return {"items": [write(row) for row in page.items], "next": page.next}


def serve_private_page(
    query: Mapping[str, Any], read: Callable[..., Page[Row]], write: Callable[[Row], Json]
) -> Response:
    """Serve the page that `read` gives of a list without filters that is only its reader's."""
    with reading() as session:
        page = read(session, paging=page_asked(query))
        body = page_json(page, write)
    return serve_private(body, link=next_page_link(query, page.next))


def page_asked(query: Mapping[str, Any]) -> Paging:
    """Return the page that a PageQuery asks for."""
    return Paging(limit=query["limit"], cursor=query["cursor"])


def next_page_link(query: Mapping[str, Any], cursor: str | None, **others: object) -> str | None:
    """Return the same for a list that has no filters; `others` are the parameters that it has beside a PageQuery's."""
    if cursor is None:
        return None
    return _next(urlencode(sorted({"cursor": cursor, "limit": query["limit"], **others}.items())))


def _next(query: str) -> str:
    return f'<{links().base}{request.path}?{query}>; rel="next"'
