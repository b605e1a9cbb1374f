"""Summary of a rendered iCalendar feed: name, number of entries, newest change and linter findings."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from eventcal.kit.bounded_cache import BoundedCache
from eventcal.lint import Severity, lint
from eventcal.lint.parser import Component, parse_file
from eventcal.lint.time_values import parse_time_value

# Parsing a feed takes a hundred times as long as serving the feed, so that only the first bytes are checked for errors.
_MAX_LINTED_BYTES = 256_000
_ENTRY = re.compile(rb"^BEGIN:VEVENT\r?\n.*?^END:VEVENT\r?\n", re.MULTILINE | re.DOTALL)
_CHANGED_AT = re.compile(rb"^LAST-MODIFIED:(\d{8}T\d{6}Z)\r?$", re.MULTILINE)
_OVERRIDE = re.compile(rb"^RECURRENCE-ID[;:]", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class NewestChange:
    """The title of the most recently changed entry, and the time of the change (UTC)."""

    title: str
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class FeedSummary:
    """The summary of a feed. `finding_codes` contains the distinct codes of the linter findings.

    `is_linted_completely` is false if the linter has only checked the first entries of a large feed.
    """

    title: str | None
    entries: int
    newest_change: NewestChange | None
    errors: int
    warnings: int
    finding_codes: tuple[str, ...]
    is_linted_completely: bool


_summaries: BoundedCache[str, FeedSummary] = BoundedCache(200_000)


def summarize_feed(body: bytes, *, etag: str) -> FeedSummary:
    """Return the summary of an iCalendar feed written by eventcal. Summaries are cached by the ETag of the feed."""
    found = _summaries.get(etag)
    if found is None:
        found = _summarize(body)
        _summaries.put(etag, found)
    return found


def _summarize(body: bytes) -> FeedSummary:
    excerpt = _first_entries(body)
    calendars = parse_file(excerpt).calendars
    findings = lint(excerpt)
    severities = Counter(finding.severity for finding in findings)
    return FeedSummary(
        title=_property_text(calendars[0], "NAME") if calendars else None,
        entries=sum(_OVERRIDE.search(entry[0]) is None for entry in _ENTRY.finditer(body)),
        newest_change=_find_newest_change(body),
        errors=severities[Severity.ERROR],
        warnings=severities[Severity.WARNING],
        finding_codes=tuple(sorted({finding.code for finding in findings})),
        is_linted_completely=len(excerpt) >= len(body),
    )


def _first_entries(body: bytes) -> bytes:
    """Return a calendar that contains the entries within the first bytes of a larger calendar."""
    if len(body) <= _MAX_LINTED_BYTES:
        return body
    end = max((entry.end() for entry in _ENTRY.finditer(body, 0, _MAX_LINTED_BYTES)), default=0)
    return body[:end] + b"END:VCALENDAR\r\n"


def _find_newest_change(body: bytes) -> NewestChange | None:
    newest, newest_at = None, b""
    for entry in _ENTRY.finditer(body):
        changed = _CHANGED_AT.search(entry[0])
        # The times are in UTC and have the same length, so that they are sorted like text.
        if changed is not None and changed[1] > newest_at:
            newest, newest_at = entry[0], changed[1]
    moment = parse_time_value(newest_at.decode())
    if newest is None or moment is None:
        return None
    entries = parse_file(b"BEGIN:VCALENDAR\r\n" + newest + b"END:VCALENDAR\r\n").entries
    title = _property_text(entries[0], "SUMMARY") if entries else None
    return NewestChange(title=title or "", changed_at=moment.local.replace(tzinfo=UTC))


def _property_text(component: Component, name: str) -> str | None:
    written = component.find_property(name)
    return re.sub(r"\\(.)", lambda found: " " if found[1] in "nN" else found[1], written.value) if written else None
