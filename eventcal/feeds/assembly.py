"""A feed's bytes, joined from finished pieces; after a change, from the bytes before and the pieces that changed.

An entry is in a feed by what it is and what its event is, so a change to a talk moves no other entry. Where a change
may have (`LedgerState.reshaped_at`), and on another day, the feed is read whole.
"""

import hashlib
from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import accumulate
from sys import intern
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

from eventcal.feeds.entry import FeedHead
from eventcal.feeds.feed import Feed, rows_of, rows_since
from eventcal.feeds.formats import COLUMNS, Format, Options
from eventcal.feeds.zones import vtimezone

# After more changes than this, reading all of a feed is no dearer.
_MOST_CHANGES = 500


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be assembled: a settled feed in a format. `renderer` names whatever else the bytes are made of."""

    feed: Feed
    format: Format
    options: Options
    head: FeedHead
    renderer: str


class _Place(NamedTuple):
    """Where an entry stands, by day and UID, for databases differ in how they sort text; and what it is there.

    mark: names what it says, its UID in it. zone is None where it needs no VTIMEZONE.
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
    """A feed's bytes at a revision of the public data, and what names them: the same name, the same bytes.

    places: its entries in their order. ends: where the bytes of each end in the body.
    """

    revision: int
    version: str
    body: bytes
    places: Sequence[_Place]
    begins: Sequence[int]
    ends: Sequence[int]

    def weight(self) -> int:
        """Return about how many bytes are held beside the body."""
        return 500 * len(self.places)


def assemble(session: Session, wanted: Wanted, *, revision: int, now: datetime) -> Assembly:
    """Return the feed at this revision, read whole."""
    rows = rows_of(session, wanted.feed, COLUMNS[wanted.format.column(wanted.options)], now=now)
    # All pieces lie in one stretch of memory, which goes back to the machine whole.
    pieces = bytearray()
    lying: list[tuple[_Place, int, int]] = []
    for row in rows:
        place, text = _part(wanted, row)
        begins = len(pieces)
        pieces += text
        lying.append((place, begins, len(pieces)))
    seen = memoryview(pieces)
    parts = sorted(((place, seen[begins:ends]) for place, begins, ends in lying), key=_order)
    version = _version(wanted, (place for place, _ in parts))
    return _joined(wanted, parts, version=version, revision=revision)


def may_follow(assembly: Assembly, *, revision: int, reshaped_at: int) -> bool:
    """Say whether what changed since tells all that is different in a feed on the same day."""
    return reshaped_at <= assembly.revision and revision - assembly.revision <= _MOST_CHANGES


def follow(session: Session, wanted: Wanted, before: Assembly, *, revision: int, now: datetime) -> Assembly:
    """Return the feed at this revision, made from an earlier one that `may_follow`."""
    columns = COLUMNS[wanted.format.column(wanted.options)]
    rows = rows_since(session, wanted.feed, columns, revision=before.revision, now=now)
    touched = {row.uid for _, row in rows}
    body = memoryview(before.body)
    stood = zip(before.places, before.begins, before.ends, strict=True)
    parts: list[_Part] = [(place, body[begins:ends]) for place, begins, ends in stood if place.uid not in touched]
    for here, row in rows:
        if here:
            insort(parts, _part(wanted, row), key=_order)
    version = _version(wanted, (place for place, _ in parts))
    if version == before.version:
        return replace(before, revision=revision)
    return _joined(wanted, parts, version=version, revision=revision)


def _part(wanted: Wanted, row: Row[Any]) -> tuple[_Place, bytes]:
    text, zone = wanted.format.piece(row, wanted.options)
    mark = f"{row.uid} {row.revision if wanted.format.tells_more else f'{row.content[:16]} {row.sequence}'}"
    # Many entries share these: each is held once.
    first_day, last_day, zone = intern(row.first_day), intern(row.last_day), zone and intern(zone)
    return _Place(first_day, row.uid, last_day, zone, mark, row.stamp), text


def _order(part: _Part) -> tuple[str, str]:
    return part[0].first_day, part[0].uid


def _joined(wanted: Wanted, parts: Sequence[_Part], *, version: str, revision: int) -> Assembly:
    places = [place for place, _ in parts]
    texts = [text for _, text in parts]
    changed_at = max([place.stamp for place in places], default=None)
    zones = [vtimezone(zone, first, last) for zone, (first, last) in _spans(places).items()]
    above, below = wanted.format.around(replace(wanted.head, changed_at=changed_at), zones)
    separator = wanted.format.separator
    between = [one for text in texts for one in (separator, text)][1:] if separator else texts
    ends = list(accumulate((len(text) + len(separator) for text in texts), initial=len(above)))
    return Assembly(
        revision=revision,
        version=version,
        # Once and in one go: it may be many megabytes.
        body=b"".join([above, *between, below]),
        places=places,
        begins=ends[:-1],
        ends=[end - len(separator) for end in ends[1:]],
    )


def _version(wanted: Wanted, places: Iterable[_Place]) -> str:
    """Return what names the bytes: another version where they are others, on every worker, for ever.

    Every entry counts. Sums and counts would not do: as days pass, entries come and go without any change.
    """
    about = f"{wanted.renderer} {wanted.format.name} {wanted.options!r} {wanted.head!r}"
    name = "\n".join([about, *[place.mark for place in places]])
    return hashlib.blake2b(name.encode(errors="replace"), digest_size=12).hexdigest()


def _spans(places: Iterable[_Place]) -> Mapping[str, tuple[date, date]]:
    """Return the first and last day of the entries in each zone."""
    spans: dict[str, tuple[str, str]] = {}
    for zone, first_day, last_day in {(place.zone, place.first_day, place.last_day) for place in places}:
        if zone is not None:
            first, last = spans.get(zone, (first_day, last_day))
            spans[zone] = min(first, first_day), max(last, last_day)
    return {zone: (date.fromisoformat(days[0]), date.fromisoformat(days[1])) for zone, days in sorted(spans.items())}
