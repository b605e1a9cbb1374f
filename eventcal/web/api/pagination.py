"""Paginated lists. The response for a page has a Link header with the URL of the next page."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, request
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter
from eventcal.kit.pagination import Page, PageRequest
from eventcal.web.api.responses import Content, json_content, private_json, serve_content
from eventcal.web.params.listing_filters import ListingQuery, canonical_query
from eventcal.web.request.context import links, now, read_session
from eventcal.web.schemas.response_schema import Json

Row = TypeVar("Row")


def serve_list(
    query: ListingQuery,
    list_rows: Callable[..., Page[Row]],
    serialize: Callable[[Row], object],
    *,
    override_filter: Filter | None = None,
    public: bool = True,
    same_for_all: bool = False,
) -> Response:
    """Serve a page of a list. `override_filter` replaces the filter from the query string."""

    def load_content(session: Session) -> Content:
        page = list_rows(session, override_filter or query.filter, sort=query.sort, paging=query.paging, now=now())
        following = replace(query, paging=replace(query.paging, cursor=page.next_cursor))
        link = None if page.next_cursor is None else _next_link_header(canonical_query(following))
        return json_content(page_json(page, serialize), public=public, link=link)

    # Whether a call for talks is open depends on the current time, so a Last-Modified header would be wrong.
    return serve_content(load_content, same_for_all=same_for_all, cacheable=not query.filter.call_open)


def page_json(page: Page[Row], serialize: Callable[[Row], object]) -> Json:
    return {"items": [serialize(row) for row in page.items], "next": page.next_cursor}


def serve_private_page(
    query: Mapping[str, Any], list_rows: Callable[..., Page[Row]], serialize: Callable[[Row], Json], **options: Any
) -> Response:
    """Serve a page of a list that only the current user can see. `options` are passed to `list_rows`."""
    with read_session() as session:
        page = list_rows(session, paging=paging_from_query(query), **options)
        body = page_json(page, serialize)
    filters = {name: value for name, value in request.args.items() if name not in query}
    return private_json(body, link=next_page_link_header(query, page.next_cursor, **filters))


def paging_from_query(query: Mapping[str, Any]) -> PageRequest:
    return PageRequest(limit=query["limit"], cursor=query["cursor"])


def next_page_link_header(query: Mapping[str, Any], cursor: str | None, **other_params: object) -> str | None:
    """Return the Link header for the next page, or None if the current page is the last page."""
    if cursor is None:
        return None
    return _next_link_header(urlencode(sorted({"cursor": cursor, "limit": query["limit"], **other_params}.items())))


def _next_link_header(query: str) -> str:
    return f'<{links().base}{request.path}?{query}>; rel="next"'
