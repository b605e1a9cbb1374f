"""Assembly of feeds from rendered entries.

After a change, unchanged parts of the previously assembled feed are reused. Feeds are assembled from scratch once a
day, and after changes that can add or remove entries other than the changed ones.
"""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import accumulate
from operator import attrgetter, itemgetter
from sys import intern
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

from eventcal.feeds.entries.entry import FeedHead
from eventcal.feeds.entry_selection import Feed, iter_feed_rows, list_rows_changed_since
from eventcal.feeds.format_registry import COLUMNS_BY_SOURCE, Format, Options
from eventcal.feeds.zones import vtimezone, vtimezone_of_yearly_rule

# Above this number of changes, assembling a feed from scratch is as fast as updating it.
_MAX_INCREMENTAL_CHANGES = 500


@dataclass(frozen=True, kw_only=True)
class AssemblyRequest:
    """A feed to assemble. `renderer_version` identifies the code and settings that affect the output."""

    feed: Feed
    format: Format
    options: Options
    head: FeedHead
    renderer_version: str


class _EntryMeta(NamedTuple):
    first_day: str
    uid: str
    last_day: str
    zone: str | None
    content_id: str
    stamp: datetime


_RenderedEntry = tuple[_EntryMeta, bytes | memoryview]
# Entries are sorted in Python, because the order of strings in a database depends on its collation.
_sort_key = attrgetter("first_day", "uid")


@dataclass(frozen=True, kw_only=True, eq=False)
class AssembledFeed:
    """The bytes of a feed at a revision of the public data. Feeds with the same `version` have the same bytes.

    `sizes` contains the size of each entry in bytes. `entries_offset` is the offset of the first entry in the body.
    """

    revision: int
    version: str
    body: bytes
    entries: Sequence[_EntryMeta]
    sizes: Sequence[int]
    entries_offset: int

    def memory_size(self) -> int:
        """Return the approximate memory usage in bytes, excluding the body."""
        return 500 * len(self.entries)


class _EntryBuffer:
    """A sequence of entries and their bytes. Adjacent unchanged entries share one slice of the previous feed."""

    def __init__(self) -> None:
        self.entries: list[_EntryMeta] = []
        self.sizes = array("L")
        self.texts: list[bytes | memoryview] = []

    def append(self, entry: _RenderedEntry) -> None:
        meta, text = entry
        self.entries.append(meta)
        self.sizes.append(len(text))
        self.texts.append(text)

    def append_unchanged(self, previous: AssembledFeed, offsets: Sequence[int], start: int, *, stop: int) -> None:
        """Append entries of a previous feed. `offsets` contains the offset of every entry in the previous feed."""
        if start < stop:
            last = stop - 1
            self.entries += previous.entries[start:stop]
            self.sizes.extend(previous.sizes[start:stop])
            self.texts.append(memoryview(previous.body)[offsets[start] : offsets[last] + previous.sizes[last]])


def assemble_feed(session: Session, request: AssemblyRequest, *, revision: int, now: datetime) -> AssembledFeed:
    columns = COLUMNS_BY_SOURCE[request.format.source_column(request.options)]
    # All entries share one buffer, so that its memory is returned to the operating system as a whole.
    joined = bytearray()
    found: list[tuple[_EntryMeta, int, int]] = []
    for row in iter_feed_rows(session, request.feed, columns, now=now):
        meta, text = _render_row(request, row)
        found.append((meta, len(joined), len(joined) + len(text)))
        joined += text
    view, buffer = memoryview(joined), _EntryBuffer()
    for meta, start, end in sorted(found, key=lambda one: _sort_key(one[0])):
        buffer.append((meta, view[start:end]))
    return _build_feed(request, buffer, version=_hash_version(request, buffer.entries), revision=revision)


def can_increment(assembly: AssembledFeed, *, revision: int, full_rebuild_revision: int) -> bool:
    """Return whether a feed assembled on the same day can be updated instead of being assembled from scratch."""
    return full_rebuild_revision <= assembly.revision and revision - assembly.revision <= _MAX_INCREMENTAL_CHANGES


def assemble_incremental(
    session: Session, request: AssemblyRequest, previous: AssembledFeed, *, revision: int, now: datetime
) -> AssembledFeed:
    """Assemble a feed by updating a previous version of the feed, for which `can_increment` must be true."""
    columns = COLUMNS_BY_SOURCE[request.format.source_column(request.options)]
    rows = list_rows_changed_since(session, request.feed, columns, revision=previous.revision, now=now)
    touched = {row.uid for _, row in rows}
    parts = sorted((_render_row(request, row) for here, row in rows if here), key=lambda part: _sort_key(part[0]))
    between = len(request.format.separator)
    offsets = list(accumulate((size + between for size in previous.sizes), initial=previous.entries_offset))
    buffer, done = _EntryBuffer(), 0
    for at, part in _list_changed_positions(previous, touched, parts):
        buffer.append_unchanged(previous, offsets, done, stop=at)
        if part is not None:
            buffer.append(part)
        done = at if part is not None else at + 1
    buffer.append_unchanged(previous, offsets, done, stop=len(previous.entries))
    version = _hash_version(request, buffer.entries)
    if version == previous.version:
        return replace(previous, revision=revision)
    return _build_feed(request, buffer, version=version, revision=revision)


def _list_changed_positions(
    previous: AssembledFeed, changed_uids: Collection[str], entries: Iterable[_RenderedEntry]
) -> Iterable[tuple[int, _RenderedEntry | None]]:
    """Return the positions at which a feed changes, in ascending order, each with a new entry or None for a removal."""
    # New entries precede an entry that is removed at the same position.
    gone = [(at, 1, None) for at, meta in enumerate(previous.entries) if meta.uid in changed_uids]
    come = [(bisect_left(previous.entries, _sort_key(part[0]), key=_sort_key), 0, part) for part in entries]
    return [(at, part) for at, _, part in sorted([*come, *gone], key=itemgetter(0, 1))]


def _render_row(request: AssemblyRequest, row: Row[Any]) -> tuple[_EntryMeta, bytes]:
    text, zone = request.format.serialize_row(row, request.options)
    mark = str(row.revision) if request.format.has_extra_data else f"{row.content_hash[:16]} {row.sequence}"
    # Dates and zone names are interned, because many entries share them.
    first_day, last_day, zone = intern(row.first_day), intern(row.last_day), zone and intern(zone)
    return _EntryMeta(first_day, row.uid, last_day, zone, mark, row.last_modified), text


def _build_feed(request: AssemblyRequest, buffer: _EntryBuffer, *, version: str, revision: int) -> AssembledFeed:
    changed_at = max([meta.stamp for meta in buffer.entries], default=None)
    zones = [vtimezone(zone, first, last) for zone, (first, last) in _date_ranges_by_zone(buffer.entries).items()]
    head = replace(request.head, changed_at=changed_at)
    above, below = request.format.header_and_footer(head, zones, request.options)
    separator, texts = request.format.separator, buffer.texts or [_serialize_placeholder(request)]
    between = [one for text in texts for one in (separator, text)][1:] if separator else texts
    return AssembledFeed(
        revision=revision,
        version=version,
        # The parts are joined only once, because the body can be many megabytes in size.
        body=b"".join([above, *between, below]),
        entries=buffer.entries,
        sizes=buffer.sizes,
        entries_offset=len(above),
    )


def _serialize_placeholder(request: AssemblyRequest) -> bytes:
    return request.format.serialize_placeholder(vtimezone_of_yearly_rule(request.head.zone))


def _hash_version(request: AssemblyRequest, metas: Iterable[_EntryMeta]) -> str:
    """Return an identifier of the output that is the same on every worker."""
    about = f"{request.renderer_version} {request.format.name} {request.options!r} {request.head!r}"
    # Every entry is hashed, because an entry can join or leave a feed without being changed.
    name = "\n".join([about, *[f"{meta.uid} {meta.content_id}" for meta in metas]])
    return hashlib.blake2b(name.encode(errors="replace"), digest_size=12).hexdigest()


def _date_ranges_by_zone(metas: Iterable[_EntryMeta]) -> Mapping[str, tuple[date, date]]:
    spans: dict[str, tuple[str, str]] = {}
    for zone, first_day, last_day in {(meta.zone, meta.first_day, meta.last_day) for meta in metas}:
        if zone is not None:
            first, last = spans.get(zone, (first_day, last_day))
            spans[zone] = min(first, first_day), max(last, last_day)
    return {zone: (date.fromisoformat(days[0]), date.fromisoformat(days[1])) for zone, days in sorted(spans.items())}
