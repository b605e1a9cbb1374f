"""The linter has no findings for the feed of any calendar entry that eventcal can generate."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from eventcal.feeds.apply_options import Cancelled, apply_options
from eventcal.feeds.entries.entry import CalendarEntry, Stamps, Status
from eventcal.feeds.formats.ics import ics_header_and_footer, render_entry, with_timestamps
from eventcal.feeds.formats.vevent import vcalendar_properties
from eventcal.feeds.zones import vtimezone
from eventcal.lint import lint
from tests.feed_support.feed_calendar import FEED_HEAD, SAMPLE_ENTRY
from tests.feed_support.ics_entries import make_override
from tests.feed_support.lint_feeds import NOW

ANY_TEXTS = st.text(max_size=60)
# A % in a URL is kept because the URL may be percent-encoded already.
PATHS = st.text(st.characters(exclude_characters="%"), max_size=60)
STAMPS = Stamps(sequence=3, changed_at=NOW)
STARTS = st.datetimes(datetime.fromisoformat("2001-01-01"), datetime.fromisoformat("2099-12-01"))
TIMED_STARTS = STARTS.map(lambda starts: {"starts": starts.replace(microsecond=0, fold=0)})
ALL_DAY_STARTS = st.dates(date(2001, 1, 1), date(2099, 12, 1)).map(lambda starts: {"starts": starts})


def make_entry(**fields: object) -> CalendarEntry:
    """Return an entry with these fields that lasts for three days."""
    entry = replace(SAMPLE_ENTRY, **fields)  # type: ignore[arg-type]  # fields of many types
    return replace(entry, ends=entry.starts + timedelta(days=3))


ENTRIES = st.builds(
    lambda times, fields: make_entry(**times, **fields),
    TIMED_STARTS | ALL_DAY_STARTS,
    st.fixed_dictionaries(
        {
            "zone": st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
            "title": ANY_TEXTS.map(lambda words: f"T{words}"),
            "description": ANY_TEXTS,
            "html": ANY_TEXTS,
            "location": st.none() | ANY_TEXTS,
            "status": st.sampled_from(Status),
            "geo": st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
            "categories": st.lists(ANY_TEXTS, max_size=3, unique=True).map(tuple),
            "url": PATHS.map(lambda words: f"https://example.org/{words}"),
            "conference": st.none() | PATHS.map(lambda words: f"https://example.org/{words}"),
            "recurrence": st.sampled_from([None, "FREQ=WEEKLY;UNTIL=21000101", "FREQ=DAILY;COUNT=3"]),
        }
    ),
)


def make_feed(entry: CalendarEntry) -> bytes:
    """Return the feed of one entry, with its time zone if the entry needs one."""
    last = entry.ends.date() if isinstance(entry.ends, datetime) else entry.ends
    first = entry.starts.date() if isinstance(entry.starts, datetime) else entry.starts
    zones = [vtimezone(entry.zone, first, last)] if entry.needs_zone else []
    above, below = ics_header_and_footer(vcalendar_properties(replace(FEED_HEAD, name=entry.title)), zones=zones)
    return b"".join([above, with_timestamps(render_entry(entry), STAMPS).encode(), below])


def add_overrides(entry: CalendarEntry) -> CalendarEntry:
    """Return the entry. If it recurs, cancel one occurrence, move another and exclude a third."""
    if not entry.recurrence:
        return entry
    step = timedelta(days=7 if "WEEKLY" in entry.recurrence else 1)
    off, moved, out = (entry.starts + number * step for number in range(3))
    others = (
        make_override(entry, off, status=Status.CANCELLED),
        make_override(
            entry, moved, starts=moved + timedelta(days=2), ends=moved + timedelta(days=3), location="Elsewhere"
        ),
    )
    return replace(entry, excluded=(out,), overrides=others)


@settings(max_examples=150)
@given(ENTRIES.map(add_overrides))
def test_generated_feed_has_no_findings(entry: CalendarEntry) -> None:
    for one in (entry, *(apply_options(entry, cancelled=way, utc=True) for way in Cancelled)):
        assert lint(make_feed(one), now=datetime(2026, 3, 1, 12, 1, tzinfo=UTC)) == []
