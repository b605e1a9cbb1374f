"""The formats of feeds: how each entry is written, and the text before and after the entries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import InstrumentedAttribute

from eventcal.feeds.entries.entry import FeedHead, KeptEntry, Stamps
from eventcal.feeds.entries.entry_codec import load_entry
from eventcal.feeds.formats import csv_feed, ics, jcal, jscal, xcal
from eventcal.feeds.formats.components import Component
from eventcal.feeds.formats.vevent import enriched_components, event_components, head_properties
from eventcal.feeds.index.models import FeedEntry
from eventcal.feeds.options import Cancelled, apply_options


@dataclass(frozen=True, kw_only=True)
class Options:
    """Output options: the treatment of cancelled entries, times in UTC, and participants and places as in RFC 9073."""

    cancelled: Cancelled = Cancelled.KEEP
    utc: bool = False
    rich: bool = False


PLAIN = Options()

Around = Callable[[FeedHead, Sequence[Component]], tuple[bytes, bytes]]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A feed format.

    write: serializes one entry. around: returns the text before and after the entries, given their VTIMEZONEs.
    finished: whether the feed index stores serialized entries. tells_more: whether it has data that `content` lacks.
    """

    name: str
    media_type: str
    write: Callable[[KeptEntry, Options], bytes]
    around: Around
    separator: bytes = b""
    finished: bool = False
    tells_more: bool = False

    def column(self, options: Options) -> InstrumentedAttribute[str]:
        """Return the column of the feed index that entries are written from."""
        return FeedEntry.ics if self.finished and options == PLAIN else FeedEntry.entry

    def piece(self, row: Row[Any], options: Options) -> tuple[bytes, str | None]:
        """Return the serialized entry of a row with the COLUMNS, and its zone if it needs a VTIMEZONE."""
        if self.finished and options == PLAIN:
            return row.ics.encode(), row.zone
        kept = kept_entry(row, options)
        return self.write(kept, options), kept.entry.zone if kept.entry.needs_zone else None


def kept_entry(row: Row[Any], options: Options) -> KeptEntry:
    """Return the entry of a row with the COLUMNS, with the options applied."""
    entry = apply_options(load_entry(row.entry), cancelled=options.cancelled, utc=options.utc)
    return KeptEntry(entry=entry, stamps=Stamps(sequence=row.sequence, changed_at=row.last_modified), number=row.serial)


_NUMBERS = (
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
COLUMNS: Mapping[InstrumentedAttribute[str], Sequence[InstrumentedAttribute[Any]]] = {
    FeedEntry.ics: (*_NUMBERS, FeedEntry.ics),
    FeedEntry.entry: (*_NUMBERS, FeedEntry.entry),
}


def _components(kept: KeptEntry, options: Options) -> tuple[Component, ...]:
    make = enriched_components if options.rich else event_components
    return make(kept.entry, kept.stamps)


ICS = Format(
    name="ics",
    media_type=ics.MEDIA_TYPE,
    write=lambda kept, options: "".join(map(ics.write_component, _components(kept, options))).encode(),
    around=ics.around,
    finished=True,
)
JCAL = Format(
    name="jcal",
    media_type=jcal.MEDIA_TYPE,
    write=lambda kept, options: jcal.piece(_components(kept, options)),
    around=lambda head, zones: jcal.around(head_properties(head), zones=zones),
    separator=jcal.SEPARATOR,
)
XCAL = Format(
    name="xcal",
    media_type=xcal.MEDIA_TYPE,
    write=lambda kept, options: xcal.piece(_components(kept, options)),
    around=lambda head, zones: xcal.around(head_properties(head), zones=zones),
)
JSCAL = Format(
    name="jscal",
    media_type=jscal.MEDIA_TYPE,
    write=lambda kept, _: jscal.piece(kept.entry, kept.stamps),
    around=lambda head, _: jscal.around(head),
    separator=jscal.SEPARATOR,
)
CSV = Format(
    name="csv",
    media_type=csv_feed.MEDIA_TYPE,
    write=lambda kept, _: csv_feed.csv_row(kept),
    around=lambda _head, _zones: (csv_feed.HEADER, b""),
    tells_more=True,
)
CALENDARS = (ICS, JCAL, XCAL, JSCAL)
