"""Editing a talk through the API: permissions, times and rooms, If-Match, and no partial changes."""

from typing import Any

import pytest
from flask import Flask

from eventcal.events.enums import Programme
from eventcal.talks.enums import TalkState
from tests.api_client import ApiClient, create_talk
from tests.factories import make_event
from tests.http_app import write_session

pytestmark = pytest.mark.usefixtures("summit")

NEW_TITLE = {"title": "New"}
UNDECIDED_STATES = {"draft", "submitted", "waitlisted"}


def test_submitter_edits_talk_until_decision_and_organiser_always(
    app: Flask, member: ApiClient, organiser: ApiClient
) -> None:
    for state in TalkState:
        path = f"/talks/{create_talk(app, 'summit', by=member, state=state)}"
        own = member.patch(path, NEW_TITLE)
        if state in UNDECIDED_STATES:
            assert (own.status, own.json["title"]) == (200, "New")
        else:
            assert own.status_and_code == (409, "already-decided")
            assert state in own.json["detail"]
        theirs = organiser.patch(path, {"title": "Newer"})
        # Only its submitter can see a draft.
        assert (
            theirs.status_and_code == (404, "not-found")
            if state == TalkState.DRAFT
            else theirs.json["title"] == "Newer"
        )


@pytest.mark.parametrize(("state", "code"), [(TalkState.CONFIRMED, 403), (TalkState.SUBMITTED, 404)])
def test_talk_cannot_be_edited_without_permission(
    *, app: Flask, member: ApiClient, stranger: ApiClient, reviewer: ApiClient, state: TalkState, code: int
) -> None:
    path = f"/talks/{create_talk(app, 'summit', by=member, state=state)}"
    # Permissions are checked before If-Match, because a 428 or 412 would reveal that the talk exists.
    for if_match in ("*", None, '"1.x"'):
        assert stranger.patch(path, NEW_TITLE, if_match=if_match).status == code
        assert reviewer.patch(path, NEW_TITLE, if_match=if_match).status_and_code == (403, "forbidden")


def test_talk_edit_requires_current_if_match(app: Flask, member: ApiClient, organiser: ApiClient) -> None:
    path = f"/talks/{create_talk(app, 'summit', by=member)}"
    etag = member.get(path).etag
    assert member.patch(path, NEW_TITLE, if_match=None).status_and_code == (428, "precondition-required")
    changed = member.patch(path, NEW_TITLE, if_match=etag)
    assert (changed.status, changed.etag) == (200, organiser.get(path).etag)
    assert changed.etag != etag
    assert organiser.patch(path, {"title": "Mine"}, if_match=etag).status_and_code == (412, "stale")
    for coding in ("br", "gzip", "zstd"):
        given = member.get(path, Accept_Encoding=coding).etag
        assert given.endswith(f'-{coding}"')
        assert member.patch(path, {"abstract": coding}, if_match=f'"other", {given}').status == 200
    assert member.patch(path, b'{"abstract": null}', Content_Type="application/merge-patch+json").status == 200
    assert member.get(path).json["abstract_html"] is None


def test_patch_without_changes_keeps_revision(
    app: Flask, member: ApiClient, organiser: ApiClient, anonymous: ApiClient
) -> None:
    path = f"/talks/{create_talk(app, 'summit', by=member, tags=['b', 'a'], state=TalkState.CONFIRMED, track='ARM')}"
    before = anonymous.get(path)
    names = ("title", "abstract", "kind", "track", "room", "starts", "tags", "duration_minutes", "reprise_of")
    for body in ({}, {name: before.json[name] for name in names}):
        assert organiser.patch(path, body).etag == before.etag
    assert organiser.patch(path, {"tags": ["a", "b"]}).etag != before.etag


def test_organiser_sets_track_room_and_times(app: Flask, organiser: ApiClient, anonymous: ApiClient) -> None:
    path = f"/talks/{create_talk(app, 'summit', state=TalkState.CONFIRMED)}"
    given = {"track": "ARM", "room": "Room 2", "starts": "2026-06-10T10:00:00", "ends": "2026-06-10T10:20:00"}
    assert organiser.patch(path, given).status == 200
    seen = anonymous.get(path).json
    assert {name: seen[name] for name in given} == given
    assert (seen["starts_at"], seen["ends_at"]) == ("2026-06-10T10:00:00+02:00", "2026-06-10T10:20:00+02:00")
    assert anonymous.get("/talks?room=Room+2&track=ARM&scheduled=true").item_values("id") == [seen["id"]]
    cleared = organiser.patch(path, dict.fromkeys(given)).json
    assert [cleared[name] for name in (*given, "starts_at", "ends_at")] == [None] * 6


def test_talk_without_end_uses_its_duration_or_default_of_its_kind(app: Flask, organiser: ApiClient) -> None:
    usual = dict.fromkeys(("keynote", "panel", "bof", "poster"), 60)
    usual |= {"talk": 45, "lightning": 10, "workshop": 120, "tutorial": 180}
    path = f"/talks/{create_talk(app, 'summit')}"
    organiser.patch(path, {"starts": "2026-06-10T10:00:00"})
    for kind, minutes in usual.items():
        seen = organiser.patch(path, {"kind": kind}).json
        ends = f"2026-06-10T{10 + minutes // 60}:{minutes % 60:02}:00+02:00"
        assert (kind, seen["ends"], seen["duration_minutes"], seen["ends_at"]) == (kind, None, None, ends)
    said = organiser.patch(path, {"duration_minutes": 5}).json
    assert (said["ends"], said["ends_at"]) == (None, "2026-06-10T10:05:00+02:00")


INVALID_EDITS: list[tuple[dict[str, Any], str]] = [
    ({"starts": "2026-06-10"}, "/starts"),
    ({"starts": "2026-06-09T23:59:59"}, "/starts"),
    ({"starts": "2026-06-13T00:00:00", "ends": "2026-06-13T01:00:00"}, "/starts"),
    ({"starts": None}, "/starts"),
    ({"ends": "2026-06-10T10:00:00"}, "/ends"),
    ({"room": "Attic"}, "/room"),
    ({"track": "Cooking"}, "/track"),
    ({"speakers": [{"name": "New"}, {"slug": "nobody"}]}, "/speakers/1/slug"),
    ({"title": None}, "/title"),
    ({"speakers": None}, "/speakers"),
    ({"event": "other"}, "/event"),
]


def test_rejected_talk_patch_changes_nothing(app: Flask, organiser: ApiClient, anonymous: ApiClient) -> None:
    times: dict[str, Any] = {"starts": "2026-06-10T10:00:00", "ends": "2026-06-10T10:30:00"}
    path = f"/talks/{create_talk(app, 'summit', state=TalkState.CONFIRMED, tags=['a'], **times)}"

    def everything() -> list[tuple[Any, str]]:
        answers = [anonymous.get(one) for one in (path, "/changes", "/speakers", "/events/summit")]
        return [(answer.json, answer.etag) for answer in answers]

    before = everything()
    for body, pointer in INVALID_EDITS:
        refused = organiser.patch(path, {"abstract": "New", "tags": ["b", "c"], **body})
        assert (body, list(refused.errors)) == (body, [pointer])
        assert everything() == before


def test_submitter_sets_times_only_in_listed_event_and_never_rooms(app: Flask, member: ApiClient) -> None:
    with write_session(app) as session:
        make_event(session, slug="meetup", programme=Programme.LISTED, call=None, rooms=["Bar"])
    curated, listed = (f"/talks/{create_talk(app, slug, by=member)}" for slug in ("summit", "meetup"))
    times = {"starts": "2026-06-10T10:00:00"}
    assert member.patch(curated, times).errors == {"/starts": "is set by the organisers of a curated event; omit it"}
    assert member.patch(listed, times).json["starts_at"] == "2026-06-10T10:00:00+02:00"
    assert member.patch(listed, {"room": "Bar"}).errors == {"/room": "is set by the organisers; omit it"}
    assert member.patch(listed, {"track": None, "room": None}).status == 200


def test_speakers_of_talk_are_reordered_added_and_removed(member: ApiClient) -> None:
    first, second = {"name": "Alan"}, {"name": "Grace"}
    talk = member.post("/events/summit/talks", {"title": "T", "speakers": [first, second]})
    path, [alan, grace] = f"/talks/{talk.json['id']}", [one["slug"] for one in talk.json["speakers"]]
    # Unpublished speakers may be referenced by slug only in talks that have them already.
    changed = member.patch(path, {"speakers": [{"slug": grace}, {"slug": alan}, {"name": "Third"}]})
    assert [one["slug"] for one in changed.json["speakers"]] == ["grace", "alan", "third"]
    assert member.patch(path, {"speakers": [{"slug": "grace"}, {"slug": "grace"}]}).errors == {
        "/speakers/1": "is a duplicate; remove it"
    }
    assert member.patch(path, {"speakers": []}).json["speakers"] == []
    assert member.post("/events/summit/talks", {"title": "T", "speakers": [{"slug": alan}]}).errors == {
        "/speakers/0/slug": "refers to a speaker that does not exist: “alan”"
    }
