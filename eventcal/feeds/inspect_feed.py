"""Summary of a rendered .ics feed: its name, number of entries, newest change, and linter findings."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from eventcal.lint import Severity, lint
from eventcal.lint.moments import Kind, read_moment
from eventcal.lint.reading import Component, read

LARGEST_READ = 4_000_000
"""The maximum size in bytes of a feed that is inspected; larger ones would take too long."""


@dataclass(frozen=True, kw_only=True)
class NewestChange:
    """The entry that changed last, and when (UTC)."""

    title: str
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class FeedSummary:
    """The summary of a feed. `codes` are the distinct codes of the linter's findings."""

    title: str | None
    entries: int
    newest: NewestChange | None
    errors: int
    warnings: int
    codes: tuple[str, ...]


def summarize_feed(body: bytes) -> FeedSummary | None:
    """Return the summary of an .ics feed, or None if it is larger than LARGEST_READ.

    Overridden occurrences do not count as entries.
    """
    return _glance(body) if len(body) <= LARGEST_READ else None


# Parsing takes a hundred times as long as serving, and most feeds are unchanged since the last inspection.
@lru_cache(8)
def _glance(body: bytes) -> FeedSummary:
    reading = read(body)
    head = reading.calendars[0] if reading.calendars else None
    findings = lint(body)
    severities = Counter(finding.severity for finding in findings)
    return FeedSummary(
        title=_text(head, "NAME") if head is not None else None,
        entries=sum(entry.first("RECURRENCE-ID") is None for entry in reading.entries),
        newest=_newest(reading.entries),
        errors=severities[Severity.ERROR],
        warnings=severities[Severity.WARNING],
        codes=tuple(sorted({finding.code for finding in findings})),
    )


def _newest(entries: list[Component]) -> NewestChange | None:
    newest: NewestChange | None = None
    for entry in entries:
        written = entry.first("LAST-MODIFIED")
        moment = read_moment(written.value) if written else None
        if moment is None or moment.kind is not Kind.UTC:
            continue
        changed_at = moment.local.replace(tzinfo=UTC)
        if newest is None or changed_at > newest.changed_at:
            newest = NewestChange(title=_text(entry, "SUMMARY") or "", changed_at=changed_at)
    return newest


def _text(component: Component, name: str) -> str | None:
    written = component.first(name)
    if written is None:
        return None
    return re.sub(r"\\(.)", lambda found: " " if found[1] in "nN" else found[1], written.value)
