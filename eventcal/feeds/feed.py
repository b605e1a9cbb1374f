"""Feeds: which entries one has, which version it is at, and its bytes. Renders no entry, reads finished text."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, false, or_, select
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter
from eventcal.events.models import Event
from eventcal.events.queries import public_events
from eventcal.feeds.ics import FeedHead, in_utc, marked_only, render_feed
from eventcal.feeds.models import EntryKind, LedgerEntry
from eventcal.feeds.zones import vtimezone
from eventcal.talks.filter import public_talks
from eventcal.talks.models import Talk

_BACK, _AHEAD = timedelta(days=30), timedelta(days=400)


class Cancelled(StrEnum):
    """What becomes of entries that were called off."""

    KEEP = "keep"
    HIDE = "hide"
    MARK = "mark"


@dataclass(frozen=True, kw_only=True)
class Feed:
    """What a feed is asked for. `talks_only_of` narrows its talks to these ids (a member's agenda)."""

    asked: Filter
    events: bool = True
    talks: bool = True
    cancelled: Cancelled = Cancelled.KEEP
    utc: bool = False
    talks_only_of: frozenset[str] | None = None


def windowed(asked: Filter, *, now: datetime) -> Filter:
    """Return the filter with the days that a calendar covers where it says none: clients stop reading at 1 MB.

    Whoever names one end beyond the usual other one gets everything on that side of it.
    """
    today = now.astimezone(UTC).date()
    first: date | None = today - _BACK
    last: date | None = today + _AHEAD
    if asked.to_day is not None and asked.to_day < today - _BACK:
        first = None
    if asked.from_day is not None and asked.from_day > today + _AHEAD:
        last = None
    return replace(asked, from_day=asked.from_day or first, to_day=asked.to_day or last)


def version_of(session: Session, feed: Feed, *, renderer: str, now: datetime) -> str:
    """Return what names this feed's bytes: another version where they are others, on every worker, for ever.

    Every entry counts, by the digest of what it says and its numbers. Sums and counts would not do: as days pass,
    entries come and go without any change. `renderer` names whatever else the bytes are made of.
    """
    numbers = _entries(feed, now=now).with_only_columns(
        # The content has the UID in it; with the rest, it decides on the order and on the range of each VTIMEZONE.
        LedgerEntry.content,
        LedgerEntry.sequence,
        LedgerEntry.stamp,
        LedgerEntry.zone,
        LedgerEntry.first_day,
        LedgerEntry.last_day,
        maintain_column_froms=True,
    )
    entries = sorted(
        f"{content}{sequence} {stamp}{zone and (zone, first_day, last_day)}"
        for content, sequence, stamp, zone, first_day, last_day in session.execute(numbers)
    )
    name = "\n".join([renderer, feed.cancelled, str(feed.utc), *entries])
    return hashlib.blake2b(name.encode(), digest_size=12).hexdigest()


def assemble(session: Session, feed: Feed, head: FeedHead, *, now: datetime) -> bytes:
    """Return the feed's bytes: its finished entries in a fixed order, and a VTIMEZONE for each zone they use."""
    rows = _rows(session, feed, now=now)
    texts = [row.ics for row in rows]
    if feed.cancelled == Cancelled.MARK:
        texts = [marked_only(text) for text in texts]
    if feed.utc:
        texts = [in_utc(text) for text in texts]
    spans = _spans([row for row in rows if _keeps_zone(feed, row.ics)])
    zones = [vtimezone(zone, first, last) for zone, (first, last) in spans.items()]
    changed_at = max((row.stamp for row in rows), default=None)
    return render_feed(replace(head, changed_at=changed_at), zones=zones, entries=texts)


def _rows(session: Session, feed: Feed, *, now: datetime) -> list[Row[*tuple[Any, ...]]]:
    """Return what bytes are made of, by day and UID: databases differ in how they sort text."""
    rows = session.execute(
        _entries(feed, now=now).with_only_columns(
            LedgerEntry.uid,
            LedgerEntry.first_day,
            LedgerEntry.last_day,
            LedgerEntry.zone,
            LedgerEntry.stamp,
            LedgerEntry.ics,
            maintain_column_froms=True,
        )
    )
    return sorted(rows, key=lambda row: (row.first_day, row.uid))


def _keeps_zone(feed: Feed, text: str) -> bool:
    """Say whether an entry still names its zone in this feed."""
    return not feed.utc or "\r\nRRULE:" in text


def _spans(rows: Sequence[Row[*tuple[Any, ...]]]) -> dict[str, tuple[date, date]]:
    """Return the first and last day of the entries in each zone."""
    spans: dict[str, tuple[date, date]] = {}
    for row in rows:
        if row.zone is not None:
            first, last = date.fromisoformat(row.first_day), date.fromisoformat(row.last_day)
            seen = spans.get(row.zone, (first, last))
            spans[row.zone] = min(seen[0], first), max(seen[1], last)
    return dict(sorted(spans.items()))


def _entries(feed: Feed, *, now: datetime) -> Select[LedgerEntry]:
    """Return the statement for the feed's entries: the list's own query, by the ids that it gives."""
    either: list[ColumnElement[bool]] = [false()]
    if feed.events:
        ids = public_events(feed.asked, now=now).with_only_columns(Event.id)
        either.append((LedgerEntry.kind == EntryKind.EVENT) & LedgerEntry.subject_id.in_(ids))
    if feed.talks:
        talks = public_talks(feed.asked, now=now).with_only_columns(Talk.id)
        if feed.talks_only_of is not None:
            talks = talks.where(Talk.id.in_(feed.talks_only_of))
        either.append((LedgerEntry.kind == EntryKind.TALK) & LedgerEntry.subject_id.in_(talks))
    rows = select(LedgerEntry).where(or_(*either))
    return rows.where(LedgerEntry.cancelled.is_(False)) if feed.cancelled == Cancelled.HIDE else rows
