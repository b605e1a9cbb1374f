"""Submitting talks through the API: fields, open and closed calls, reprises, permissions, and rejected input."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, Programme
from eventcal.events.filter import Filter, Sort
from eventcal.events.queries import list_events
from eventcal.kit.pagination import PageRequest
from eventcal.speakers.models import Speaker
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.api_client import API_URL, ApiClient, count_rows, create_member_client, create_talk
from tests.clocks import NOON, FixedClock
from tests.factories import make_event, make_speaker
from tests.http_app import database_of, write_session
from tests.tracing import trace_files

TALKS_PATH = "/events/summit/talks"

pytestmark = pytest.mark.usefixtures("summit")


def test_talk_with_title_only_has_all_defaults(member: ApiClient) -> None:
    answer = member.post(TALKS_PATH, {"title": "Xen on ARM"})
    talk_id = answer.json["id"]
    assert (answer.status, answer.headers["Location"]) == (201, f"{API_URL}/talks/{talk_id}")
    assert answer.json == {
        "id": talk_id,
        "event": "summit",
        "title": "Xen on ARM",
        "abstract": None,
        "abstract_html": None,
        "kind": "talk",
        "language": None,
        "track": None,
        "room": None,
        "starts": None,
        "ends": None,
        "starts_at": None,
        "ends_at": None,
        "duration_minutes": None,
        "state": "submitted",
        "speakers": [{"slug": "ada-lovelace", "name": "Ada Lovelace", "job_title": None, "affiliation": None}],
        "tags": [],
        "slides_url": None,
        "recording_url": None,
        "reprise_of": None,
        "sequence": 0,
        "revision": 1,
        # The event was changed at noon.
        "created_at": "2026-03-01T12:00:01Z",
        "updated_at": "2026-03-01T12:00:01Z",
        "links": {
            "self": f"{API_URL}/talks/{talk_id}",
            "html": f"http://127.0.0.1:8000/talks/{talk_id}",
            "ics": f"http://127.0.0.1:8000/talks/{talk_id}.ics",
            "event": f"{API_URL}/events/summit",
        },
    }
    assert (member.get(f"/talks/{talk_id}").json, member.get(f"/talks/{talk_id}").etag) == (answer.json, answer.etag)


ALL_FIELDS: dict[str, Any] = {
    "title": "<b>Xen</b> & =1+1",
    "abstract": "How *ARM* came.\n\n\u202eevil\u202c <img src=x onerror=alert(1)>",
    "kind": "lightning",
    "language": "pt-BR",
    "track": "ARM",
    "duration_minutes": 7,
    "tags": ["a,b", "Ωmega"],
    "slides_url": "https://slides.example/1",
    "recording_url": "https://video.example/1",
}


def test_talk_fields_are_returned_as_written(app: Flask, member: ApiClient) -> None:
    with write_session(app) as session:
        make_speaker(session, slug="grace-hopper", email="grace@example.org", published_at=datetime.now(UTC))
    speakers = [
        {"slug": "grace-hopper"},
        {"name": "Alan Turing", "email": "alan@example.org", "job_title": "Dr", "affiliation": "King's"},
    ]
    answer = member.post(TALKS_PATH, ALL_FIELDS | {"speakers": speakers, "notes": "For you only"})
    assert answer.status == 201, answer.json
    assert {name: answer.json[name] for name in ALL_FIELDS} == ALL_FIELDS
    assert "<img" not in answer.json["abstract_html"]
    assert answer.json["speakers"] == [
        {"slug": "grace-hopper", "name": "Grace Hopper", "job_title": None, "affiliation": None},
        {"slug": None, "name": "Alan Turing", "job_title": "Dr", "affiliation": "King's"},
    ]
    assert b"For you only" not in answer.data
    assert b"example.org" not in answer.data


def test_same_email_identifies_same_speaker(app: Flask, member: ApiClient, stranger: ApiClient) -> None:
    member.post(TALKS_PATH, {"title": "A", "speakers": [{"name": "Alan", "email": "alan@example.org"}]})
    stranger.post(TALKS_PATH, {"title": "B", "speakers": [{"name": "A. T.", "email": "ALAN@example.ORG"}]})
    assert count_rows(app, Speaker) == 1


def test_submission_reports_all_schema_errors(app: Flask, member: ApiClient) -> None:
    wrong = {
        "title": "a\u2028b",
        "abstract": "x" * 100_000,
        "kind": "song",
        "language": "english please",
        "duration_minutes": 0,
        "tags": "xen",
        "speakers": [{"slug": "x", "name": "X"}, {"email": "x"}, "Ada"],
        "starts": "2026-06-10T10:00:00Z",
        "draft": "yes",
        "room": "Room 1",
        "state": "accepted",
    }
    faults = member.post(TALKS_PATH, wrong).errors
    assert faults.keys() == {
        "/title",
        "/abstract",
        "/kind",
        "/language",
        "/duration_minutes",
        "/tags",
        "/speakers/0/slug",
        "/speakers/1/email",
        "/speakers/1/name",
        "/speakers/2",
        "/starts",
        "/draft",
        "/room",
        "/state",
    }
    assert faults["/title"] == "contains a line break (U+2028) at position 2; use a space instead"
    assert "use the local time without an offset" in faults["/starts"]
    assert count_rows(app, Talk) == 0


def test_submission_reports_all_domain_errors_and_stores_nothing(app: Flask, member: ApiClient) -> None:
    before = count_rows(app, Speaker)
    wrong = {
        "track": "Cooking",
        "starts": "2026-06-10T10:00:00",
        "ends": "2026-06-10T11:00:00",
        "speakers": [{"name": "New"}, {"slug": "nobody"}],
        "reprise_of": "0000000000000000",
    }
    assert member.post(TALKS_PATH, wrong).errors == {
        "/track": "is not a track of this event; its tracks are: Security, ARM",
        "/starts": "is set by the organisers of a curated event; omit it",
        "/ends": "is set by the organisers of a curated event; omit it",
        "/speakers/1/slug": "refers to a speaker that does not exist: “nobody”",
        "/reprise_of": "refers to a talk that does not exist: “0000000000000000”",
        "/title": "is required unless `reprise_of` is set",
    }
    assert (count_rows(app, Talk), count_rows(app, Speaker)) == (0, before)


def test_draft_talk_is_visible_only_to_its_submitter(
    member: ApiClient, anonymous: ApiClient, organiser: ApiClient
) -> None:
    draft = member.post(TALKS_PATH, {"title": "Later", "draft": True})
    assert (draft.status, draft.json["state"]) == (201, "draft")
    assert anonymous.get(f"/talks/{draft.json['id']}").status_and_code == (404, "not-found")
    assert organiser.get(f"/talks/{draft.json['id']}").status_and_code == (404, "not-found")
    assert organiser.get(f"{TALKS_PATH}?state=draft,submitted").item_values("id") == []
    submitted = member.post(f"/talks/{draft.json['id']}/submit")
    assert (submitted.status, submitted.json["state"]) == (200, "submitted")
    assert organiser.get(f"{TALKS_PATH}?state=submitted").item_values("id") == [draft.json["id"]]


def test_submission_requires_confirmed_address(mailing_app: Flask) -> None:
    with write_session(mailing_app) as session:
        make_event(session, slug="mailing")
    unconfirmed = create_member_client(mailing_app, confirmed_at=None)
    draft = create_talk(mailing_app, "mailing", by=unconfirmed, state=TalkState.DRAFT)
    for path, body in (("/events/mailing/talks", {"title": "T"}), (f"/talks/{draft}/submit", None)):
        assert unconfirmed.post(path, body).status_and_code == (403, "not-confirmed")
    assert create_member_client(mailing_app).post("/events/mailing/talks", {"title": "T"}).status == 201


CLOSING_TIMES: list[tuple[str, dict[str, Any], str]] = [
    # In summer, 23:59:59 in Berlin is 21:59:59 UTC, and in Los Angeles 06:59:59 UTC on the next day.
    ("Europe/Berlin", {"closes": "2026-05-01T23:59:59"}, "2026-05-01T21:59:59"),
    ("America/Los_Angeles", {"closes": "2026-05-01T23:59:59"}, "2026-05-02T06:59:59"),
    ("Europe/Berlin", {"closes": "2026-05-01T23:59:59-04:00"}, "2026-05-02T03:59:59"),
    ("Europe/Berlin", {"closes": "2026-05-01", "anywhere_on_earth": True}, "2026-05-02T12:00:00"),
    # A call without an end is open until the event begins.
    ("Europe/Berlin", {}, "2026-06-09T21:59:59"),
]


def test_call_closes_at_the_exact_second(app: Flask, member: ApiClient, clock: FixedClock) -> None:
    for number, (zone, call, last) in enumerate(CLOSING_TIMES):
        path = f"/events/closing-{number}/talks"
        with write_session(app) as session:
            make_event(session, slug=f"closing-{number}", timezone=zone, call=call)
        draft = member.post(path, {"title": "T", "draft": True}).json["id"]
        moment = datetime.fromisoformat(last).replace(tzinfo=UTC)
        clock.set_time(moment + timedelta(microseconds=999_999))
        assert (zone, call, member.post(path, {"title": "T"}).status) == (zone, call, 201)
        clock.set_time(moment + timedelta(seconds=1))
        late = member.post(path, {"title": "T"})
        assert (zone, call, late.status_and_code) == (zone, call, (409, "talks-closed"))
        assert (
            late.json["detail"] == "The call for talks of “Xen Summit” has closed. See `call_for_talks` of the event."
        )
        assert member.post(f"/talks/{draft}/submit").status_and_code == (409, "talks-closed")
        # Existing drafts can still be edited.
        assert member.patch(f"/talks/{draft}", {"title": "Better"}).status == 200
        clock.set_time(NOON)


def test_call_opens_at_the_exact_second(app: Flask, member: ApiClient, clock: FixedClock) -> None:
    with write_session(app) as session:
        make_event(session, slug="opening", call={"opens": "2026-04-01T08:00:00"})
    clock.set_time(datetime(2026, 4, 1, 5, 59, 59, tzinfo=UTC))
    early = member.post("/events/opening/talks", {"title": "T"})
    assert (early.status_and_code, "not open yet" in early.json["detail"]) == ((409, "talks-closed"), True)
    clock.tick()
    assert member.post("/events/opening/talks", {"title": "T"}).status == 201


def test_event_without_call_accepts_talks_only_if_listed(app: Flask, member: ApiClient) -> None:
    for programme, status in ((Programme.CURATED, 409), (Programme.LISTED, 201)):
        with write_session(app) as session:
            make_event(session, slug=programme, programme=programme, call=None)
        assert member.post(f"/events/{programme}/talks", {"title": "T"}).status == status


@pytest.mark.parametrize("programme", list(Programme))
def test_past_event_accepts_talks_only_from_moderators(
    app: Flask, member: ApiClient, moderator: ApiClient, clock: FixedClock, *, programme: Programme
) -> None:
    with write_session(app) as session:
        make_event(session, slug="past", programme=programme, call=None)
    # The event is over at the end of its last day in its own time zone.
    clock.set_time(datetime(2026, 6, 12, 21, 59, 59, tzinfo=UTC))
    assert (member.post("/events/past/talks", {"title": "T"}).status == 201) is (programme == Programme.LISTED)
    clock.tick()
    over = member.post("/events/past/talks", {"title": "T"})
    assert over.status_and_code == (409, "event-over")
    assert over.json["detail"] == "“Xen Summit” has ended. Only a moderator can add talks to it."
    assert moderator.post("/events/past/talks", {"title": "T"}).status == 201


@pytest.mark.parametrize(
    ("recurrence", "last"),
    [
        ("FREQ=WEEKLY;COUNT=3", datetime(2026, 6, 17, 21, 59, 59, tzinfo=UTC)),
        ("FREQ=WEEKLY;UNTIL=20260618", datetime(2026, 6, 17, 21, 59, 59, tzinfo=UTC)),
        ("FREQ=WEEKLY", datetime(2036, 6, 17, tzinfo=UTC)),
    ],
)
def test_series_accepts_talks_until_end_of_its_last_occurrence(
    app: Flask, member: ApiClient, clock: FixedClock, *, recurrence: str, last: datetime
) -> None:
    with write_session(app) as session:
        make_event(
            session,
            slug="call",
            programme=Programme.LISTED,
            call=None,
            recurrence=recurrence,
            starts="2026-06-03T18:00:00",
            ends="2026-06-03T19:00:00",
        )
    ends = "COUNT" in recurrence or "UNTIL" in recurrence
    for moment, is_open in ((last, True), (last + timedelta(seconds=1), not ends)):
        clock.set_time(moment)
        accepting = Filter(accepting_talks=True)
        with database_of(app).read_session() as session:
            page = list_events(session, accepting, sort=Sort.STARTS, paging=PageRequest(), now=moment)
        offered = member.post("/events/call/talks", {"title": f"At {moment}"}).status
        assert ([event.slug for event in page.items] == ["call"], offered) == (is_open, 201 if is_open else 409)


def test_draft_pending_or_cancelled_event_rejects_talks(app: Flask, moderator: ApiClient) -> None:
    for status in (EventStatus.DRAFT, EventStatus.PENDING, EventStatus.CANCELLED):
        with write_session(app) as session:
            make_event(session, slug=status, status=status)
        refused = moderator.post(f"/events/{status}/talks", {"title": "T"})
        assert (refused.status_and_code, status in refused.json["detail"]) == ((409, "talks-closed"), True)


def test_call_accepts_only_its_kinds(app: Flask, member: ApiClient) -> None:
    with write_session(app) as session:
        make_event(session, slug="lightning", call={"kinds": ["lightning", "bof"]})
    refused = member.post("/events/lightning/talks", {"title": "T"})
    assert refused.errors == {"/kind": "is not accepted by this call for talks; it accepts: lightning, bof"}
    assert member.post("/events/lightning/talks", {"title": "T", "kind": "bof"}).status == 201


def test_reprise_copies_omitted_fields_from_earlier_talk(app: Flask, member: ApiClient, anonymous: ApiClient) -> None:
    with write_session(app) as session:
        grace = make_speaker(session, slug="grace-hopper")
        earlier_id = grace.id
    earlier = create_talk(app, "summit", state=TalkState.CONFIRMED, abstract="As before", speaker_ids=[earlier_id])
    again = member.post(TALKS_PATH, {"reprise_of": earlier, "abstract": "New"}).json
    assert (again["title"], again["abstract"], again["reprise_of"]) == ("Xen on ARM", "New", earlier)
    assert [speaker["slug"] for speaker in again["speakers"]] == ["grace-hopper"]
    assert member.patch(f"/talks/{again['id']}", {"reprise_of": again["id"]}).errors.keys() == {"/reprise_of"}
    assert member.patch(f"/talks/{again['id']}", {"reprise_of": None}).json["reprise_of"] is None
    own = member.post(TALKS_PATH, {"title": "Mine"}).json["id"]
    # The public could not follow a link to an unpublished talk, so it is not shown to anyone.
    assert member.post(TALKS_PATH, {"reprise_of": own}).json["reprise_of"] is None
    assert anonymous.get(f"/talks/{own}").status == 404


def test_submission_enters_at_most_50_files(member: ApiClient) -> None:
    submission = {"title": "Xen on ARM", "abstract": "What *works*.", "kind": "talk", "tags": ["arm"]}
    assert member.post(TALKS_PATH, submission).status == 201
    with trace_files() as entered:
        assert member.post(TALKS_PATH, submission).status == 201
    assert {"web/api/talks.py", "talks/service.py", "feeds/index/entry_writer.py"} <= entered
    assert len(entered) <= 50, "\n".join(sorted(entered))
