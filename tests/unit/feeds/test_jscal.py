"""Entries as JSCalendar objects (RFC 8984)."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings

from eventcal.feeds.entries.entry import Participant, ParticipantType, Relation, Status
from eventcal.feeds.formats import jscal
from eventcal.feeds.formats.vevent import PRODID
from tests.feed_support.jscal_groups import PAGE_LINK, render_event, render_group
from tests.feed_support.sample_entries import (
    ALL_DAY_ENTRY,
    ANY_TEXT,
    FEED_HEAD,
    TALK_ENTRY,
    fill_entry,
    fill_feed_head,
    normalise_text,
)

# Complete objects


def test_website_is_a_related_link() -> None:
    links = render_event(replace(ALL_DAY_ENTRY, website="https://xen.example/"))["links"]
    assert links["website"] == {"@type": "Link", "href": "https://xen.example/", "rel": "related"}


def test_talk_is_written_as_complete_event() -> None:
    assert render_event(TALK_ENTRY) == {
        "@type": "Event",
        "uid": "talk-1@cal.example.org",
        "prodId": PRODID,
        "created": "2026-03-01T12:00:00Z",
        "updated": "2026-03-01T12:00:00Z",
        "sequence": 3,
        "title": "Xen; on ARM, again",
        "description": "Grace Hopper\n\nWhat, and why.",
        "descriptionContentType": "text/plain",
        "start": "2026-06-10T13:30:00",
        "timeZone": "Europe/Berlin",
        "duration": "PT45M",
        "status": "confirmed",
        "freeBusyStatus": "busy",
        "links": {"page": {**PAGE_LINK, "href": "https://cal.example.org/talks/1"}},
        "locations": {
            "place": {"@type": "Location", "name": "Room 1, Halle, Köln", "coordinates": "geo:50.9375,-6.96"}
        },
        "virtualLocations": {
            "online": {"@type": "VirtualLocation", "uri": "https://meet.example.org/xen", "features": {"video": True}}
        },
        "keywords": {"Hypervisors, big": True, "arm": True},
        "relatedTo": {
            "event-1@cal.example.org": {"@type": "Relation", "relation": {"parent": True}},
            "talk-2@cal.example.org": {"@type": "Relation", "relation": {}},
        },
        "participants": {
            "speaker-grace-hopper": {
                "@type": "Participant",
                "name": "Grace Hopper",
                "description": "Speaker, Rear admiral, US Navy",
                "kind": "individual",
                "roles": {"attendee": True},
                "links": {"page": {**PAGE_LINK, "href": "https://cal.example.org/speakers/grace-hopper"}},
            },
            "sponsor-citrix": {
                "@type": "Participant",
                "name": "Citrix",
                "description": "Sponsor, Gold",
                "roles": {"informational": True},
            },
        },
    }


def test_all_day_entry_omits_time_and_absent_properties() -> None:
    assert render_event(ALL_DAY_ENTRY) == {
        "@type": "Event",
        "uid": "event-1@cal.example.org",
        "prodId": PRODID,
        "created": "2026-03-01T12:00:00Z",
        "updated": "2026-03-01T12:00:00Z",
        "sequence": 3,
        "title": "Xen Summit",
        "description": "Three days of Xen.",
        "descriptionContentType": "text/plain",
        "start": "2026-06-10T00:00:00",
        "duration": "P3D",
        "showWithoutTime": True,
        "status": "tentative",
        "freeBusyStatus": "free",
        "links": {"page": {**PAGE_LINK, "href": "https://cal.example.org/events/xen-summit"}},
    }


def test_feed_is_a_group_of_unchanged_pieces() -> None:
    above, below = jscal.jscal_header_and_footer(FEED_HEAD)
    assert json.loads(above + jscal.SEPARATOR.join([b'{"one":1 }', b"{}"]) + below)["entries"] == [{"one": 1}, {}]
    assert render_group(TALK_ENTRY, ALL_DAY_ENTRY)["entries"] == [render_event(TALK_ENTRY), render_event(ALL_DAY_ENTRY)]


def test_feed_without_entries_is_a_valid_group() -> None:
    assert render_group() == {
        "@type": "Group",
        "uid": "feed-1@cal.example.org",
        "prodId": PRODID,
        "updated": "2026-03-01T12:00:00Z",
        "title": "Xen, all of it",
        "description": "Events and talks.",
        "descriptionContentType": "text/plain",
        "links": {"page": {**PAGE_LINK, "href": "https://cal.example.org/"}},
        "source": "https://cal.example.org/calendar.ics",
        "entries": [],
    }


def test_feed_at_a_secret_url_has_no_source() -> None:
    assert "source" not in render_group(TALK_ENTRY, head=replace(FEED_HEAD, source=None))


def test_feed_that_never_changed_has_the_epoch_as_updated() -> None:
    assert render_group(head=replace(FEED_HEAD, changed_at=None))["updated"] == "1970-01-01T00:00:00Z"


# Details


@pytest.mark.parametrize(
    ("status", "transparent", "said"),
    [
        (Status.CONFIRMED, False, ("confirmed", "busy")),
        (Status.TENTATIVE, False, ("tentative", "busy")),
        (Status.CANCELLED, True, ("cancelled", "free")),
    ],
)
def test_status_maps_to_jscalendar_values(status: Status, transparent: bool, said: tuple[str, str]) -> None:  # noqa: FBT001 - a field
    found = render_event(replace(TALK_ENTRY, status=status, transparent=transparent))
    assert (found["status"], found["freeBusyStatus"]) == said


@pytest.mark.parametrize(
    ("geo", "coordinates"),
    [
        ((52.5, 13.0), "geo:52.5,13"),
        ((-1e-9, 1e-6), "geo:0,0.000001"),
        ((-33.8567844, 151.2152967), "geo:-33.856784,151.215297"),
        ((10.0, 100.0), "geo:10,100"),
    ],
)
def test_location_without_a_name_has_coordinates(geo: tuple[float, float], coordinates: str) -> None:
    found = render_event(replace(TALK_ENTRY, location=None, geo=geo))
    assert found["locations"] == {"place": {"@type": "Location", "coordinates": coordinates}}


def test_entry_related_twice_is_listed_once() -> None:
    found = render_event(replace(TALK_ENTRY, related=((Relation.SIBLING, "a"), (Relation.PARENT, "a"))))
    assert found["relatedTo"] == {"a": {"@type": "Relation", "relation": {"parent": True}}}


def test_participant_without_details_is_described_as_speaker() -> None:
    nobody = Participant(part=ParticipantType.SPEAKER, key="x", name="X")
    assert render_event(replace(TALK_ENTRY, participants=(nobody,)))["participants"] == {
        "speaker-x": {
            "@type": "Participant",
            "name": "X",
            "description": "Speaker",
            "kind": "individual",
            "roles": {"attendee": True},
        }
    }


# Hostile text


@given(hostile=ANY_TEXT)
@settings(max_examples=100)
def test_hostile_text_stays_within_its_property(hostile: str) -> None:
    read = render_group(fill_entry(hostile), head=fill_feed_head(hostile))
    (found,) = read["entries"]
    assert (read["uid"], read["title"], read["description"]) == (normalise_text(hostile),) * 3
    assert found.keys() == render_event(TALK_ENTRY).keys()
    assert (found["uid"], found["title"], found["description"]) == (normalise_text(hostile),) * 3
    assert found["keywords"] == {normalise_text(hostile): True, "plain": True}
    assert found["participants"]["speaker-mallory"]["name"] == normalise_text(hostile)


_NEW_PROCESS_SCRIPT = """
from eventcal.feeds.format_registry import JCAL, JSCAL, XCAL, Options
from tests.feed_documents import build_feed
from tests.feed_support.sample_entries import RECURRING_ENTRY, TALK_ENTRY
for fmt in (JCAL, XCAL, JSCAL):
    print(build_feed(fmt, TALK_ENTRY, RECURRING_ENTRY, options=Options(rich=True)).hex())
"""


def test_output_is_identical_across_processes() -> None:
    printed = {
        subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", _NEW_PROCESS_SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": tz, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed, tz in (("1", "UTC"), ("2", "Pacific/Apia"))
    }
    assert len(printed) == 1
