"""A page: what stands in its head, and how it is kept and answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from flask import Blueprint, Response, render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from eventcal.kit.catalogue import LANGUAGES
from eventcal.web.http.conditional import REVALIDATED
from eventcal.web.http.representation import Origin
from eventcal.web.http.urls import encode_query, with_query
from eventcal.web.i18n import language
from eventcal.web.request.context import links, settings
from eventcal.web.serving import Document, Rendered, Snapshot, serve_cached

pages = Blueprint("pages", __name__)

MEDIA_TYPE = "text/html; charset=utf-8"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@dataclass(frozen=True, kw_only=True)
class FeedLink:
    """A feed that a page leads to: its address, what it is called, and its type."""

    url: str
    title: str
    type: str = "text/calendar"


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a page says.

    path: its own, with the query that makes it what it is; by default the path of the request, without a slash at its
    end. title and description: also for whoever shares it.
    image: a picture of ours, by its URL, for whoever shares it.
    feeds: for programs that look for them. structured: schema.org's words for it (JSON-LD).
    indexed: whether search engines are to list it. changes_by_itself: whether it tells what the clock says.
    embeddable: whether other sites can ask how to show it (oEmbed). policy: its Content-Security-Policy.
    """

    template: str
    title: str
    path: str = field(default_factory=lambda: request.path.rstrip("/") or "/")
    description: str = ""
    image: str | None = None
    feeds: tuple[FeedLink, ...] = ()
    structured: Mapping[str, Any] | None = None
    indexed: bool = True
    embeddable: bool = False
    policy: str = CONTENT_SECURITY_POLICY
    values: Mapping[str, Any] = field(default_factory=dict)
    changes_by_itself: bool = False


Make = Callable[[Session, datetime], Page]
"""Returns a page, given a session and a moment. Raises a Refusal if there is no such page."""


@dataclass(kw_only=True)
class _PageDocument(Document):
    make: Make
    media_type: str = MEDIA_TYPE
    cache_control: str = REVALIDATED
    page: Page = field(init=False)

    def find(self, snapshot: Snapshot, /) -> None:
        self.page = self.make(snapshot.session, snapshot.moment)
        self.dated = not self.page.changes_by_itself
        self.extra = guards(self.page.policy)

    def render(self, _snapshot: Snapshot, _earlier: Origin | None, /) -> Rendered:
        return Rendered(render(self.page).encode())


def show(make: Make) -> Response:
    """Answer a GET with a page in the language of the request."""
    return serve_cached(_PageDocument(make=make, language=language()))


def guards(policy: str = CONTENT_SECURITY_POLICY) -> tuple[tuple[str, str], ...]:
    """Return the headers by which a browser holds a page to what it may do."""
    over_https = [("Strict-Transport-Security", "max-age=31536000")] if settings().https else []
    return (
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        *over_https,
    )


def guarded(answer: Response, policy: str = CONTENT_SECURITY_POLICY) -> Response:
    """Return the answer with these headers."""
    answer.headers.update(guards(policy))
    return answer


def render(page: Page) -> str:
    """Return a page as HTML in the language of the request under way."""
    return render_template(
        page.template,
        page=page,
        canonical=f"{settings().base_url}{page.path}",
        site=settings().name,
        oembed=links().oembed(f"{settings().base_url}{page.path}") if page.embeddable else None,
        structured=_harmless(page.structured) if page.structured else None,
        language=language(),
        languages=LANGUAGES,
        here=_here,
        home=links().home(),
        **page.values,
    )


def _here(**changed: str | None) -> str:
    """Return this page's path and query with some parameters changed; None takes one away."""
    args = request.args.copy()
    for name, value in changed.items():
        args.pop(name, None)
        if value is not None:
            args[name] = value
    return with_query(request.path, encode_query(args.items(multi=True)))


def _harmless(structured: Mapping[str, Any]) -> Markup:
    """Return JSON that can stand in a script element: it holds no "<", which could end the element."""
    return Markup(orjson.dumps(structured).decode().replace("<", "\\u003c"))  # noqa: S704 - no < in it
