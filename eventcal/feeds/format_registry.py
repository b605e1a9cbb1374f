"""The feed formats, each with its media type and serializers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import InstrumentedAttribute

from eventcal.feeds.apply_options import Cancelled, apply_options
from eventcal.feeds.entries.entry import FeedHead, Stamps, StoredEntry
from eventcal.feeds.entries.entry_codec import load_entry
from eventcal.feeds.formats import csv_feed, ics, jcal, jscal, xcal
from eventcal.feeds.formats.components import Component, Property
from eventcal.feeds.formats.vevent import (
    event_components,
    event_components_with_rfc9073,
    vcalendar_properties,
    vcalendar_properties_with_uid,
)
from eventcal.feeds.index.models import FeedEntry


@dataclass(frozen=True, kw_only=True)
class Options:
    """Output options of a feed. `rich` adds the UID of the feed, and the participants and locations (RFC 9073)."""

    cancelled: Cancelled = Cancelled.KEEP
    utc: bool = False
    rich: bool = False


DEFAULT_OPTIONS = Options()


@dataclass(frozen=True, kw_only=True)
class Format:
    """A feed format. `header_and_footer` returns the bytes before and after the entries.

    `serialize_placeholder` serialises the time zone that a feed without entries contains, because iCalendar requires at
    least one component (RFC 5545, section 3.6). The other formats have no placeholder.
    `is_stored_rendered` is true if the feed index stores serialised entries in this format. `has_extra_data` is true if
    the output contains data that the content hash of an entry does not cover.
    """

    name: str
    media_type: str
    serialize_entry: Callable[[StoredEntry, Options], bytes]
    header_and_footer: Callable[[FeedHead, Sequence[Component], Options], tuple[bytes, bytes]]
    serialize_placeholder: Callable[[Component], bytes] = lambda _zone: b""
    separator: bytes = b""
    is_stored_rendered: bool = False
    has_extra_data: bool = False

    def source_column(self, options: Options) -> InstrumentedAttribute[str]:
        """Return the column of the feed index from which entries are serialised."""
        return FeedEntry.ics if self.is_stored_rendered and options == DEFAULT_OPTIONS else FeedEntry.entry

    def serialize_row(self, row: Row[Any], options: Options) -> tuple[bytes, str | None]:
        """Return the serialised entry of a feed index row, and its time zone if the entry requires a VTIMEZONE."""
        if self.is_stored_rendered and options == DEFAULT_OPTIONS:
            return row.ics.encode(), row.zone
        kept = entry_from_row(row, options)
        return self.serialize_entry(kept, options), kept.entry.zone if kept.entry.needs_zone else None


def entry_from_row(row: Row[Any], options: Options) -> StoredEntry:
    entry = apply_options(load_entry(row.entry), cancelled=options.cancelled, utc=options.utc)
    stamps = Stamps(sequence=row.sequence, changed_at=row.last_modified)
    return StoredEntry(entry=entry, stamps=stamps, number=row.serial)


_METADATA_COLUMNS = (
    FeedEntry.uid,
    FeedEntry.first_day,
    FeedEntry.last_day,
    FeedEntry.zone,
    FeedEntry.content_hash,
    FeedEntry.sequence,
    FeedEntry.revision,
    FeedEntry.last_modified,
    FeedEntry.serial,
)
COLUMNS_BY_SOURCE: Mapping[InstrumentedAttribute[str], Sequence[InstrumentedAttribute[Any]]] = {
    source: (*_METADATA_COLUMNS, source) for source in (FeedEntry.ics, FeedEntry.entry)
}


def _components(stored: StoredEntry, options: Options) -> tuple[Component, ...]:
    make = event_components_with_rfc9073 if options.rich else event_components
    return make(stored.entry, stored.stamps)


def _head_properties(head: FeedHead, options: Options) -> tuple[Property, ...]:
    return vcalendar_properties_with_uid(head) if options.rich else vcalendar_properties(head)


ICS = Format(
    name="ics",
    media_type=ics.MEDIA_TYPE,
    serialize_entry=lambda kept, options: "".join(map(ics.serialize_component, _components(kept, options))).encode(),
    header_and_footer=lambda head, zones, options: ics.ics_header_and_footer(
        _head_properties(head, options), zones=zones
    ),
    serialize_placeholder=lambda zone: ics.serialize_component(zone).encode(),
    is_stored_rendered=True,
)
JCAL = Format(
    name="jcal",
    media_type=jcal.MEDIA_TYPE,
    serialize_entry=lambda kept, options: jcal.components_to_json(_components(kept, options)),
    header_and_footer=lambda head, zones, options: jcal.jcal_header_and_footer(
        _head_properties(head, options), zones=zones
    ),
    serialize_placeholder=lambda zone: jcal.components_to_json([zone]),
    separator=jcal.SEPARATOR,
)
XCAL = Format(
    name="xcal",
    media_type=xcal.MEDIA_TYPE,
    serialize_entry=lambda kept, options: xcal.components_to_xml(_components(kept, options)),
    header_and_footer=lambda head, zones, options: xcal.xcal_header_and_footer(
        _head_properties(head, options), zones=zones
    ),
    serialize_placeholder=lambda zone: xcal.components_to_xml([zone]),
)
JSCAL = Format(
    name="jscal",
    media_type=jscal.MEDIA_TYPE,
    serialize_entry=lambda kept, _: jscal.entry_to_json(kept.entry, kept.stamps),
    header_and_footer=lambda head, _zones, _options: jscal.jscal_header_and_footer(head),
    separator=jscal.SEPARATOR,
)
CSV = Format(
    name="csv",
    media_type=csv_feed.MEDIA_TYPE,
    serialize_entry=lambda kept, _: csv_feed.csv_row(kept),
    header_and_footer=lambda _head, _zones, _options: (csv_feed.HEADER, b""),
    has_extra_data=True,
)
CALENDAR_FORMATS = (ICS, JCAL, XCAL, JSCAL)
