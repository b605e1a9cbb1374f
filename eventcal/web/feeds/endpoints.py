"""The feed endpoints: URL rules, documents and OpenAPI descriptions."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial

from eventcal import __version__
from eventcal.events.queries import get_event
from eventcal.feeds.entries.entry import EntryKind, FeedHead
from eventcal.feeds.feed import iter_feed_rows, list_newest_rows, with_resolved_ids
from eventcal.feeds.feed_assembly import (
    AssembledFeed,
    AssemblyRequest,
    assemble_feed,
    assemble_incremental,
    can_increment,
)
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
from eventcal.feeds.frab.documents import JSON_MEDIA_TYPE, XML_MEDIA_TYPE, schedule_json, schedule_xml
from eventcal.feeds.frab.schedule import ScheduleInput
from eventcal.feeds.index.models import FeedEntry
from eventcal.kit.markdown import to_plain_text
from eventcal.members.caller import ANONYMOUS
from eventcal.web.feeds import definitions
from eventcal.web.feeds.definitions import Subscription
from eventcal.web.http.conditional import PRIVATE, PUBLIC
from eventcal.web.http.representation import Origin
from eventcal.web.params.listing_filters import Asked, Profile, canonical_query
from eventcal.web.request.context import links, services, settings
from eventcal.web.serving import Document, Rendered, Snapshot

_ENTRIES = COLUMNS_BY_SOURCE[FeedEntry.entry]
# The largest number of entries in an Atom feed.
_NEWEST = 100


@dataclass(frozen=True, kw_only=True)
class FeedEndpoint:
    """A feed at a URL rule, which consists of a path and a suffix.

    subscribe: returns the subscription, given a session, the query, the current time, and the path arguments by name.
    render: renders a document, given its snapshot and the source of the earlier version.
    """

    name: str
    path: str
    suffix: str
    media_type: str
    description: str
    subscribe: Callable[..., Subscription]
    render: "Callable[[FeedDocument, Snapshot, Origin | None], Rendered]"

    @property
    def rule(self) -> str:
        """Return the URL rule."""
        return self.path + self.suffix

    def document(self, asked: Asked, path_args: Mapping[str, str], *, counted: str | None = None) -> "FeedDocument":
        """Return the document for a request. `counted` is the key for counting fetches, or None."""
        return FeedDocument(
            media_type=self.media_type, endpoint=self, asked=asked, path_args=path_args, counted=counted
        )


@dataclass(kw_only=True)
class FeedDocument(Document):
    """A feed as requested by the query string and the path."""

    endpoint: FeedEndpoint
    asked: Asked
    path_args: Mapping[str, str]
    subscription: Subscription = field(init=False)

    def find(self, snapshot: Snapshot, /) -> None:
        """Find the subscription and set the headers that depend on it."""
        found = self.endpoint.subscribe(snapshot.session, self.asked, snapshot.moment, **self.path_args)
        self.subscription = found
        self.filename = found.filename + self.endpoint.suffix.replace("/", "-")
        self.cache_control = PRIVATE if found.secret else PUBLIC
        # Calls for talks open and close without a change of the data. Removing a star does not update any timestamp.
        self.dated = not (found.secret or self.asked.filter.call_open)

    def render(self, snapshot: Snapshot, earlier: Origin | None, /) -> Rendered:
        """Write the feed in the format of its endpoint."""
        return self.endpoint.render(self, snapshot, earlier)

    def head(self, *, changed_at: datetime | None = None) -> FeedHead:
        """Return the metadata of the feed. Its UID is derived from the path and is the same in all formats."""
        found, query = self.subscription, canonical_query(self.asked)
        asked = f"?{query}" if query else ""
        digest = hashlib.blake2b(f"{found.path}.ics{asked}".encode(), digest_size=8).hexdigest()
        return FeedHead(
            uid=f"feed-{digest}@{settings().domain}",
            name=found.name,
            description=found.about,
            zone=found.zone,
            url=found.page or links().home(),
            # The body must not contain the secret, because calendars are forwarded, exported and synchronised.
            source=None if found.secret else f"{settings().base_url}{found.path}{self.endpoint.suffix}{asked}",
            changed_at=changed_at,
        )


def _render_calendar(fmt: Format, document: FeedDocument, snapshot: Snapshot, earlier: Origin | None) -> Rendered:
    """Update the earlier body with the changes since then if possible, otherwise render all entries."""
    session, state, moment = snapshot
    asked = document.asked
    wanted = AssemblyRequest(
        feed=with_resolved_ids(session, document.subscription.feed),
        format=fmt,
        options=Options(cancelled=asked.cancelled, utc=asked.utc, rich=asked.profile == Profile.RICH),
        head=document.head(),
        renderer_version=services().ledger.renderer_version,
    )
    before = earlier if isinstance(earlier, AssembledFeed) else None
    if before and can_increment(before, revision=state.revision, full_rebuild_revision=state.full_rebuild_revision):
        made = assemble_incremental(session, wanted, before, revision=state.revision, now=moment)
    else:
        made = assemble_feed(session, wanted, revision=state.revision, now=moment)
    if before and before.version == made.version:
        # Keep equal bytes in memory only once.
        made = replace(made, body=before.body)
    return Rendered(made.body, made.version, made)


def _render_atom(document: FeedDocument, snapshot: Snapshot, _earlier: Origin | None) -> Rendered:
    feed = with_resolved_ids(snapshot.session, document.subscription.feed)
    rows = list_newest_rows(snapshot.session, feed, _ENTRIES, limit=_NEWEST, now=snapshot.moment)
    options = Options(cancelled=document.asked.cancelled, utc=document.asked.utc)
    entries = [entry_from_row(row, options) for row in rows]
    head = document.head(changed_at=max((kept.stamps.changed_at for kept in entries), default=None))
    author = settings().name
    return Rendered(
        atom.atom_feed(head, entries, self_url=head.source or "", author=author, generated_version=__version__)
    )


def _render_programme(
    write: Callable[[ScheduleInput], bytes], document: FeedDocument, snapshot: Snapshot, _earlier: Origin | None
) -> Rendered:
    event, feed = get_event(snapshot.session, document.path_args["slug"], ANONYMOUS), document.subscription.feed
    talks = replace(feed, kinds=feed.kinds & {EntryKind.TALK})
    rows = iter_feed_rows(snapshot.session, talks, _ENTRIES, now=snapshot.moment)
    entries = [entry_from_row(row, DEFAULT_OPTIONS) for row in sorted(rows, key=lambda row: (row.first_day, row.uid))]
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
    return Rendered(write(programme))


def _calendars(
    path: str, subscribe: Callable[..., Subscription], formats: Iterable[Format] = CALENDAR_FORMATS
) -> Iterator[FeedEndpoint]:
    """Yield an endpoint for each calendar format. The docstring of `subscribe` becomes the description."""
    for fmt in formats:
        yield FeedEndpoint(
            name=f"{subscribe.__name__}_{fmt.name}",
            path=path,
            suffix=f".{fmt.name}",
            media_type=fmt.media_type,
            description=subscribe.__doc__ or "",
            subscribe=subscribe,
            render=partial(_render_calendar, fmt),
        )


CALENDAR_FEEDS = (
    *_calendars("/calendar", definitions.whole_calendar, [*CALENDAR_FORMATS, CSV]),
    *_calendars("/deadlines", definitions.deadlines),
    *_calendars("/events/<slug>", definitions.one_event),
    *_calendars("/talks/<talk_id>", definitions.one_talk),
    *_calendars("/speakers/<slug>", definitions.one_speaker),
)
PERSONAL_FEEDS = tuple(_calendars("/feeds/<secret>", definitions.one_agenda))
_news = partial(FeedEndpoint, suffix=".atom", media_type=atom.MEDIA_TYPE, render=_render_atom)
_programme = partial(FeedEndpoint, path="/events/<slug>", subscribe=definitions.one_event)
OTHER_FEEDS = (
    _news(
        name="calendar_news",
        path="/calendar",
        subscribe=definitions.calendar_news,
        description="Serve the most recent announcements and changes.",
    ),
    _news(
        name="event_news",
        path="/events/<slug>",
        subscribe=definitions.one_event,
        description="Serve the most recent announcements and changes of an event and its talks.",
    ),
    _programme(
        name="programme_xml",
        suffix="/schedule.xml",
        media_type=XML_MEDIA_TYPE,
        render=partial(_render_programme, schedule_xml),
        description="Serve an event's programme as frab schedule XML.",
    ),
    _programme(
        name="programme_json",
        suffix="/schedule.json",
        media_type=JSON_MEDIA_TYPE,
        render=partial(_render_programme, schedule_json),
        description="Serve an event's programme as frab schedule JSON.",
    ),
)
FEEDS: Mapping[str, FeedEndpoint] = {
    f"{blueprint}.{feed.name}": feed
    for blueprint, feeds in (("calendars", (*CALENDAR_FEEDS, *PERSONAL_FEEDS)), ("documents", OTHER_FEEDS))
    for feed in feeds
}
"""The feed endpoints by Flask endpoint name."""
