"""Summary of a rendered iCalendar feed: name, number of entries, newest change and linter findings."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from eventcal.lint import Severity, lint
from eventcal.lint.parser import Component, parse_file
from eventcal.lint.time_values import TimeKind, parse_time_value

MAX_FEED_SIZE = 4_000_000
"""The maximum size of an inspected feed in bytes."""


@dataclass(frozen=True, kw_only=True)
class NewestChange:
    """The title of the most recently changed entry, and the time of the change (UTC)."""

    title: str
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class FeedSummary:
    """The summary of a feed. `finding_codes` contains the distinct codes of the linter findings."""

    title: str | None
    entries: int
    newest_change: NewestChange | None
    errors: int
    warnings: int
    finding_codes: tuple[str, ...]


def summarize_feed(body: bytes) -> FeedSummary | None:
    """Return the summary of an iCalendar feed, or None if the feed is larger than MAX_FEED_SIZE."""
    return _summarize_cached(body) if len(body) <= MAX_FEED_SIZE else None


# Summaries are cached, because parsing a feed takes a hundred times as long as serving the feed.
@lru_cache(8)
def _summarize_cached(body: bytes) -> FeedSummary:
    reading = parse_file(body)
    findings = lint(body)
    severities = Counter(finding.severity for finding in findings)
    return FeedSummary(
        title=_property_text(reading.calendars[0], "NAME") if reading.calendars else None,
        entries=sum(entry.find_property("RECURRENCE-ID") is None for entry in reading.entries),
        newest_change=_find_newest_change(reading.entries),
        errors=severities[Severity.ERROR],
        warnings=severities[Severity.WARNING],
        finding_codes=tuple(sorted({finding.code for finding in findings})),
    )


def _find_newest_change(entries: list[Component]) -> NewestChange | None:
    changes: list[NewestChange] = []
    for entry in entries:
        written = entry.find_property("LAST-MODIFIED")
        moment = parse_time_value(written.value) if written else None
        if moment is not None and moment.kind is TimeKind.UTC:
            title = _property_text(entry, "SUMMARY") or ""
            changes.append(NewestChange(title=title, changed_at=moment.local.replace(tzinfo=UTC)))
    return max(changes, key=lambda change: change.changed_at, default=None)


def _property_text(component: Component, name: str) -> str | None:
    written = component.find_property(name)
    return re.sub(r"\\(.)", lambda found: " " if found[1] in "nN" else found[1], written.value) if written else None
