"""CSV serializer (RFC 4180), whose output opens in spreadsheet programs without an import dialog."""

import csv
import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from io import StringIO

from eventcal.feeds.entries.entry import CalendarEntry, ParticipantType, StoredEntry
from eventcal.feeds.entries.sanitize import replace_controls
from eventcal.kit.localtime import (
    day_end,
    day_start,
    format_local,
    format_utc,
    format_with_offset,
    local_to_utc_lenient,
)

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"

COLUMNS = (
    *("kind", "title", "starts", "ends", "timezone", "starts_at", "ends_at", "all_day", "recurrence", "status"),
    *("location", "speakers", "categories", "event", "track", "room", "language", "url", "uid", "updated"),
)

_LIST_SEPARATOR = "; "
# Some programs ignore whitespace and invisible characters before a formula.
_LEADING_INVISIBLE = re.compile("^[\\s\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+")
_FORMULA_STARTS = frozenset({"=", "+", "-", "@", "\N{MINUS SIGN}"})


def csv_row(stored: StoredEntry) -> bytes:
    """Return the row of an entry in UTF-8, terminated by CRLF.

    The columns `starts` and `ends` contain local times, or the first and last day of an all-day entry. The columns
    `starts_at` and `ends_at` contain instants with the UTC offset of the time zone (RFC 3339).
    """
    entry = stored.entry
    starts, ends, starts_at, ends_at = _start_and_end_times(entry)
    speakers = [one.name for one in entry.participants if one.part == ParticipantType.SPEAKER]
    talk = entry.talk
    cells = (
        *(entry.kind, entry.title, format_local(starts), format_local(ends), entry.zone),
        *(format_with_offset(starts_at, entry.zone), format_with_offset(ends_at, entry.zone)),
        *("true" if entry.all_day else "false", entry.recurrence, entry.status.lower(), entry.location),
        *(_LIST_SEPARATOR.join(speakers), _LIST_SEPARATOR.join(entry.categories)),
        *((talk.event, talk.track, talk.room, talk.language) if talk else (None,) * 4),
        *(entry.url, entry.uid, format_utc(stored.stamps.changed_at)),
    )
    return _format_csv_line(cells)


def _start_and_end_times(entry: CalendarEntry) -> tuple[date | datetime, date | datetime, datetime, datetime]:
    starts, ends = entry.starts, entry.ends
    if isinstance(starts, datetime) and isinstance(ends, datetime):
        return starts, ends, local_to_utc_lenient(starts, entry.zone), local_to_utc_lenient(ends, entry.zone)
    last = max(ends - timedelta(days=1), starts)
    return starts, last, day_start(starts, entry.zone), day_end(last, entry.zone)


def _format_csv_line(cells: Iterable[str | None]) -> bytes:
    line = StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow([_escape_formula(cell or "") for cell in cells])
    return line.getvalue().encode()


def _escape_formula(cell: str) -> str:
    """Prefix the cell with an apostrophe if a spreadsheet program could run it as a formula (OWASP, CSV Injection)."""
    text = replace_controls(cell)
    begins = unicodedata.normalize("NFKC", _LEADING_INVISIBLE.sub("", text)[:1])
    is_formula = begins in _FORMULA_STARTS or text.startswith("\n") or cell.startswith("\t")
    return f"'{text}" if is_formula else text


# The header starts with a byte order mark, which spreadsheet programs need to detect UTF-8.
HEADER = "\N{ZERO WIDTH NO-BREAK SPACE}".encode() + _format_csv_line(COLUMNS)
