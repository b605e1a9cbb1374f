"""The sitemap (sitemaps.org): every page that search engines are to know of, in as many files as it takes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from flask import Response, render_template, url_for
from sqlalchemy.orm import Session

from eventcal.events.filter import EVERYTHING
from eventcal.events.models import Event
from eventcal.events.queries import public_events
from eventcal.feeds.index.state import State
from eventcal.kit.localtime import format_utc
from eventcal.kit.paging import all_rows
from eventcal.kit.refusals import NotFound, Sentence
from eventcal.speakers.service import list_speakers
from eventcal.talks.models import Talk
from eventcal.talks.queries import public_talks
from eventcal.web.http.representation import Origin
from eventcal.web.identity.permissions import feed
from eventcal.web.rendering.page import pages
from eventcal.web.request.context import links
from eventcal.web.serving.cached_document import Document, Rendered, Snapshot, serve_cached

MOST_URLS = 10_000
"""How many URLs one file has; the protocol allows 50,000, and readers begin to stumble before that."""

# How many speakers are read at a time.
_SPEAKERS_AT_ONCE = 1000


class Place(NamedTuple):
    """A page, and when it last changed."""

    url: str
    changed_at: datetime


@dataclass(kw_only=True)
class _Sitemap(Document):
    """Every page, or the files that list them if one file would be too long; with `number` one of these files."""

    number: str | None
    media_type: str = "application/xml"
    files: Sequence[Sequence[Place]] = field(init=False)

    def find(self, snapshot: Snapshot, /) -> None:
        places = tuple(_places(*snapshot))
        self.files = [places[first : first + MOST_URLS] for first in range(0, len(places), MOST_URLS)]
        if self.number is not None:
            numbered = {str(number): file for number, file in enumerate(self.files, start=1)}
            if self.number not in numbered:
                raise NotFound(Sentence("There is no such part of the sitemap."))
            self.files = [numbered[self.number]]

    def render(self, _snapshot: Snapshot, _earlier: Origin | None, /) -> Rendered:
        if len(self.files) == 1:
            root, element, places = "urlset", "url", self.files[0]
        else:
            root, element, places = "sitemapindex", "sitemap", _parts(self.files)
        text = render_template("sitemap.xml", root=root, element=element, places=places, format_utc=format_utc)
        return Rendered(text.encode())


@pages.get("/sitemap.xml")
@pages.get("/sitemap-<number>.xml")
@feed
def sitemap(number: str | None = None) -> Response:
    """Name every page, or the files that do where one would be too long; by its number one of these files."""
    return serve_cached(_Sitemap(number=number))


def _parts(files: Sequence[Sequence[Place]]) -> Sequence[Place]:
    return [
        Place(links().base + url_for("pages.sitemap", number=str(number)), max(place.changed_at for place in file))
        for number, file in enumerate(files, start=1)
    ]


def _places(session: Session, state: State, moment: datetime) -> Iterator[Place]:
    """Yield every public page, in an order in which new ones move few others to another file."""
    yield Place(links().home(), state.changed_at)
    talks = list(_talks(session, moment))
    programmes: dict[str, datetime] = {}
    for _id, slug, changed_at in talks:
        programmes[slug] = max(changed_at, programmes.get(slug, changed_at))
    for slug, changed_at in _events(session, moment):
        yield Place(links().event_page(slug), changed_at)
        yield Place(f"{links().event_page(slug)}/schedule", max(changed_at, programmes.get(slug, changed_at)))
    yield from (Place(links().talk_page(talk_id), changed_at) for talk_id, _slug, changed_at in talks)
    speakers = all_rows(lambda paging: list_speakers(session, paging=paging), at_once=_SPEAKERS_AT_ONCE)
    yield from (Place(links().speaker_page(one.slug), one.updated_at) for one in speakers)


def _events(session: Session, moment: datetime) -> Iterable[tuple[str, datetime]]:
    rows = public_events(EVERYTHING, now=moment).with_only_columns(Event.slug, Event.updated_at)
    return ((row.slug, row.updated_at) for row in session.execute(rows.order_by(Event.created_at, Event.id)))


def _talks(session: Session, moment: datetime) -> Iterable[tuple[str, str, datetime]]:
    rows = public_talks(EVERYTHING, now=moment).with_only_columns(
        Talk.id, Event.slug, Talk.updated_at, maintain_column_froms=True
    )
    found = session.execute(rows.order_by(Talk.published_at, Talk.id))
    return ((row.id, row.slug, row.updated_at) for row in found)
