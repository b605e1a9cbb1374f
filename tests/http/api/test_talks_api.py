"""Submitting talks through the API: fields, open and closed calls, reprises, permissions, and rejected input."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from eventcal.events.enums import EventStatus, Programme
from eventcal.speakers.models import Speaker
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.api import BASE, Api, a_member, a_talk, count
from tests.clocks import NOON, FixedClock
from tests.http_app import writing
from tests.make import make_event, make_speaker
from tests.tracing import files_entered

TALKS = "/events/summit/talks"

pytestmark = pytest.mark.usefixtures("summit")


def test_talk_with_title_only_has_all_defaults(member: Api) -> None:
    answer = member.post(TALKS, {"title": "Xen on ARM"})
    talk_id = answer.json["id"]
    assert (answer.status, answer.headers["Location"]) == (201, f"{BASE}/talks/{talk_id}")
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
        "created_at": "2026-03-01T12:00:00Z",
        "updated_at": "2026-03-01T12:00:00Z",
        "links": {
            "self": f"{BASE}/talks/{talk_id}",
            "html": f"http://127.0.0.1:8000/talks/{talk_id}",
            "ics": f"http://127.0.0.1:8000/talks/{talk_id}.ics",
            "event": f"{BASE}/events/summit",
        },
    }
    assert (member.get(f"/talks/{talk_id}").json, member.get(f"/talks/{talk_id}").etag) == (answer.json, answer.etag)


WRITTEN: dict[str, Any] = {
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


def test_talk_fields_are_returned_as_written(app: Flask, member: Api) -> None:
    with writing(app) as session:
        make_speaker(session, slug="grace-hopper", email="grace@example.org", published_at=datetime.now(UTC))
    speakers = [
        {"slug": "grace-hopper"},
        {"name": "Alan Turing", "email": "alan@example.org", "job_title": "Dr", "affiliation": "King's"},
    ]
    answer = member.post(TALKS, WRITTEN | {"speakers": speakers, "notes": "For you only"})
    assert answer.status == 201, answer.json
    assert {name: answer.json[name] for name in WRITTEN} == WRITTEN
    assert "<img" not in answer.json["abstract_html"]
    assert answer.json["speakers"] == [
        {"slug": "grace-hopper", "name": "Grace Hopper", "job_title": None, "affiliation": None},
        {"slug": "alan-turing", "name": "Alan Turing", "job_title": "Dr", "affiliation": "King's"},
    ]
    assert b"For you only" not in answer.data
    assert b"example.org" not in answer.data


def test_same_email_identifies_same_speaker(app: Flask, member: Api, stranger: Api) -> None:
    first = member.post(TALKS, {"title": "A", "speakers": [{"name": "Alan", "email": "alan@example.org"}]})
    second = stranger.post(TALKS, {"title": "B", "speakers": [{"name": "A. T.", "email": "ALAN@example.ORG"}]})
    assert first.json["speakers"] == second.json["speakers"]
    assert count(app, Speaker) == 1


def test_submission_reports_all_schema_errors(app: Flask, member: Api) -> None:
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
    faults = member.post(TALKS, wrong).faults
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
    assert faults["/title"] == "contains a line break (U+2028) at position 2; write a space instead"
    assert "leave it out and write the local time" in faults["/starts"]
    assert count(app, Talk) == 0


def test_submission_reports_all_domain_errors_and_stores_nothing(app: Flask, member: Api) -> None:
    before = count(app, Speaker)
    wrong = {
        "track": "Cooking",
        "starts": "2026-06-10T10:00:00",
        "ends": "2026-06-10T11:00:00",
        "speakers": [{"name": "New"}, {"slug": "nobody"}],
        "reprise_of": "0000000000000000",
    }
    assert member.post(TALKS, wrong).faults == {
        "/track": "the event has no such track; it has: Security, ARM",
        "/starts": "the organisers of a curated event give the times",
        "/ends": "the organisers of a curated event give the times",
        "/speakers/1/slug": "there is no speaker “nobody”",
        "/reprise_of": "there is no earlier talk “0000000000000000”",
        "/title": "is required, unless an earlier talk gives it",
    }
    assert (count(app, Talk), count(app, Speaker)) == (0, before)


def test_draft_talk_is_visible_only_to_its_submitter(member: Api, anonymous: Api, organiser: Api) -> None:
    draft = member.post(TALKS, {"title": "Later", "draft": True})
    assert (draft.status, draft.json["state"]) == (201, "draft")
    assert anonymous.get(f"/talks/{draft.json['id']}").code == (404, "not-found")
    assert organiser.get(f"/talks/{draft.json['id']}").code == (404, "not-found")
    assert organiser.get(f"{TALKS}?state=draft,submitted").items("id") == []
    submitted = member.post(f"/talks/{draft.json['id']}/submit")
    assert (submitted.status, submitted.json["state"]) == (200, "submitted")
    assert organiser.get(f"{TALKS}?state=submitted").items("id") == [draft.json["id"]]


def test_submission_requires_confirmed_address(mailing_app: Flask) -> None:
    with writing(mailing_app) as session:
        make_event(session, slug="mailing")
    unconfirmed = a_member(mailing_app, confirmed_at=None)
    draft = a_talk(mailing_app, "mailing", by=unconfirmed, state=TalkState.DRAFT)
    for path, body in (("/events/mailing/talks", {"title": "T"}), (f"/talks/{draft}/submit", None)):
        assert unconfirmed.post(path, body).code == (403, "not-confirmed")
    assert a_member(mailing_app).post("/events/mailing/talks", {"title": "T"}).status == 201


CLOSING: list[tuple[str, dict[str, Any], str]] = [
    # In summer, 23:59:59 in Berlin is 21:59:59 UTC, and in Los Angeles 06:59:59 UTC on the next day.
    ("Europe/Berlin", {"closes": "2026-05-01T23:59:59"}, "2026-05-01T21:59:59"),
    ("America/Los_Angeles", {"closes": "2026-05-01T23:59:59"}, "2026-05-02T06:59:59"),
    ("Europe/Berlin", {"closes": "2026-05-01T23:59:59-04:00"}, "2026-05-02T03:59:59"),
    ("Europe/Berlin", {"closes": "2026-05-01", "anywhere_on_earth": True}, "2026-05-02T12:00:00"),
    # A call without an end is open until the event begins.
    ("Europe/Berlin", {}, "2026-06-09T21:59:59"),
]


def test_call_closes_at_the_exact_second(app: Flask, member: Api, clock: FixedClock) -> None:
    for number, (zone, call, last) in enumerate(CLOSING):
        path = f"/events/closing-{number}/talks"
        with writing(app) as session:
            make_event(session, slug=f"closing-{number}", timezone=zone, call=call)
        draft = member.post(path, {"title": "T", "draft": True}).json["id"]
        moment = datetime.fromisoformat(last).replace(tzinfo=UTC)
        clock.move(moment + timedelta(microseconds=999_999))
        assert (zone, call, member.post(path, {"title": "T"}).status) == (zone, call, 201)
        clock.move(moment + timedelta(seconds=1))
        late = member.post(path, {"title": "T"})
        assert (zone, call, late.code) == (zone, call, (409, "talks-closed"))
        assert late.json["detail"] == "The call of “Xen Summit” has closed; see its call_for_talks."
        assert member.post(f"/talks/{draft}/submit").code == (409, "talks-closed")
        # Existing drafts can still be edited.
        assert member.patch(f"/talks/{draft}", {"title": "Better"}).status == 200
        clock.move(NOON)


def test_call_opens_at_the_exact_second(app: Flask, member: Api, clock: FixedClock) -> None:
    with writing(app) as session:
        make_event(session, slug="opening", call={"opens": "2026-04-01T08:00:00"})
    clock.move(datetime(2026, 4, 1, 5, 59, 59, tzinfo=UTC))
    early = member.post("/events/opening/talks", {"title": "T"})
    assert (early.code, "not open yet" in early.json["detail"]) == ((409, "talks-closed"), True)
    clock.tick()
    assert member.post("/events/opening/talks", {"title": "T"}).status == 201


def test_event_without_call_accepts_talks_only_if_listed(app: Flask, member: Api) -> None:
    for programme, status in ((Programme.CURATED, 409), (Programme.LISTED, 201)):
        with writing(app) as session:
            make_event(session, slug=programme, programme=programme, call=None)
        assert member.post(f"/events/{programme}/talks", {"title": "T"}).status == status


@pytest.mark.parametrize("programme", list(Programme))
def test_past_event_accepts_talks_only_from_moderators(
    app: Flask, member: Api, moderator: Api, clock: FixedClock, *, programme: Programme
) -> None:
    with writing(app) as session:
        make_event(session, slug="past", programme=programme, call=None)
    # The event is over at the end of its last day in its own time zone.
    clock.move(datetime(2026, 6, 12, 21, 59, 59, tzinfo=UTC))
    assert (member.post("/events/past/talks", {"title": "T"}).status == 201) is (programme == Programme.LISTED)
    clock.tick()
    over = member.post("/events/past/talks", {"title": "T"})
    assert over.code == (409, "event-over")
    assert over.json["detail"] == "“Xen Summit” is over; only a moderator can still add a talk to it."
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
    app: Flask, member: Api, clock: FixedClock, *, recurrence: str, last: datetime
) -> None:
    with writing(app) as session:
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
        clock.move(moment)
        listed = [event["slug"] for event in member.get("/events?cfp=open").json["items"]]
        offered = member.post("/events/call/talks", {"title": f"At {moment}"}).status
        assert (listed == ["call"], offered) == (is_open, 201 if is_open else 409)


def test_draft_pending_or_cancelled_event_rejects_talks(app: Flask, moderator: Api) -> None:
    for status in (EventStatus.DRAFT, EventStatus.PENDING, EventStatus.CANCELLED):
        with writing(app) as session:
            make_event(session, slug=status, status=status)
        refused = moderator.post(f"/events/{status}/talks", {"title": "T"})
        assert (refused.code, status in refused.json["detail"]) == ((409, "talks-closed"), True)


def test_call_accepts_only_its_kinds(app: Flask, member: Api) -> None:
    with writing(app) as session:
        make_event(session, slug="lightning", call={"kinds": ["lightning", "bof"]})
    refused = member.post("/events/lightning/talks", {"title": "T"})
    assert refused.faults == {"/kind": "this call takes only: lightning, bof"}
    assert member.post("/events/lightning/talks", {"title": "T", "kind": "bof"}).status == 201


def test_reprise_copies_omitted_fields_from_earlier_talk(app: Flask, member: Api, anonymous: Api) -> None:
    with writing(app) as session:
        grace = make_speaker(session, slug="grace-hopper")
        earlier_id = grace.id
    earlier = a_talk(app, "summit", state=TalkState.CONFIRMED, abstract="As before", speaker_ids=[earlier_id])
    again = member.post(TALKS, {"reprise_of": earlier, "abstract": "New"}).json
    assert (again["title"], again["abstract"], again["reprise_of"]) == ("Xen on ARM", "New", earlier)
    assert [speaker["slug"] for speaker in again["speakers"]] == ["grace-hopper"]
    assert member.patch(f"/talks/{again['id']}", {"reprise_of": again["id"]}).faults.keys() == {"/reprise_of"}
    assert member.patch(f"/talks/{again['id']}", {"reprise_of": None}).json["reprise_of"] is None
    own = member.post(TALKS, {"title": "Mine"}).json["id"]
    # The public could not follow a link to an unpublished talk, so it is not shown to anyone.
    assert member.post(TALKS, {"reprise_of": own}).json["reprise_of"] is None
    assert anonymous.get(f"/talks/{own}").status == 404


def test_submission_enters_at_most_35_files(member: Api) -> None:
    submission = {"title": "Xen on ARM", "abstract": "What *works*.", "kind": "talk", "tags": ["arm"]}
    assert member.post(TALKS, submission).status == 201
    with files_entered() as entered:
        assert member.post(TALKS, submission).status == 201
    assert {"web/api/talks.py", "talks/service.py", "feeds/index/entry_writer.py"} <= entered
    assert len(entered) <= 35, "\n".join(sorted(entered))
