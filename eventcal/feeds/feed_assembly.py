"""Joins rendered entries to the bytes of a feed; after a change, reuses the unchanged bytes of the previous version.

Whether an entry is in a feed depends on the entry and its event only, so a change to a talk affects no other entry.
After changes that may affect others (`FeedStateRow.full_rebuild_revision`), and on another day, the feed is read in
full.
"""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import accumulate
from operator import itemgetter
from sys import intern
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

from eventcal.feeds.entries.entry import FeedHead
from eventcal.feeds.feed import Feed, rows_of, rows_since
from eventcal.feeds.format_registry import COLUMNS, Format, Options
from eventcal.feeds.zones import vtimezone

# After more changes than this, reading the whole feed is as fast.
_MOST_CHANGES = 500


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The feed to assemble, in a format. `renderer` identifies all other code and settings that affect the bytes."""

    feed: Feed
    format: Format
    options: Options
    head: FeedHead
    renderer: str


class _Place(NamedTuple):
    """The position of an entry, by day and UID because databases sort text differently, and its metadata.

    mark: identifies the entry's content together with the UID. zone is None if no VTIMEZONE is needed.
    """

    first_day: str
    uid: str
    last_day: str
    zone: str | None
    mark: str
    stamp: datetime


_Part = tuple[_Place, bytes | memoryview]


@dataclass(frozen=True, kw_only=True, eq=False)
class Assembly:
    """A feed's bytes at a revision of the public data. The same `version` always means the same bytes.

    places: its entries in order. sizes: the size of each in the body, in bytes; begins: the offset of the first.
    """

    revision: int
    version: str
    body: bytes
    places: Sequence[_Place]
    sizes: Sequence[int]
    begins: int

    def weight(self) -> int:
        """Return the approximate number of bytes in memory besides the body."""
        return 500 * len(self.places)


class _Gathered:
    """Ordered entries and their bytes; adjacent unchanged entries are kept as one slice."""

    def __init__(self) -> None:
        self.places: list[_Place] = []
        self.sizes = array("L")
        self.texts: list[bytes | memoryview] = []

    def add(self, part: _Part) -> None:
        """Append one entry."""
        place, text = part
        self.places.append(place)
        self.sizes.append(len(text))
        self.texts.append(text)

    def copy(self, before: Assembly, begins: Sequence[int], start: int, stop: int) -> None:
        """Append the entries from `start` to before `stop` of an assembly; `begins` has their offsets in its body."""
        if start < stop:
            last = stop - 1
            self.places += before.places[start:stop]
            self.sizes.extend(before.sizes[start:stop])
            self.texts.append(memoryview(before.body)[begins[start] : begins[last] + before.sizes[last]])


def assemble(session: Session, wanted: Wanted, *, revision: int, now: datetime) -> Assembly:
    """Return the feed at this revision, read in full."""
    rows = rows_of(session, wanted.feed, COLUMNS[wanted.format.column(wanted.options)], now=now)
    # A single buffer for all entries, so that its memory is returned to the system as a whole.
    pieces = bytearray()
    lying: list[tuple[_Place, int, int]] = []
    for row in rows:
        place, text = _part(wanted, row)
        begins = len(pieces)
        pieces += text
        lying.append((place, begins, len(pieces)))
    seen = memoryview(pieces)
    gathered = _Gathered()
    for place, begins, ends in sorted(lying, key=lambda one: _order(one[0])):
        gathered.add((place, seen[begins:ends]))
    return _joined(wanted, gathered, version=_version(wanted, gathered.places), revision=revision)


def can_increment(assembly: Assembly, *, revision: int, full_rebuild_revision: int) -> bool:
    """Return whether an assembly of the same day can be updated from the changes since, instead of read in full."""
    return full_rebuild_revision <= assembly.revision and revision - assembly.revision <= _MOST_CHANGES


def assemble_incremental(
    session: Session, wanted: Wanted, before: Assembly, *, revision: int, now: datetime
) -> Assembly:
    """Return the feed at this revision, updated from an earlier assembly for which `can_increment` is true."""
    columns = COLUMNS[wanted.format.column(wanted.options)]
    rows = rows_since(session, wanted.feed, columns, revision=before.revision, now=now)
    touched = {row.uid for _, row in rows}
    parts = sorted((_part(wanted, row) for here, row in rows if here), key=lambda part: _order(part[0]))
    gathered = _Gathered()
    between = len(wanted.format.separator)
    begins = list(accumulate((size + between for size in before.sizes), initial=before.begins))
    done = 0
    for at, part in _steps(before, touched, parts):
        gathered.copy(before, begins, done, at)
        if part is not None:
            gathered.add(part)
        done = at if part is not None else at + 1
    gathered.copy(before, begins, done, len(before.places))
    version = _version(wanted, gathered.places)
    if version == before.version:
        return replace(before, revision=revision)
    return _joined(wanted, gathered, version=version, revision=revision)


def _steps(before: Assembly, touched: Collection[str], parts: Iterable[_Part]) -> Iterable[tuple[int, _Part | None]]:
    """Return the positions at which an assembly changes, in order, with the new entry, or None for a removed one.

    At the same position, new entries precede the removed one.
    """
    gone = [(at, 1, None) for at, place in enumerate(before.places) if place.uid in touched]
    come = [(bisect_left(before.places, _order(part[0]), key=_order), 0, part) for part in parts]
    return [(at, part) for at, _, part in sorted([*come, *gone], key=itemgetter(0, 1))]


def _part(wanted: Wanted, row: Row[Any]) -> tuple[_Place, bytes]:
    text, zone = wanted.format.piece(row, wanted.options)
    mark = str(row.revision) if wanted.format.tells_more else f"{row.content_hash[:16]} {row.sequence}"
    # Many entries share these strings, so each is stored once.
    first_day, last_day, zone = intern(row.first_day), intern(row.last_day), zone and intern(zone)
    return _Place(first_day, row.uid, last_day, zone, mark, row.last_modified), text


def _order(place: _Place) -> tuple[str, str]:
    return place.first_day, place.uid


def _joined(wanted: Wanted, gathered: _Gathered, *, version: str, revision: int) -> Assembly:
    changed_at = max([place.stamp for place in gathered.places], default=None)
    zones = [vtimezone(zone, first, last) for zone, (first, last) in _spans(gathered.places).items()]
    above, below = wanted.format.around(replace(wanted.head, changed_at=changed_at), zones)
    separator, texts = wanted.format.separator, gathered.texts
    between = [one for text in texts for one in (separator, text)][1:] if separator else texts
    return Assembly(
        revision=revision,
        version=version,
        # A single join, because the body may have many megabytes.
        body=b"".join([above, *between, below]),
        places=gathered.places,
        sizes=gathered.sizes,
        begins=len(above),
    )


def _version(wanted: Wanted, places: Iterable[_Place]) -> str:
    """Return an identifier of the bytes that is the same on every worker and changes whenever they change.

    It covers every entry. Sums and counts are not enough: as days pass, entries join and leave without any change.
    """
    about = f"{wanted.renderer} {wanted.format.name} {wanted.options!r} {wanted.head!r}"
    name = "\n".join([about, *[f"{place.uid} {place.mark}" for place in places]])
    return hashlib.blake2b(name.encode(errors="replace"), digest_size=12).hexdigest()


def _spans(places: Iterable[_Place]) -> Mapping[str, tuple[date, date]]:
    spans: dict[str, tuple[str, str]] = {}
    for zone, first_day, last_day in {(place.zone, place.first_day, place.last_day) for place in places}:
        if zone is not None:
            first, last = spans.get(zone, (first_day, last_day))
            spans[zone] = min(first, first_day), max(last, last_day)
    return {zone: (date.fromisoformat(days[0]), date.fromisoformat(days[1])) for zone, days in sorted(spans.items())}
