"""How a list is read from the query and served: one Filter, one page, one Link to the next."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, request
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter
from eventcal.kit.paging import Page, Paging
from eventcal.web.api.responses import Content, document, serve_private, serve_public
from eventcal.web.params.listing_filters import Listing, canonical_query
from eventcal.web.request.context import links, now, reading
from eventcal.web.schemas.out import Json

Row = TypeVar("Row")


def serve_list(
    asked: Listing,
    read: Callable[..., Page[Row]],
    shape: Callable[[Row], object],
    *,
    within: Filter | None = None,
    public: bool = True,
    to_all: bool = False,
) -> Response:
    """Serve the page that `read` gives, each row in its `shape`, with a Link to the next page.

    `within` is the query's filter, narrowed to what the path names; `to_all` is as in `serve_public`.
    """

    def make(session: Session) -> Content:
        page = read(session, within or asked.filter, sort=asked.sort, paging=asked.paging, now=now())
        following = replace(asked, paging=replace(asked.paging, cursor=page.next))
        link = None if page.next is None else _next_link(canonical_query(following))
        return document(page_json(page, shape), public=public, link=link)

    # Calls for talks open and close by the clock, which leaves no date.
    return serve_public(make, to_all=to_all, dated=not asked.filter.call_open)


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
    """Return the Link to the next page of a list without filters, or None after the last.

    `others` are the parameters that it has beside a PageQuery's.
    """
    if cursor is None:
        return None
    return _next_link(urlencode(sorted({"cursor": cursor, "limit": query["limit"], **others}.items())))


def _next_link(query: str) -> str:
    """Return the value of the Link header (RFC 8288)."""
    return f'<{links().base}{request.path}?{query}>; rel="next"'
