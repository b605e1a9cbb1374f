"""Public HTML pages: metadata, rendering and cached responses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import orjson
from flask import Blueprint, Response, render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from eventcal.kit.translations import LANGUAGES
from eventcal.web.documents import Document, RenderedBody, Snapshot, serve_cached
from eventcal.web.http.conditional import PUBLIC_REVALIDATE
from eventcal.web.http.representation import RenderSource
from eventcal.web.http.urls import encode_query, with_query
from eventcal.web.i18n import current_language
from eventcal.web.request.context import links, settings

P = ParamSpec("P")

pages = Blueprint("pages", __name__)

MEDIA_TYPE = "text/html; charset=utf-8"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@dataclass(frozen=True, kw_only=True)
class FeedLink:
    """The URL, title and media type of a feed that a page links to."""

    url: str
    title: str
    type: str = "text/calendar"


@dataclass(frozen=True, kw_only=True)
class Page:
    """The content and metadata of a page.

    `path` is the canonical path, including the query parameters that select the content. `json_ld` contains schema.org
    data. Search engines must not list a page that is not `indexed`. An `embeddable` page provides oEmbed data. The
    content of a `time_dependent` page depends on the time of day and is not cached.
    """

    template: str
    title: str
    path: str = field(default_factory=lambda: request.path.rstrip("/") or "/")
    description: str = ""
    image: str | None = None
    feeds: tuple[FeedLink, ...] = ()
    json_ld: Mapping[str, Any] | None = None
    indexed: bool = True
    embeddable: bool = False
    content_security_policy: str = CONTENT_SECURITY_POLICY
    context: Mapping[str, Any] = field(default_factory=dict)
    time_dependent: bool = False


# A function that builds a page from a database session and the current time, or raises an error such as NotFound.
PageBuilder = Callable[[Session, datetime], Page]


@dataclass(kw_only=True)
class _PageDocument(Document):
    build_page: PageBuilder
    media_type: str = MEDIA_TYPE
    cache_control: str = PUBLIC_REVALIDATE
    page: Page = field(init=False)

    def load(self, snapshot: Snapshot, /) -> None:
        self.page = self.build_page(snapshot.session, snapshot.now)
        self.cacheable = not self.page.time_dependent
        self.content_security_policy = self.page.content_security_policy

    def render(self, _snapshot: Snapshot, _previous_source: RenderSource | None, /) -> RenderedBody:
        return RenderedBody(render_html(self.page).encode())


def render_page(build_page: PageBuilder) -> Response:
    """Render a page in the language of the request, or return the cached response."""
    return serve_cached(_PageDocument(build_page=build_page, language=current_language()))


def page_view(build_page: Callable[Concatenate[Session, datetime, P], Page]) -> Callable[P, Response]:
    """Return a view that renders the page built from a database session, the current time and the URL variables."""

    @wraps(build_page)
    def view(*args: P.args, **kwargs: P.kwargs) -> Response:
        return render_page(lambda session, now: build_page(session, now, *args, **kwargs))

    return view


def render_html(page: Page) -> str:
    return render_template(
        page.template,
        page=page,
        canonical=f"{settings().base_url}{page.path}",
        site=settings().name,
        oembed=links().oembed(f"{settings().base_url}{page.path}") if page.embeddable else None,
        structured=_script_safe_json(page.json_ld) if page.json_ld else None,
        language=current_language(),
        languages=LANGUAGES,
        here=_current_url_with,
        home=links().home(),
        **page.context,
    )


def _current_url_with(**changes: str | None) -> str:
    """Return the current path and query string with changed parameters. The value None removes a parameter."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    added = [(name, value) for name, value in changes.items() if value is not None]
    return with_query(request.path, encode_query([*kept, *added]))


def _script_safe_json(data: Mapping[str, Any]) -> Markup:
    """Return JSON in which "<" is escaped, so that the JSON cannot end a script element."""
    return Markup(orjson.dumps(data).decode().replace("<", "\\u003c"))  # noqa: S704 - contains no "<"
