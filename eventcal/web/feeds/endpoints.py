"""The feed endpoints: URL rules, documents and OpenAPI descriptions."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial

from eventcal import __version__
from eventcal.events.queries import get_event
from eventcal.feeds import feed_assembly as assembly
from eventcal.feeds.entries.entry import EntryKind, FeedHead
from eventcal.feeds.entry_selection import exclude_absent_recurring_events, iter_feed_rows, list_newest_rows
from eventcal.feeds.format_registry import (
    CALENDAR_FORMATS,
    COLUMNS_BY_SOURCE,
    CSV,
    DEFAULT_OPTIONS,
    Format,
    Options,
    entry_from_row,
)
from eventcal.feeds.formats import atom
from eventcal.feeds.frab.schedule import ScheduleInput
from eventcal.feeds.frab.serializers import JSON_MEDIA_TYPE, XML_MEDIA_TYPE, schedule_json, schedule_xml
from eventcal.feeds.index.models import FeedEntry
from eventcal.kit.markdown import to_plain_text
from eventcal.members.caller import ANONYMOUS
from eventcal.web.documents import Document, RenderedBody, Snapshot
from eventcal.web.feeds import definitions
from eventcal.web.feeds.definitions import FeedDefinition
from eventcal.web.http.conditional import PRIVATE, PUBLIC
from eventcal.web.http.representation import RenderSource
from eventcal.web.http.urls import with_query
from eventcal.web.params.listing_filters import FeedQuery, Profile, canonical_query
from eventcal.web.request.context import links, services, settings

_ENTRY_COLUMNS = COLUMNS_BY_SOURCE[FeedEntry.entry]
_MAX_ATOM_ENTRIES = 100


@dataclass(frozen=True, kw_only=True)
class FeedEndpoint:
    """A feed at a URL rule, which consists of a path and a suffix.

    `define_feed` receives a database session, a parsed query string, the current time, and the path arguments.
    """

    name: str
    path: str
    suffix: str
    media_type: str
    description: str
    define_feed: Callable[..., FeedDefinition]
    render: "Callable[[FeedDocument, Snapshot, RenderSource | None], RenderedBody]"

    @property
    def rule(self) -> str:
        return self.path + self.suffix

    def build_document(
        self, query: FeedQuery, path_args: Mapping[str, str], *, fetch_key: str | None = None
    ) -> "FeedDocument":
        """Return the feed document for a request. If `fetch_key` is None, the fetch is not counted."""
        return FeedDocument(
            media_type=self.media_type, endpoint=self, query=query, path_args=path_args, fetch_key=fetch_key
        )


@dataclass(kw_only=True)
class FeedDocument(Document):
    """The feed document for the path and query string of a request."""

    endpoint: FeedEndpoint
    query: FeedQuery
    path_args: Mapping[str, str]
    definition: FeedDefinition = field(init=False)

    def load(self, snapshot: Snapshot, /) -> None:
        found = self.endpoint.define_feed(snapshot.session, self.query, snapshot.now, **self.path_args)
        self.definition = found
        self.filename = found.filename + self.endpoint.suffix.replace("/", "-")
        self.cache_control = PRIVATE if found.is_personal else PUBLIC
        # Personal feeds, and feeds that are filtered by open calls, can change while the public data stays the same.
        self.cacheable = not (found.is_personal or self.query.filter.call_open)

    def render(self, snapshot: Snapshot, previous_source: RenderSource | None, /) -> RenderedBody:
        return self.endpoint.render(self, snapshot, previous_source)

    def build_head(self, *, changed_at: datetime | None = None) -> FeedHead:
        """Return the metadata of the feed. The UID depends on the path and the query string, but not on the format."""
        found, query = self.definition, canonical_query(self.query)
        digest = hashlib.blake2b(with_query(f"{found.path}.ics", query).encode(), digest_size=8).hexdigest()
        url = with_query(f"{settings().base_url}{found.path}{self.endpoint.suffix}", query)
        return FeedHead(
            uid=f"feed-{digest}@{settings().domain}",
            name=found.name,
            description=found.description,
            zone=found.timezone,
            url=found.page_url or links().home(),
            # A feed must not contain its own secret, because calendars are forwarded, exported and synchronised.
            source=None if found.is_personal else url,
            changed_at=changed_at,
        )


def _render_calendar(
    document: FeedDocument, snapshot: Snapshot, previous_source: RenderSource | None, *, fmt: Format
) -> RenderedBody:
    (session, state, moment), query = snapshot, document.query
    wanted = assembly.AssemblyRequest(
        feed=exclude_absent_recurring_events(session, document.definition.feed),
        format=fmt,
        options=Options(cancelled=query.cancelled, utc=query.utc, rich=query.profile == Profile.RICH),
        head=document.build_head(),
        renderer_version=services().feed_index.renderer_version,
    )
    before = previous_source if isinstance(previous_source, assembly.AssembledFeed) else None
    revision = state.revision
    if before and assembly.can_increment(before, revision=revision, full_rebuild_revision=state.full_rebuild_revision):
        made = assembly.assemble_incremental(session, wanted, before, revision=revision, now=moment)
    else:
        made = assembly.assemble_feed(session, wanted, revision=revision, now=moment)
    if before and before.version == made.version:
        # The previous body is reused, so that identical bodies are stored in memory only once.
        made = replace(made, body=before.body)
    return RenderedBody(made.body, made.version, made)


def _render_atom(document: FeedDocument, snapshot: Snapshot, _previous_source: RenderSource | None) -> RenderedBody:
    feed = exclude_absent_recurring_events(snapshot.session, document.definition.feed)
    rows = list_newest_rows(snapshot.session, feed, _ENTRY_COLUMNS, limit=_MAX_ATOM_ENTRIES, now=snapshot.now)
    options = Options(cancelled=document.query.cancelled, utc=document.query.utc)
    entries = [entry_from_row(row, options) for row in rows]
    head = document.build_head(changed_at=max((kept.stamps.changed_at for kept in entries), default=None))
    url, author = head.source or "", settings().name
    return RenderedBody(atom.atom_feed(head, entries, self_url=url, author=author, generated_version=__version__))


def _render_schedule(
    write_schedule: Callable[[ScheduleInput], bytes],
    document: FeedDocument,
    snapshot: Snapshot,
    _previous_source: RenderSource | None,
) -> RenderedBody:
    event, feed = get_event(snapshot.session, document.path_args["slug"], ANONYMOUS), document.definition.feed
    talks = replace(feed, kinds=feed.kinds & {EntryKind.TALK})
    rows = iter_feed_rows(snapshot.session, talks, _ENTRY_COLUMNS, now=snapshot.now)
    entries = [entry_from_row(row, DEFAULT_OPTIONS) for row in rows]
    programme = ScheduleInput(
        slug=event.slug,
        title=event.title,
        description=to_plain_text(event.summary or ""),
        url=links().event_page(event.slug),
        zone=event.timezone,
        first_day=date.fromisoformat(event.first_day),
        last_day=date.fromisoformat(event.last_day),
        rooms=tuple(room.name for room in event.rooms),
        tracks=tuple((track.name, track.colour) for track in event.tracks),
        base_url=settings().base_url,
        talks=tuple(entries),
        changed_at=max([event.updated_at, *(kept.stamps.changed_at for kept in entries)]),
    )
    return RenderedBody(write_schedule(programme))


def _iter_calendar_endpoints(
    path: str, define_feed: Callable[..., FeedDefinition], formats: Iterable[Format] = CALENDAR_FORMATS
) -> Iterator[FeedEndpoint]:
    """Yield an endpoint for each calendar format. The docstring of `define_feed` is the description in OpenAPI."""
    for fmt in formats:
        yield FeedEndpoint(
            name=f"{define_feed.__name__}_{fmt.name}",
            path=path,
            suffix=f".{fmt.name}",
            media_type=fmt.media_type,
            description=define_feed.__doc__ or "",
            define_feed=define_feed,
            render=partial(_render_calendar, fmt=fmt),
        )


CALENDAR_FEEDS = (
    *_iter_calendar_endpoints("/calendar", definitions.calendar_feed, [*CALENDAR_FORMATS, CSV]),
    *_iter_calendar_endpoints("/deadlines", definitions.deadlines_feed),
    *_iter_calendar_endpoints("/events/<slug>", definitions.event_feed),
    *_iter_calendar_endpoints("/talks/<talk_id>", definitions.talk_feed),
    *_iter_calendar_endpoints("/speakers/<slug>", definitions.speaker_feed),
)
PERSONAL_FEEDS = tuple(_iter_calendar_endpoints("/feeds/<secret>", definitions.personal_feed))
_atom_endpoint = partial(FeedEndpoint, suffix=".atom", media_type=atom.MEDIA_TYPE, render=_render_atom)
_schedule_endpoint = partial(FeedEndpoint, path="/events/<slug>", define_feed=definitions.event_feed)
OTHER_FEEDS = (
    _atom_endpoint(
        name="calendar_news",
        path="/calendar",
        define_feed=definitions.news_feed,
        description="Serve the most recent announcements and changes.",
    ),
    _atom_endpoint(
        name="event_news",
        path="/events/<slug>",
        define_feed=definitions.event_feed,
        description="Serve the most recent announcements and changes of an event and its talks.",
    ),
    _schedule_endpoint(
        name="programme_xml",
        suffix="/schedule.xml",
        media_type=XML_MEDIA_TYPE,
        render=partial(_render_schedule, schedule_xml),
        description="Serve an event's programme as frab schedule XML.",
    ),
    _schedule_endpoint(
        name="programme_json",
        suffix="/schedule.json",
        media_type=JSON_MEDIA_TYPE,
        render=partial(_render_schedule, schedule_json),
        description="Serve an event's programme as frab schedule JSON.",
    ),
)
FEEDS: Mapping[str, FeedEndpoint] = {
    f"{blueprint}.{feed.name}": feed
    for blueprint, feeds in (("calendars", (*CALENDAR_FEEDS, *PERSONAL_FEEDS)), ("documents", OTHER_FEEDS))
    for feed in feeds
}
