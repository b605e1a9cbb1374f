"""Paginated lists: read the filter and page from the query, and serve a page with a Link to the next."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, request
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter
from eventcal.kit.paging import Page, PageRequest
from eventcal.web.api.responses import Content, document, serve_private, serve_public
from eventcal.web.params.listing_filters import ListingQuery, canonical_query
from eventcal.web.request.context import links, now, reading
from eventcal.web.schemas.out import Json

Row = TypeVar("Row")


def serve_list(
    asked: ListingQuery,
    read: Callable[..., Page[Row]],
    shape: Callable[[Row], object],
    *,
    within: Filter | None = None,
    public: bool = True,
    to_all: bool = False,
) -> Response:
    """Serve the page that `read` returns, with each row converted by `shape`, and a Link to the next page.

    `within` replaces the query's filter to restrict the list to the resource in the path. `to_all`: see `serve_public`.
    """

    def make(session: Session) -> Content:
        page = read(session, within or asked.filter, sort=asked.sort, paging=asked.paging, now=now())
        following = replace(asked, paging=replace(asked.paging, cursor=page.next_cursor))
        link = None if page.next_cursor is None else _next_link(canonical_query(following))
        return document(page_json(page, shape), public=public, link=link)

    # Calls for talks open and close as time passes, without a change that would update Last-Modified.
    return serve_public(make, to_all=to_all, dated=not asked.filter.call_open)


def page_json(page: Page[Row], write: Callable[[Row], object]) -> Json:
    """Return a page as JSON."""
    return {"items": [write(row) for row in page.items], "next": page.next_cursor}


def serve_private_page(
    query: Mapping[str, Any], read: Callable[..., Page[Row]], write: Callable[[Row], Json]
) -> Response:
    """Serve a page of an unfiltered list that is private to the current user."""
    with reading() as session:
        page = read(session, paging=page_asked(query))
        body = page_json(page, write)
    return serve_private(body, link=next_page_link(query, page.next_cursor))


def page_asked(query: Mapping[str, Any]) -> PageRequest:
    """Return the page size and the cursor of a parsed PageQuery."""
    return PageRequest(limit=query["limit"], cursor=query["cursor"])


def next_page_link(query: Mapping[str, Any], cursor: str | None, **others: object) -> str | None:
    """Return the Link to the next page of an unfiltered list, or None for the last page.

    `others` are the query parameters besides those of a PageQuery.
    """
    if cursor is None:
        return None
    return _next_link(urlencode(sorted({"cursor": cursor, "limit": query["limit"], **others}.items())))


def _next_link(query: str) -> str:
    """Return a Link header value (RFC 8288)."""
    return f'<{links().base}{request.path}?{query}>; rel="next"'
