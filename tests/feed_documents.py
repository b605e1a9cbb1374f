"""Feeds that are built from given entries in each format."""

from collections.abc import Sequence

from eventcal.feeds.entries.entry import CalendarEntry, FeedHead, Stamps, StoredEntry
from eventcal.feeds.format_registry import DEFAULT_OPTIONS, Format, Options
from eventcal.feeds.formats.components import Component
from tests.feed_support.sample_entries import FEED_HEAD, STAMPS


def build_feed(
    fmt: Format,
    *entries: CalendarEntry,
    head: FeedHead = FEED_HEAD,
    zones: Sequence[Component] = (),
    options: Options = DEFAULT_OPTIONS,
    stamps: Stamps = STAMPS,
) -> bytes:
    """Return the feed with these entries. `zones` are the VTIMEZONE components that the entries refer to."""
    above, below = fmt.header_and_footer(head, zones, options)
    kept = [StoredEntry(entry=entry, stamps=stamps, number=number) for number, entry in enumerate(entries, start=1)]
    return above + fmt.separator.join([fmt.serialize_entry(one, options) for one in kept]) + below
