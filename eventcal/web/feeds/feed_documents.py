"""The documents of feeds: calendars, Atom feeds, and the programme of an event in the formats of frab."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from eventcal import __version__
from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.feed import newest_rows, rows_of, settled
from eventcal.feeds.feed_assembly import Assembly, Wanted, assemble, follow, may_follow
from eventcal.feeds.format_registry import COLUMNS, PLAIN, Format, Options, kept_entry
from eventcal.feeds.formats import atom
from eventcal.feeds.frab.schedule import Programme
from eventcal.feeds.index.models import LedgerEntry
from eventcal.kit.markdown import to_plain
from eventcal.members.caller import VISITOR
from eventcal.web.feeds.definitions import Subscription, head_of
from eventcal.web.http.representation import Origin
from eventcal.web.params.listing_filters import Asked, Profile, canonical_query
from eventcal.web.request.context import house, links, settings
from eventcal.web.serving.cached_document import Document, Rendered, Snapshot

Subscribe = Callable[..., Subscription]
"""Returns what a path stands for, given a session, an Asked, the moment, and by name what the path names."""

_ENTRIES = COLUMNS[LedgerEntry.entry]
# How many entries an Atom feed has at most.
_NEWEST = 100


@dataclass(kw_only=True)
class FeedDocument(Document):
    """A feed, given what the query asks for and what the path names. `suffix` ends the name of a download."""

    subscribe: Subscribe
    suffix: str
    asked: Asked
    path_args: Mapping[str, str]
    subscription: Subscription = field(init=False)

    def find(self, snapshot: Snapshot, /) -> None:
        """Resolve the subscription."""
        self.subscription = self.subscribe(snapshot.session, self.asked, snapshot.moment, **self.path_args)
        self.filename = f"{self.subscription.filename}{self.suffix}"
        self.cache_control = self.subscription.cache_control
        self.dated = self.subscription.dated and not self.asked.filter.call_open


@dataclass(kw_only=True)
class CalendarDocument(FeedDocument):
    """A calendar in one of the formats of `format_registry`."""

    format: Format

    def render(self, snapshot: Snapshot, earlier: Origin | None, /) -> Rendered:
        """Apply the changes since the earlier feed to its bytes where possible, else read all entries."""
        session, state, moment = snapshot
        asked = self.asked
        wanted = Wanted(
            feed=settled(session, self.subscription.feed),
            format=self.format,
            options=Options(cancelled=asked.cancelled, utc=asked.utc, rich=asked.profile == Profile.RICH),
            head=head_of(self.subscription, canonical_query(asked), suffix=self.format.name),
            renderer=house().ledger.renderer,
        )
        before = earlier if isinstance(earlier, Assembly) else None
        if before and may_follow(before, revision=state.revision, reshaped_at=state.reshaped_at):
            made = follow(session, wanted, before, revision=state.revision, now=moment)
        else:
            made = assemble(session, wanted, revision=state.revision, now=moment)
        if before and before.version == made.version:
            # Equal bytes are held in memory once.
            made = replace(made, body=before.body)
        return Rendered(made.body, made.version, made)


@dataclass(kw_only=True)
class AtomDocument(FeedDocument):
    """The entries that were announced or changed last, as Atom."""

    def render(self, snapshot: Snapshot, _earlier: Origin | None, /) -> Rendered:
        """Read the newest entries and write them."""
        feed = settled(snapshot.session, self.subscription.feed)
        rows = newest_rows(snapshot.session, feed, _ENTRIES, limit=_NEWEST, now=snapshot.moment)
        options = Options(cancelled=self.asked.cancelled, utc=self.asked.utc)
        entries = [kept_entry(row, options) for row in rows]
        changed_at = max((kept.stamps.changed_at for kept in entries), default=None)
        head = replace(head_of(self.subscription, canonical_query(self.asked), suffix="atom"), changed_at=changed_at)
        return Rendered(
            atom.atom_feed(
                head, entries, self_url=head.source or "", author=settings().name, generated_version=__version__
            )
        )


@dataclass(kw_only=True)
class ScheduleDocument(FeedDocument):
    """The programme of an event; `write` serialises it."""

    write: Callable[[Programme], bytes]
    event: Event = field(init=False)

    def find(self, snapshot: Snapshot, /) -> None:
        """Read the event, and resolve its subscription."""
        self.event = get_event(snapshot.session, self.path_args["slug"], VISITOR)
        super().find(snapshot)

    def render(self, snapshot: Snapshot, _earlier: Origin | None, /) -> Rendered:
        """Read the talks and write the programme."""
        event, feed = self.event, self.subscription.feed
        talks = replace(feed, kinds=feed.kinds & {EntryKind.TALK})
        rows = rows_of(snapshot.session, talks, _ENTRIES, now=snapshot.moment)
        entries = [kept_entry(row, PLAIN) for row in sorted(rows, key=lambda row: (row.first_day, row.uid))]
        programme = Programme(
            slug=event.slug,
            title=event.title,
            description=to_plain(event.summary or ""),
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
        return Rendered(self.write(programme))
