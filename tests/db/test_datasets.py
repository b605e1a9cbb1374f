from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from eventcal.datasets.import_service import SectionCounts, load_dataset
from eventcal.datasets.parser import validate_dataset
from eventcal.events.queries import get_event
from eventcal.kit.database import Database
from eventcal.members.caller import OPERATOR
from eventcal.speakers.models import Speaker
from eventcal.talks.models import Talk
from eventcal.talks.queries import talk_load_options
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.schemas.dataset_records import load_record
from eventcal.web.schemas.events import event_json
from eventcal.web.schemas.speakers import speaker_json
from eventcal.web.schemas.talks import talk_json
from tests.clocks import FixedClock
from tests.datasets import (
    EVENT_RECORD,
    SPEAKER_RECORD,
    TALK_RECORD,
    Json,
    list_all_rows,
    load_errors,
    load_sections,
    open_indexed_database,
)

LINKS = UrlBuilder("https://example.org")
GENERATED_FIELDS = ("id", "revision", "created_at", "updated_at", "links")


@pytest.fixture
def calendar_database(database_url: str, clock: FixedClock) -> Iterator[Database]:
    calendar = open_indexed_database(database_url, clock)
    yield calendar
    calendar.engine.dispose()


def load_event_json(calendar: Database, slug: str = "summit") -> Json:
    with calendar.read_session() as session:
        found = get_event(session, slug, OPERATOR)
        return event_json(found, LINKS)


def load_talks_json(calendar: Database) -> list[Json]:
    with calendar.read_session() as session:
        rows = session.scalars(select(Talk).options(*talk_load_options()).order_by(Talk.title))
        return [talk_json(talk, LINKS) for talk in rows]


def load_speaker_json(calendar: Database, slug: str = "ada") -> Json:
    with calendar.read_session() as session:
        return speaker_json(session.scalars(select(Speaker).where(Speaker.slug == slug)).one(), LINKS)


def query_column(calendar: Database, query: str) -> list[Any]:
    with calendar.read_connection() as connection:
        return list(connection.execute(text(query)).scalars())


def without_fields(resource: Json, *names: str) -> Json:
    return {name: value for name, value in resource.items() if name not in names}


def test_load_stores_all_fields_of_an_event(calendar_database: Database) -> None:
    place = {"venue": "bcc", "address": "Alexanderstr. 11", "city": "Berlin", "region": None, "country": "DE"}
    said = {
        **EVENT_RECORD,
        "kind": "workshop",
        "summary": "Three days.",
        "description": "All of *Xen*.",
        "programme": "listed",
        "attendance": "hybrid",
        "location": {**place, "latitude": 52.52, "longitude": 13.41},
        "online_url": "https://meet.example.org/summit",
        "url": "https://summit.example.org",
        "registration": {"url": "https://tickets.example.org", "price": {"amount": "99.00", "currency": "EUR"}},
        "tags": ["xen", "arm"],
        "status": "tentative",
        "series": "Summit",
        "recurrence": "FREQ=YEARLY;COUNT=3",
        "recurrence_overrides": {"2027-06-10": {"excluded": True}, "2028-06-10": {"title": "The last one"}},
    }
    call = {"opens_at": "2026-04-01T09:00:00", "closes_at": "2026-05-01", "anywhere_on_earth": True, "kinds": ["bof"]}
    tracks = [{"name": "Main", "colour": "#1f6f8b"}, {"name": "Other", "colour": None}]
    rooms = [{"name": "Attic", "capacity": 12}]
    load_sections(calendar_database, events=[{**said, "call_for_talks": call, "tracks": tracks, "rooms": rooms}])
    found = load_event_json(calendar_database)
    assert {name: found[name] for name in said} == said
    assert found["call_for_talks"] == {
        "opens_at": "2026-04-01T09:00:00+02:00",
        "closes_at": "2026-05-01",
        "anywhere_on_earth": True,
        "kinds": ["bof"],
        "note": None,
    }
    assert [without_fields(track, "id") for track in found["tracks"]] == tracks
    assert [without_fields(room, "id") for room in found["rooms"]] == rooms
    assert found["sequence"] == 0


def test_load_stores_all_fields_of_a_talk_and_its_speaker(calendar_database: Database) -> None:
    ada = {
        **SPEAKER_RECORD,
        "job_title": "Countess",
        "bio": "Wrote *notes*.",
        "links": [{"title": "Notes", "url": "https://ada.example.org"}],
        "photo_url": "https://ada.example.org/me.png",
    }
    said = {
        **TALK_RECORD,
        "abstract": "Where the port stands.",
        "kind": "lightning",
        "language": "en",
        "track": "Main",
        "room": "Attic",
        "starts": "2026-06-10T09:00:00",
        "ends": "2026-06-10T09:30:00",
        "duration_minutes": 30,
        "tags": ["arm"],
        "slides_url": "https://slides.example.org",
        "recording_url": "https://video.example.org",
        "reprise_of": None,
    }
    summit = {**EVENT_RECORD, "tracks": [{"name": "Main"}], "rooms": [{"name": "Attic"}]}
    load_sections(calendar_database, speakers=[ada], events=[summit], talks=[said])
    [found] = load_talks_json(calendar_database)
    assert {name: found[name] for name in said if name != "speakers"} == without_fields(said, "speakers")
    assert [one["slug"] for one in found["speakers"]] == ["ada"]
    assert found["starts_at"] == "2026-06-10T09:00:00+02:00"
    assert found["sequence"] == 0
    assert without_fields(load_speaker_json(calendar_database), "bio_html") == ada


def test_reloading_the_same_file_changes_nothing(calendar_database: Database, clock: FixedClock) -> None:
    file: dict[str, Any] = {
        "speakers": [{**SPEAKER_RECORD, "links": [{"title": "Notes", "url": "https://ada.example.org"}]}],
        "sponsors": [{"slug": "rackspace", "name": "Rackspace"}],
        "events": [
            {
                **EVENT_RECORD,
                "tags": ["xen"],
                "location": {"city": "Berlin", "latitude": 52.5, "longitude": 13.4},
                "registration": {"price": {"amount": "99.00", "currency": "EUR"}},
                "call_for_talks": {"kinds": ["bof"], "closes_at": "2026-05-01", "anywhere_on_earth": True},
                "tracks": [{"name": "Main"}],
                "rooms": [{"name": "Attic", "capacity": 5}],
                "tiers": [
                    {"name": "Gold", "price": {"amount": "10.00", "currency": "EUR"}, "capacity": 1, "benefits": ["A"]}
                ],
                "sponsorships": [{"sponsor": "rackspace", "tier": "Gold", "state": "confirmed"}],
                "co_located_with": ["beside"],
            },
            {**EVENT_RECORD, "slug": "beside", "status": "cancelled"},
        ],
        "talks": [
            {**TALK_RECORD, "track": "Main", "room": "Attic", "starts": "2026-06-10T09:00:00", "tags": ["arm"]},
            {
                **TALK_RECORD,
                "title": "Again",
                "reprise_of": {"event": "summit", "title": "Xen on ARM"},
                "state": "cancelled",
            },
        ],
    }
    load_sections(calendar_database, **file)
    before = list_all_rows(calendar_database)
    clock.tick(3600)
    assert load_sections(calendar_database, **file) == {
        "speakers": SectionCounts(new=0, changed=0, unchanged=1),
        "sponsors": SectionCounts(new=0, changed=0, unchanged=1),
        "events": SectionCounts(new=0, changed=0, unchanged=2),
        "talks": SectionCounts(new=0, changed=0, unchanged=2),
    }
    assert list_all_rows(calendar_database) == before


def test_later_file_changes_only_the_given_fields(calendar_database: Database, clock: FixedClock) -> None:
    load_sections(
        calendar_database,
        speakers=[SPEAKER_RECORD],
        events=[{**EVENT_RECORD, "summary": "One.", "tags": ["xen"]}],
        talks=[TALK_RECORD],
    )
    was_event, [was_talk], was_speaker = (
        load_event_json(calendar_database),
        load_talks_json(calendar_database),
        load_speaker_json(calendar_database),
    )
    clock.tick(3600)
    report = load_sections(
        calendar_database,
        speakers=[{"slug": "ada", "job_title": "Countess"}],
        events=[{"slug": "summit", "title": "Great Summit", "rooms": [{"name": "Attic"}]}],
        talks=[{"event": "summit", "title": "Xen on ARM", "room": "Attic", "abstract": "Words."}],
    )
    assert {section: count.changed for section, count in report.items()} == {
        "speakers": 1,
        "sponsors": 0,
        "events": 1,
        "talks": 1,
    }
    now_event, [now_talk], now_speaker = (
        load_event_json(calendar_database),
        load_talks_json(calendar_database),
        load_speaker_json(calendar_database),
    )
    assert now_event["title"] == "Great Summit"
    assert now_event["sequence"] == 1
    assert without_fields(now_event, "title", "rooms", "sequence", *GENERATED_FIELDS) == without_fields(
        was_event, "title", "rooms", "sequence", *GENERATED_FIELDS
    )
    assert now_talk["id"] == was_talk["id"]
    assert (now_talk["room"], now_talk["abstract"], now_talk["sequence"]) == ("Attic", "Words.", 1)
    assert [one["slug"] for one in now_talk["speakers"]] == ["ada"]
    assert now_speaker == {**was_speaker, "job_title": "Countess"}


def test_null_clears_optional_fields_and_keeps_required_ones(calendar_database: Database) -> None:
    load_sections(
        calendar_database,
        events=[{**EVENT_RECORD, "summary": "One.", "kind": "meetup", "tags": ["xen"], "status": "tentative"}],
    )
    cleared = dict.fromkeys(("summary", "kind", "tags", "status", "title", "tracks", "tiers", "location"))
    calendar_database.clock.wait_until(calendar_database.clock.now() + timedelta(seconds=1))
    load_sections(calendar_database, events=[{"slug": "summit", **cleared}])
    found = load_event_json(calendar_database)
    assert (found["summary"], found["tags"]) == (None, [])
    assert (found["kind"], found["status"], found["title"]) == ("meetup", "tentative", "Summit")


def test_load_deletes_nothing(calendar_database: Database) -> None:
    parts = {"tracks": [{"name": "Main"}], "tiers": [{"name": "Gold"}]}
    load_sections(calendar_database, speakers=[SPEAKER_RECORD], events=[{**EVENT_RECORD, **parts}], talks=[TALK_RECORD])
    load_sections(calendar_database, speakers=[], events=[{**EVENT_RECORD, "tracks": [], "tiers": []}], talks=[])
    assert [track["name"] for track in load_event_json(calendar_database)["tracks"]] == ["Main"]
    assert query_column(calendar_database, "SELECT name FROM tiers") == ["Gold"]
    assert [talk["title"] for talk in load_talks_json(calendar_database)] == ["Xen on ARM"]


def test_invalid_file_changes_nothing_and_reports_every_error_with_its_location(calendar_database: Database) -> None:
    load_sections(calendar_database, events=[{**EVENT_RECORD, "slug": "old"}])
    assert load_errors(
        calendar_database,
        colour="red",
        speakers=[SPEAKER_RECORD, {"slug": "Ada"}, SPEAKER_RECORD, {"slug": "grace"}],
        sponsors=[{"slug": "rackspace"}],
        events=[
            {**EVENT_RECORD, "starts": "2026-02-30", "price": 5},
            {**EVENT_RECORD, "slug": "second", "timezone": "Europe/Atlantis"},
            {"slug": "third", "title": "Third", "tiers": [{"rank": 1}]},
            {"slug": "fourth"},
            {
                **EVENT_RECORD,
                "slug": "fifth",
                "co_located_with": ["summit", "nowhere", "fifth"],
                "tiers": [{"name": "Gold"}],
                "sponsorships": [{"sponsor": "nobody", "tier": "Gold"}, {"sponsor": "rackspace", "tier": "Silver"}],
            },
            "sixth",
        ],
        talks=[
            {**TALK_RECORD, "event": "nowhere"},
            {
                **TALK_RECORD,
                "event": "old",
                "speakers": ["ada", "nobody"],
                "starts": "2026-07-01T09:00:00",
                "track": "Main",
            },
            {**TALK_RECORD, "state": "great"},
            {
                **TALK_RECORD,
                "event": "old",
                "title": "Again",
                "reprise_of": {"event": "summit", "title": "Never given"},
            },
        ],
    ) == [
        ("/colour", "is not a known field; remove it"),
        ("/events/0/price", "is not a known field; remove it"),
        ("/events/0/starts", "'2026-02-30' is not a valid date or time"),
        ("/events/1/timezone", "'Europe/Atlantis' is not an IANA time zone; use a name such as Europe/London or UTC"),
        ("/events/2/tiers/0/name", "is required"),
        ("/events/3/starts", "is required for a new event"),
        ("/events/3/timezone", "is required for a new event"),
        ("/events/3/title", "is required for a new event"),
        (
            "/events/4/co_located_with/1",
            "refers to event “nowhere”, which exists neither in the file nor in the calendar",
        ),
        ("/events/4/co_located_with/2", "an event cannot be co-located with itself"),
        (
            "/events/4/sponsorships/0/sponsor",
            "refers to sponsor “nobody”, which exists neither in the file nor in the calendar",
        ),
        ("/events/4/sponsorships/1/tier", "is not a tier of this event: “Silver”"),
        ("/events/5", "must be a JSON object"),
        (
            "/speakers/1/slug",
            "must be words of lower-case letters a-z and digits joined by hyphens, with at most 80 characters",
        ),
        ("/speakers/2/slug", "is a duplicate of /speakers/0"),
        ("/speakers/3/name", "is required for a new record"),
        ("/sponsors/0/name", "is required for a new record"),
        ("/talks/0/event", "refers to event “nowhere”, which exists neither in the file nor in the calendar"),
        ("/talks/1/speakers/1", "refers to speaker “nobody”, which exists neither in the file nor in the calendar"),
        ("/talks/1/starts", "must be within the event's days, 2026-06-10 to 2026-06-12"),
        ("/talks/1/track", "is not a track of this event, which has no tracks"),
        (
            "/talks/2/state",
            "must be one of: draft, submitted, waitlisted, accepted, confirmed, rejected, withdrawn, cancelled",
        ),
        (
            "/talks/3/reprise_of",
            "refers to talk “Never given” at “summit”, which exists neither in the file nor in the calendar",
        ),
    ]


def test_reference_to_an_invalid_record_is_not_reported(calendar_database: Database) -> None:
    assert load_errors(
        calendar_database,
        speakers=[{**SPEAKER_RECORD, "photo_url": "here"}],
        sponsors=[{"slug": "rackspace", "name": "Rackspace", "url": "here"}],
        events=[
            {**EVENT_RECORD, "kind": "party"},
            {
                **EVENT_RECORD,
                "slug": "beside",
                "co_located_with": ["summit"],
                "tiers": [{"name": "Gold"}],
                "sponsorships": [{"sponsor": "rackspace", "tier": "Gold"}],
            },
        ],
        talks=[
            TALK_RECORD,
            {**TALK_RECORD, "event": "beside", "reprise_of": {"event": "summit", "title": "Xen on ARM"}},
        ],
    ) == [
        ("/events/0/kind", "must be one of: conference, meetup, hackathon, workshop, webinar"),
        ("/speakers/0/photo_url", "must be a URL that starts with https:// or http:// and a host name"),
        ("/sponsors/0/url", "must be a URL that starts with https:// or http:// and a host name"),
    ]


def test_load_reports_its_progress(calendar_database: Database) -> None:
    heard: list[int] = []
    dataset = validate_dataset(
        {"speakers": [SPEAKER_RECORD], "events": [EVENT_RECORD], "talks": [TALK_RECORD]}, load_record
    )
    with calendar_database.unit_of_work() as unit:
        load_dataset(unit, dataset, on_progress=heard.append)
    assert sum(heard) == dataset.size == 3
