"""The sitemap, uploaded images, the favicon and the endpoint for selecting a language."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple

from flask import Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from eventcal.events.filter import NO_FILTER
from eventcal.events.models import Event
from eventcal.events.queries import select_public_events
from eventcal.feeds.index.models import FeedState
from eventcal.kit.errors import Message, NotFound
from eventcal.kit.localtime import format_utc
from eventcal.kit.translations import LANGUAGES
from eventcal.media.errors import ImageNotFound
from eventcal.media.images import STORED_MEDIA_TYPE
from eventcal.speakers.service import list_public_speakers
from eventcal.talks.models import Talk
from eventcal.talks.queries import select_public_talks
from eventcal.web.documents import Document, RenderedBody, Snapshot, serve_cached
from eventcal.web.http.conditional import conditional_response
from eventcal.web.http.representation import RenderSource, Representation
from eventcal.web.i18n import language_cookie_name
from eventcal.web.identity.permissions import anonymous
from eventcal.web.media import UPLOAD_PATH, media_store
from eventcal.web.pages.public.listing_data import iter_all_rows
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import safe_redirect
from eventcal.web.request.context import links, now, settings

MOST_URLS = 10_000
"""The maximum number of URLs in a sitemap file. The protocol allows 50,000, but some crawlers fail with fewer URLs."""


class _SitemapEntry(NamedTuple):
    url: str
    changed_at: datetime


@dataclass(kw_only=True)
class _Sitemap(Document):
    number: str | None
    media_type: str = "application/xml"
    files: Sequence[Sequence[_SitemapEntry]] = field(init=False)

    def load(self, snapshot: Snapshot, /) -> None:
        entries = tuple(_iter_sitemap_entries(*snapshot))
        self.files = [entries[first : first + MOST_URLS] for first in range(0, len(entries), MOST_URLS)]
        if self.number is not None:
            self.files = [file for number, file in enumerate(self.files, start=1) if str(number) == self.number]
            if not self.files:
                raise NotFound(Message("There is no such part of the sitemap."))

    def render(self, _snapshot: Snapshot, _earlier: RenderSource | None, /) -> RenderedBody:
        if len(self.files) == 1:
            root, element, entries = "urlset", "url", self.files[0]
        else:
            root, element = "sitemapindex", "sitemap"
            urls = (url_for("pages.sitemap", number=str(number)) for number in range(1, len(self.files) + 1))
            times = (max(entry.changed_at for entry in file) for file in self.files)
            entries = [_SitemapEntry(links().base + url, time) for url, time in zip(urls, times, strict=True)]
        text = render_template("sitemap.xml", root=root, element=element, places=entries, format_utc=format_utc)
        return RenderedBody(text.encode())


@pages.get("/sitemap.xml")
@pages.get("/sitemap-<number>.xml")
@anonymous
def sitemap(number: str | None = None) -> Response:
    """Return the sitemap file with the given number or, without a number, the whole sitemap or a sitemap index."""
    return serve_cached(_Sitemap(number=number))


@pages.get(f"{UPLOAD_PATH}<name>")
@anonymous
def picture(name: str) -> Response:
    """Serve an uploaded image, which never changes because its name is derived from its content."""
    body = media_store().open(name)
    if body is None:
        raise ImageNotFound
    representation = Representation(
        body=body,
        media_type=STORED_MEDIA_TYPE,
        etag=name.partition(".")[0],
        last_modified=None,
        cache_control="public, max-age=31536000, immutable",
        compressible=False,
        # A page with a Cross-Origin-Embedder-Policy can load images only if Cross-Origin-Resource-Policy allows it.
        extra_headers=(("Cross-Origin-Resource-Policy", "cross-origin"),),
    )
    return conditional_response(representation, now())


@pages.get("/language/<code>")
@anonymous
def choose_language(code: str) -> AnyResponse:
    if code not in LANGUAGES:
        raise NotFound(Message("There are no pages in “%(code)s”.", code=code))
    response = redirect(safe_redirect(request.args.get("next"), default=url_for("pages.listing")), HTTPStatus.SEE_OTHER)
    https = settings().is_https
    name, year = language_cookie_name(https=https), timedelta(days=365)
    response.set_cookie(name, code, max_age=year, secure=https, httponly=True, samesite="Lax", path="/")
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.get("/favicon.ico")
@anonymous
def redirect_favicon() -> AnyResponse:
    return redirect(url_for("static", filename="icon.svg"), HTTPStatus.PERMANENT_REDIRECT)


def _iter_sitemap_entries(session: Session, state: FeedState, now: datetime) -> Iterator[_SitemapEntry]:
    """Yield all public pages, ordered so that adding a page changes few sitemap files."""
    yield _SitemapEntry(links().home(), state.changed_at)
    columns = Talk.id, Event.slug, Talk.updated_at
    rows = select_public_talks(NO_FILTER, now=now).with_only_columns(*columns, maintain_column_froms=True)
    talks = session.execute(rows.order_by(Talk.published_at, Talk.id)).all()
    programmes: dict[str, datetime] = {}
    for _id, slug, changed_at in talks:
        programmes[slug] = max(changed_at, programmes.get(slug, changed_at))
    events = select_public_events(NO_FILTER, now=now).with_only_columns(Event.slug, Event.updated_at)
    for slug, changed_at in session.execute(events.order_by(Event.created_at, Event.id)):
        yield _SitemapEntry(links().event_page(slug), changed_at)
        yield _SitemapEntry(f"{links().event_page(slug)}/schedule", max(changed_at, programmes.get(slug, changed_at)))
    yield from (_SitemapEntry(links().talk_page(talk_id), changed_at) for talk_id, _slug, changed_at in talks)
    speakers = iter_all_rows(lambda paging: list_public_speakers(session, paging=paging), page_size=1000)
    yield from (_SitemapEntry(links().speaker_page(speaker.slug), speaker.updated_at) for speaker in speakers)
