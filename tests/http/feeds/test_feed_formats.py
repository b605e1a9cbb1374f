"""Every feed in every format: filenames, headers, and the same entries in all formats."""

import csv
import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from eventcal.kit.ids import hash_secret
from eventcal.members.models import PersonalFeed
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Star, Talk
from tests.api_client import ApiClient, create_member_client
from tests.clocks import NOON, FixedClock
from tests.feed_support.feed_client import create_calendar, fetch, get_validators, set_deadline, set_title
from tests.feed_support.ics_reader import parse_ics
from tests.http_app import create_test_app, status_and_code, write_session
from tests.representations import DECODERS

SECRET = "s3cret-and-long"
MEDIA_TYPES = {
    "ics": "text/calendar; charset=utf-8",
    "jcal": "application/calendar+json; charset=utf-8",
    "xcal": "application/calendar+xml; charset=utf-8",
    "jscal": "application/jscalendar+json;type=group; charset=utf-8",
}
FILENAMES = {
    "/calendar": "calendar",
    "/deadlines": "deadlines",
    "/events/summit": "summit",
    "/talks/scheduled": "talk-scheduled",
    "/speakers/grace": "grace",
    f"/feeds/{SECRET}": "my-talks",
}
EVERY_FEED: dict[str, tuple[str, str]] = {
    **{
        f"{path}.{name}": (kind, f"{file}.{name}")
        for path, file in FILENAMES.items()
        for name, kind in MEDIA_TYPES.items()
    },
    "/calendar.csv": ("text/csv; charset=utf-8; header=present", "calendar.csv"),
    "/calendar.atom": ("application/atom+xml; charset=utf-8", "calendar.atom"),
    "/events/summit.atom": ("application/atom+xml; charset=utf-8", "summit.atom"),
    "/events/summit/schedule.xml": (
        "application/vnd.c3voc.schedule+xml; charset=utf-8",
        "summit-schedule.xml",
    ),
    "/events/summit/schedule.json": ("application/json", "summit-schedule.json"),
}
"""The media type and the download filename for each path."""

PUBLIC_CACHE_CONTROL = "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400"


@pytest.fixture(autouse=True)
def ids(app: Flask) -> dict[str, str]:
    ids = create_calendar(app)
    set_deadline(app, ids)
    member = create_member_client(app)
    with write_session(app) as session:
        session.add(Star(member_id=member.member_id, talk_id="scheduled", starred_at=NOON))
        session.add(
            PersonalFeed(member_id=member.member_id, name="phone", secret_hash=hash_secret(SECRET), created_at=NOON)
        )
    return ids


def test_every_feed_states_its_media_type_filename_and_cache_policy(app: Flask) -> None:
    for path, (media_type, filename) in EVERY_FEED.items():
        answer = fetch(app, path)
        headers = {name: answer.headers.get(name) for name in COMPARED_HEADERS}
        assert (path, answer.status_code, headers) == (
            path,
            200,
            {
                "Content-Type": media_type,
                "Content-Disposition": f'inline; filename="{filename}"',
                "Content-Length": str(len(answer.data)),
                "Cache-Control": "private, max-age=300" if SECRET in path else PUBLIC_CACHE_CONTROL,
                "Vary": "Accept-Encoding",
                "Accept-Ranges": "none",
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Expose-Headers": "ETag, Last-Modified, Link, Content-Disposition",
                "Set-Cookie": None,
            },
        )
        assert ("Last-Modified" in answer.headers) is (SECRET not in path)


COMPARED_HEADERS = (
    *("Content-Type", "Content-Disposition", "Content-Length", "Cache-Control", "Vary", "Accept-Ranges"),
    *("Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Set-Cookie"),
)


def test_every_feed_has_an_etag_per_encoding_and_returns_304_for_it(app: Flask) -> None:
    for path in EVERY_FEED:
        answers = {coding: fetch(app, path, Accept_Encoding=coding) for coding in DECODERS}
        assert {answer.headers.get("Content-Encoding", "identity") for answer in answers.values()} == set(DECODERS), (
            path
        )
        assert len({answer.headers["ETag"] for answer in answers.values()}) == len(DECODERS)
        assert {DECODERS[coding](answer.data) for coding, answer in answers.items()} == {answers["identity"].data}
        for coding, answer in answers.items():
            tag = answer.headers["ETag"]
            for known, status in ((tag, 304), (f'"else", W/{tag}', 304), ("*", 304), ('"else"', 200)):
                again = fetch(app, path, Accept_Encoding=coding, If_None_Match=known)
                assert (path, coding, known, again.status_code) == (path, coding, known, status)
                assert get_validators(again) == get_validators(answer)


def test_head_returns_the_headers_of_get_without_the_body_for_every_feed(app: Flask) -> None:
    for path in EVERY_FEED:
        for coding in DECODERS:
            whole, head = (fetch(app, path, method=method, Accept_Encoding=coding) for method in ("GET", "HEAD"))
            assert (path, head.status_code, dict(head.headers), head.data) == (path, 200, dict(whole.headers), b"")


def test_etag_of_every_feed_changes_with_a_talk_in_the_feed(app: Flask) -> None:
    before = {path: fetch(app, path) for path in EVERY_FEED}
    set_title(app, Talk, "scheduled", title="Else")
    for path, answer in before.items():
        after = fetch(app, path, If_None_Match=answer.headers["ETag"])
        assert (path, after.status_code) == (path, 304 if path.startswith("/deadlines") else 200)
        assert (b"Else" in after.data) is not path.startswith("/deadlines")


def test_two_workers_send_identical_responses_regardless_of_earlier_requests(
    app: Flask, database_url: str, clock: FixedClock
) -> None:
    for path in EVERY_FEED:
        fetch(app, path)
    set_title(app, Talk, "scheduled", title="Else")
    with create_test_app(database_url, clock) as other:
        for path in EVERY_FEED:
            # One worker updates its cached feed, the other builds the feed from scratch.
            one, two = fetch(app, path), fetch(other, path)
            assert (path, one.data, dict(one.headers)) == (path, two.data, dict(two.headers))


def test_every_feed_allows_cross_origin_reads_and_no_writes(app: Flask) -> None:
    for path in EVERY_FEED:
        asked = {"Origin": "https://community.example", "Access_Control_Request_Method": "GET"}
        preflight = fetch(app, path, method="OPTIONS", **asked)
        assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (200, "*")
        assert fetch(app, path, method="POST").status_code == 405


def test_every_feed_rejects_unknown_parameters_and_unknown_paths(app: Flask) -> None:
    for path in EVERY_FEED:
        assert (path, status_and_code(fetch(app, f"{path}?colour=red"))[0]) == (path, 422)
        assert (path, fetch(app, f"{path}?tag=nothing").status_code) == (path, 200)
    unknown = ["/events/nothing", "/events/pending", "/talks/draft", "/speakers/ada", "/feeds/nothing"]
    missing = [f"{path}.{suffix}" for path in unknown for suffix in MEDIA_TYPES]
    missing += ["/events/pending.atom", "/events/pending/schedule.xml", "/events/pending/schedule.json"]
    missing += ["/calendar.xml", "/calendar.json", "/events/summit.csv", "/deadlines.atom", f"/feeds/{SECRET}.csv"]
    assert {path: fetch(app, path).status_code for path in missing} == dict.fromkeys(missing, 404)


def test_secret_appears_in_no_format(app: Flask) -> None:
    for suffix in MEDIA_TYPES:
        answer = fetch(app, f"/feeds/{SECRET}.{suffix}")
        assert SECRET not in f"{answer.headers}{answer.text}"
        assert feed_uids(answer, suffix) == ["talk-scheduled@127.0.0.1"]


# Entries


def feed_uids(answer: TestResponse, suffix: str) -> list[str]:
    """Return the sorted UIDs of a feed; overridden occurrences are not counted separately."""
    return sorted(set(UID_READERS[suffix](answer.data)))


def _jcal_uids(data: bytes) -> Iterator[str]:
    for name, properties, _ in json.loads(data)[2]:
        if name == "vevent":
            yield next(value for key, _, _, value in properties if key == "uid")


def _xcal_uids(data: bytes) -> Iterator[str]:
    space = "{urn:ietf:params:xml:ns:icalendar-2.0}"
    root = fromstring(data)  # noqa: S314 - our own bytes
    for uid in root.iterfind(f".//{space}vevent/{space}properties/{space}uid/{space}text"):
        yield uid.text or ""


def _csv_uids(data: bytes) -> Iterator[str]:
    return (row["uid"] for row in csv.DictReader(StringIO(data.decode("utf-8-sig"), newline="")))


UID_READERS: dict[str, Callable[[bytes], Any]] = {
    "ics": lambda data: [entry.text("UID") for entry in parse_ics(data).events()],
    "jcal": _jcal_uids,
    "xcal": _xcal_uids,
    "jscal": lambda data: [entry["uid"] for entry in json.loads(data)["entries"]],
    "csv": _csv_uids,
}
QUERIES = (
    "",
    "include=events,talks,deadlines",
    "include=deadlines",
    "scheduled=false",
    "speaker=grace",
    "city=Berlin&include=talks",
    "tag=xen",
    "tag=nothing",
    "cancelled=hide",
    "cancelled=mark&tz=utc",
    "profile=rich",
    "from=2020-01-01&to=2030-01-01",
    "cfp=open",
)


def test_all_formats_of_a_feed_contain_the_same_entries(app: Flask) -> None:
    with write_session(app) as session:
        session.get_one(Talk, "given").state = TalkState.WITHDRAWN
    for path in FILENAMES:
        suffixes = [*MEDIA_TYPES, "csv"] if path == "/calendar" else MEDIA_TYPES
        for query in QUERIES:
            wanted = feed_uids(fetch(app, f"{path}.ics?{query}"), "ics")
            found = {suffix: feed_uids(fetch(app, f"{path}.{suffix}?{query}"), suffix) for suffix in suffixes}
            assert (path, query, found) == (path, query, dict.fromkeys(suffixes, wanted))


def test_talk_list_of_the_api_has_the_same_talks_as_every_feed_format(app: Flask) -> None:
    talks = ApiClient(app).get("/talks?scheduled=true&from=2000-01-01").item_values("id")
    for suffix in (*MEDIA_TYPES, "csv"):
        found = feed_uids(fetch(app, f"/calendar.{suffix}?include=talks&from=2000-01-01"), suffix)
        assert found == sorted(f"talk-{id_}@127.0.0.1" for id_ in talks)
