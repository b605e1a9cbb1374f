"""Whatever an entry of ours holds, the linter has nothing to say of its feed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from eventcal.feeds.entry import CalendarEntry, Stamps
from eventcal.feeds.ics import in_utc, render_entry, render_feed, stamped
from eventcal.feeds.lint import lint
from eventcal.feeds.zones import vtimezone
from tests.lint_feeds import NOW
from tests.make_feeds import ENTRY, HEAD

WORDS = st.text(max_size=60)
# A % in an address is kept, for it may be percent-encoded already.
PATHS = st.text(st.characters(exclude_characters="%"), max_size=60)
STAMPS = Stamps(sequence=3, changed_at=NOW)
STARTS = st.datetimes(datetime.fromisoformat("2001-01-01"), datetime.fromisoformat("2099-12-01"))
TIMES = STARTS.map(lambda starts: {"starts": starts.replace(microsecond=0, fold=0)})
DAYS = st.dates(date(2001, 1, 1), date(2099, 12, 1)).map(lambda starts: {"starts": starts})


def entry_of(**fields: object) -> CalendarEntry:
    """Give an entry that begins as `fields` say and lasts for three days."""
    entry = replace(ENTRY, **fields)  # type: ignore[arg-type]  # fields of many types
    return replace(entry, ends=entry.starts + timedelta(days=3))


ENTRIES = st.builds(
    lambda times, fields: entry_of(**times, **fields),
    TIMES | DAYS,
    st.fixed_dictionaries(
        {
            "zone": st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
            "title": WORDS.map(lambda words: f"T{words}"),
            "description": WORDS,
            "html": WORDS,
            "location": st.none() | WORDS,
            "geo": st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
            "categories": st.lists(WORDS, max_size=3, unique=True).map(tuple),
            "url": PATHS.map(lambda words: f"https://example.org/{words}"),
            "conference": st.none() | PATHS.map(lambda words: f"https://example.org/{words}"),
            "recurrence": st.sampled_from([None, "FREQ=WEEKLY;UNTIL=21000101", "FREQ=DAILY;COUNT=3"]),
        }
    ),
)


def feed_of(entry: CalendarEntry, text: str) -> bytes:
    """Give the feed of one rendered entry, with its zone where it names one."""
    last = entry.ends.date() if isinstance(entry.ends, datetime) else entry.ends
    first = entry.starts.date() if isinstance(entry.starts, datetime) else entry.starts
    zones = [vtimezone(entry.zone, first, last)] if f"TZID={entry.zone}" in text else []
    return render_feed(replace(HEAD, name=entry.title), zones=zones, entries=[stamped(text, STAMPS)])


@settings(max_examples=150)
@given(ENTRIES)
def test_a_feed_of_ours_has_no_finding_whatever_it_holds(entry: CalendarEntry) -> None:
    text = render_entry(entry)
    for written in (text, in_utc(text)):
        assert lint(feed_of(entry, written), now=datetime(2026, 3, 1, 12, 1, tzinfo=UTC)) == []
