"""Events and talks as schema.org structured data."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from eventcal.events.enums import Attendance, EventStatus, Programme
from eventcal.events.models import Event, Room
from eventcal.speakers.models import Speaker
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk, TalkSpeaker
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.pages.public.json_ld import event_json_ld, talk_json_ld

LINKS = UrlBuilder("https://cal.example.org")


def make_event(**fields: Any) -> Event:
    values: dict[str, Any] = {
        "id": "e",
        "slug": "summit",
        "title": "Xen Summit",
        "programme": Programme.CURATED,
        "attendance": Attendance.IN_PERSON,
        "timezone": "Europe/Berlin",
        "starts": "2026-06-10",
        "ends": "2026-06-12",
        "starts_at": datetime(2026, 6, 9, 22, tzinfo=UTC),
        "ends_at": datetime(2026, 6, 12, 22, tzinfo=UTC),
        "status": EventStatus.CONFIRMED,
    }
    return Event(**(values | fields))


def make_talk(of: Event, **fields: Any) -> Talk:
    values: dict[str, Any] = {
        "id": "t",
        "event": of,
        "title": "Xen on ARM",
        "state": TalkState.CONFIRMED,
        "published_at": datetime(2026, 3, 1, tzinfo=UTC),
        "starts_at": datetime(2026, 6, 10, 11, 30, tzinfo=UTC),
        "ends_at": datetime(2026, 6, 10, 12, 15, tzinfo=UTC),
    }
    return Talk(**(values | fields))


def test_all_day_event_has_dates_with_an_inclusive_end() -> None:
    assert event_json_ld(make_event(), LINKS) == {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": "Xen Summit",
        "url": "https://cal.example.org/events/summit",
        "startDate": "2026-06-10",
        "endDate": "2026-06-12",
        "eventStatus": "https://schema.org/EventScheduled",
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
    }


def test_times_have_the_time_zone_offset_of_their_date() -> None:
    summer = make_event(
        timezone="America/New_York",
        starts="2026-06-10T18:00:00",
        ends="2026-06-10T20:00:00",
        starts_at=datetime(2026, 6, 10, 22, tzinfo=UTC),
        ends_at=datetime(2026, 6, 11, tzinfo=UTC),
    )
    said = event_json_ld(summer, LINKS)
    assert (said["startDate"], said["endDate"]) == ("2026-06-10T18:00:00-04:00", "2026-06-10T20:00:00-04:00")


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (EventStatus.TENTATIVE, "EventScheduled"),
        (EventStatus.POSTPONED, "EventPostponed"),
        (EventStatus.CANCELLED, "EventCancelled"),
    ],
)
def test_event_status_maps_to_schema_org_status(status: EventStatus, word: str) -> None:
    assert event_json_ld(make_event(status=status), LINKS)["eventStatus"] == f"https://schema.org/{word}"


def test_location_has_postal_address_and_coordinates() -> None:
    somewhere = make_event(
        venue="bcc", address="Alexanderstr. 11", city="Berlin", country="DE", latitude=52.5, longitude=0.0
    )
    assert event_json_ld(somewhere, LINKS)["location"] == {
        "@type": "Place",
        "name": "bcc",
        "address": {
            "@type": "PostalAddress",
            "streetAddress": "Alexanderstr. 11",
            "addressLocality": "Berlin",
            "addressCountry": "DE",
        },
        "geo": {"@type": "GeoCoordinates", "latitude": 52.5, "longitude": 0.0},
    }


def test_virtual_location_links_to_the_online_url_or_the_event_page() -> None:
    online = make_event(attendance=Attendance.ONLINE, city="Berlin")
    said = event_json_ld(online, LINKS)
    assert said["eventAttendanceMode"] == "https://schema.org/OnlineEventAttendanceMode"
    assert said["location"] == {"@type": "VirtualLocation", "url": "https://cal.example.org/events/summit"}
    both = make_event(attendance=Attendance.HYBRID, city="Berlin", online_url="https://live.example.org/")
    said = event_json_ld(both, LINKS)
    assert said["eventAttendanceMode"] == "https://schema.org/MixedEventAttendanceMode"
    assert [(place["@type"], place.get("url")) for place in said["location"]] == [
        ("Place", None),
        ("VirtualLocation", "https://live.example.org/"),
    ]


def test_price_becomes_an_offer_and_no_price_omits_it() -> None:
    priced = make_event(
        price_amount=Decimal("249.5"), price_currency="EUR", registration_url="https://tickets.example.org/"
    )
    said = event_json_ld(priced, LINKS)
    assert said["offers"] == {
        "@type": "Offer",
        "price": "249.50",
        "priceCurrency": "EUR",
        "url": "https://tickets.example.org/",
    }
    assert said["isAccessibleForFree"] is False
    free = event_json_ld(make_event(price_amount=Decimal(0), price_currency="EUR"), LINKS)
    assert (free["offers"]["price"], free["isAccessibleForFree"]) == ("0.00", True)
    assert event_json_ld(make_event(), LINKS).keys().isdisjoint({"offers", "isAccessibleForFree"})


def test_description_is_the_summary_or_the_plain_text_of_the_description() -> None:
    described = make_event(description="All about *Xen*.")
    assert event_json_ld(described, LINKS)["description"] == "All about Xen."
    described.summary = "In short"
    assert event_json_ld(described, LINKS)["description"] == "In short"


def test_talk_has_its_speakers_location_and_event() -> None:
    summit = make_event(venue="bcc", city="Berlin")
    grace = Speaker(slug="grace", name="Grace Hopper", job_title="Admiral", affiliation="US Navy")
    given = make_talk(
        summit,
        abstract="On *ARM*",
        language="en",
        room=Room(id="r", name="Room 1"),
        speaking=[TalkSpeaker(speaker=grace, position=0)],
    )
    said = talk_json_ld(given, LINKS)
    assert said is not None
    assert said["performer"] == [
        {
            "@type": "Person",
            "name": "Grace Hopper",
            "url": "https://cal.example.org/speakers/grace",
            "jobTitle": "Admiral",
            "affiliation": {"@type": "Organization", "name": "US Navy"},
        }
    ]
    assert (said["startDate"], said["endDate"]) == ("2026-06-10T13:30:00+02:00", "2026-06-10T14:15:00+02:00")
    assert (said["description"], said["inLanguage"]) == ("On ARM", "en")
    assert said["location"]["name"] == "Room 1, bcc"
    assert said["superEvent"]["location"]["name"] == "bcc"
    assert (said["superEvent"]["name"], said["superEvent"]["startDate"]) == ("Xen Summit", "2026-06-10")


def test_withdrawn_talk_or_talk_of_cancelled_event_is_cancelled() -> None:
    off = "https://schema.org/EventCancelled"
    withdrawn = talk_json_ld(make_talk(make_event(), state=TalkState.WITHDRAWN), LINKS)
    of_nothing = talk_json_ld(make_talk(make_event(status=EventStatus.CANCELLED)), LINKS)
    assert [said and said["eventStatus"] for said in (withdrawn, of_nothing)] == [off, off]
    assert withdrawn is not None
    assert withdrawn["superEvent"]["eventStatus"] == "https://schema.org/EventScheduled"


def test_unscheduled_talk_has_no_structured_data() -> None:
    assert talk_json_ld(make_talk(make_event(), starts_at=None, ends_at=None), LINKS) is None
