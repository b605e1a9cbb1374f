"""Entries as an Atom feed: complete documents, summaries and hostile text."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventcal.feeds.entries.entry import (
    CalendarEntry,
    FeedHead,
    Participant,
    ParticipantType,
    Stamps,
    Status,
    StoredEntry,
)
from eventcal.feeds.entries.sanitize import replace_controls
from eventcal.feeds.formats.atom import atom_feed
from tests.clocks import NOON
from tests.feed_support.sample_entries import TALK_ENTRY

ATOM_NAMESPACE = "{http://www.w3.org/2005/Atom}"

GRACE = Participant(
    part=ParticipantType.SPEAKER, key="grace", name="Grace Hopper", url="https://cal.example.org/speakers/grace"
)
ADA = Participant(part=ParticipantType.SPEAKER, key="ada", name="Ada Lovelace")
SPONSOR = Participant(part=ParticipantType.SPONSOR, key="citrix", name="Citrix")

ENTRY = replace(
    TALK_ENTRY,
    title="Xen & ARM",
    html="<p>Why &amp; how.</p>",
    location="Room 1, Hall, Berlin",
    categories=("Core", "arm", "Core"),
    participants=(GRACE, ADA, SPONSOR),
)
HEAD = FeedHead(
    uid="calendar@cal.example.org",
    name="Events",
    description="What is new.",
    zone="UTC",
    url="https://cal.example.org/",
    source="https://cal.example.org/calendar.atom",
    changed_at=None,
)
# Includes surrogates, which hypothesis omits from text by default.
ANY_TEXT = st.text(st.characters(), max_size=40)


def stored_entry(entry: CalendarEntry = ENTRY, *, hours: int = 0) -> StoredEntry:
    """Return the entry, changed this many hours later."""
    return StoredEntry(entry=entry, stamps=Stamps(sequence=3, changed_at=NOON + timedelta(hours=hours)), number=17)


def serialize_feed(*entries: StoredEntry, head: FeedHead = HEAD) -> bytes:
    return atom_feed(
        head, entries, self_url="https://cal.example.org/calendar.atom?q=a&tag=b", author="Xen", generated_version="1.2"
    )


def parse_feed(*entries: StoredEntry, head: FeedHead = HEAD) -> Element:
    return fromstring(serialize_feed(*entries, head=head))  # noqa: S314 - our own


def atom_entries(*entries: StoredEntry) -> list[Element]:
    return parse_feed(*entries).findall(f"{ATOM_NAMESPACE}entry")


def summary_of(entry: CalendarEntry) -> str | None:
    (found,) = atom_entries(stored_entry(entry))
    return found.findtext(f"{ATOM_NAMESPACE}summary")


def test_atom_feed_writes_complete_document() -> None:
    assert (
        serialize_feed(stored_entry(hours=1)).decode()
        == """<?xml version='1.0' encoding='utf-8'?>
<feed xmlns="http://www.w3.org/2005/Atom">
 <id>urn:uuid:940583c2-2d9f-5eb7-8b55-9b65254bd423</id>
 <title>Events</title>
 <subtitle>What is new.</subtitle>
 <updated>2026-03-01T13:00:00Z</updated>
 <link rel="self" type="application/atom+xml" href="https://cal.example.org/calendar.atom?q=a&amp;tag=b" />
 <link rel="alternate" type="text/html" href="https://cal.example.org/" />
 <author>
  <name>Xen</name>
 </author>
 <generator version="1.2">eventcal</generator>
 <entry>
  <id>urn:uuid:1edbaa6b-a930-5f85-87b4-82f7eb948f98</id>
  <title>Xen &amp; ARM</title>
  <updated>2026-03-01T13:00:00Z</updated>
  <published>2026-03-01T12:00:00Z</published>
  <link rel="alternate" type="text/html" href="https://cal.example.org/talks/1" />
  <author>
   <name>Grace Hopper</name>
   <uri>https://cal.example.org/speakers/grace</uri>
  </author>
  <author>
   <name>Ada Lovelace</name>
  </author>
  <category term="Core" />
  <category term="arm" />
  <summary>Wednesday 10 June 2026, 13:30 to 14:15 (Europe/Berlin), Room 1, Hall, Berlin</summary>
  <content type="html">&lt;p&gt;Why &amp;amp; how.&lt;/p&gt;</content>
 </entry>
</feed>
"""
    )


def test_feed_is_updated_when_its_newest_entry_was() -> None:
    changed = datetime(2026, 1, 1, tzinfo=UTC)
    assert (
        parse_feed(stored_entry(hours=1), stored_entry(hours=5), stored_entry()).findtext(f"{ATOM_NAMESPACE}updated")
        == "2026-03-01T17:00:00Z"
    )
    assert (
        parse_feed(head=replace(HEAD, changed_at=changed)).findtext(f"{ATOM_NAMESPACE}updated")
        == "2026-01-01T00:00:00Z"
    )
    assert parse_feed().findtext(f"{ATOM_NAMESPACE}updated") == "1970-01-01T00:00:00Z"


def test_ids_are_uris_that_depend_only_on_the_uid() -> None:
    (first, second) = atom_entries(stored_entry(), stored_entry(replace(ENTRY, uid="talk-2@cal.example.org")))
    (again,) = atom_entries(stored_entry(replace(ENTRY, title="Moved", starts=date(2027, 1, 1), ends=date(2027, 1, 2))))
    ids = [entry.findtext(f"{ATOM_NAMESPACE}id") or "" for entry in (first, second, again)]
    assert ids[0] == ids[2] != ids[1]
    assert [UUID(urn.removeprefix("urn:uuid:")).urn for urn in ids] == ids
    other = parse_feed(head=replace(HEAD, uid="calendar@elsewhere.example.com"))
    assert other.findtext(f"{ATOM_NAMESPACE}id") != parse_feed().findtext(f"{ATOM_NAMESPACE}id")


def test_entries_keep_their_order_and_include_cancelled_ones() -> None:
    off = replace(ENTRY, title="CANCELLED: Xen", status=Status.CANCELLED)
    titles = [
        entry.findtext(f"{ATOM_NAMESPACE}title")
        for entry in atom_entries(stored_entry(hours=2), stored_entry(off), stored_entry(hours=9))
    ]
    assert titles == ["Xen & ARM", "CANCELLED: Xen", "Xen & ARM"]


def test_entry_without_speakers_has_no_author() -> None:
    (entry,) = atom_entries(stored_entry(replace(ENTRY, participants=(SPONSOR,))))
    assert entry.findall(f"{ATOM_NAMESPACE}author") == []


def test_feed_without_a_description_has_no_subtitle() -> None:
    assert parse_feed(head=replace(HEAD, description="")).find(f"{ATOM_NAMESPACE}subtitle") is None


@pytest.mark.parametrize(
    ("starts", "ends", "says"),
    [
        ("2026-06-10", "2026-06-11", "Wednesday 10 June 2026 (Europe/Berlin)"),
        ("2026-12-31", "2027-01-02", "Thursday 31 December 2026 to Friday 1 January 2027 (Europe/Berlin)"),
    ],
)
def test_all_day_summary_includes_the_last_day(starts: str, ends: str, says: str) -> None:
    days = replace(ENTRY, starts=date.fromisoformat(starts), ends=date.fromisoformat(ends), location=None)
    assert summary_of(days) == says


def test_end_on_another_day_is_shown_with_its_date() -> None:
    night = replace(ENTRY, ends=datetime(2026, 6, 11, 2, 0), location="Bar")  # noqa: DTZ001 - local
    assert summary_of(night) == "Wednesday 10 June 2026, 13:30 to Thursday 11 June 2026, 02:00 (Europe/Berlin), Bar"


def test_recurring_entry_summary_contains_its_rule() -> None:
    weekly = replace(ENTRY, recurrence="FREQ=WEEKLY", location=None)
    says = "Wednesday 10 June 2026, 13:30 to 14:15 (Europe/Berlin), repeated by the rule FREQ=WEEKLY"
    assert summary_of(weekly) == says


@given(text=ANY_TEXT, other=ANY_TEXT)
@settings(max_examples=150)
def test_user_text_round_trips(text: str, other: str) -> None:
    person = Participant(part=ParticipantType.SPEAKER, key=other, name=text, url=other)
    entry = replace(
        ENTRY, uid=text, title=text, url=other, html=text, location=other, categories=(text,), participants=(person,)
    )
    feed = parse_feed(stored_entry(entry), head=replace(HEAD, uid=other, name=text, description=other, url=text))
    assert feed.findtext(f"{ATOM_NAMESPACE}title") == replace_controls(text)
    assert (feed.findtext(f"{ATOM_NAMESPACE}subtitle") or "") == replace_controls(other)
    assert [link.get("href") for link in feed.findall(f"{ATOM_NAMESPACE}link")][1] == replace_controls(text)
    (found,) = feed.findall(f"{ATOM_NAMESPACE}entry")
    assert (
        found.findtext(f"{ATOM_NAMESPACE}title") == found.findtext(f"{ATOM_NAMESPACE}content") == replace_controls(text)
    )
    assert found.findtext(f"{ATOM_NAMESPACE}author/{ATOM_NAMESPACE}name") == replace_controls(text)
    assert [category.get("term") for category in found.findall(f"{ATOM_NAMESPACE}category")] == [replace_controls(text)]
    assert (found.findtext(f"{ATOM_NAMESPACE}summary") or "").endswith(replace_controls(other))
