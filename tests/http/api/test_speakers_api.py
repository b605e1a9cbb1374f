"""Speakers through the API: published with their first public talk, edited by themselves, merged by a moderator."""

from typing import Any

import pytest
from flask import Flask

from eventcal.talks.enums import TalkState
from tests.api_client import ApiClient, create_talk
from tests.factories import make_speaker
from tests.http_app import write_session

pytestmark = pytest.mark.usefixtures("summit")

ADA_PATH = "/speakers/ada-lovelace"
MINIMAL_SPEAKER: dict[str, Any] = {
    "slug": "ada-lovelace",
    "name": "Ada Lovelace",
    "job_title": None,
    "affiliation": None,
    "bio": None,
    "bio_html": None,
    "links": [],
    "photo_url": None,
}


def _submit_talk(member: ApiClient) -> str:
    talk: str = member.post("/events/summit/talks", {"title": "Xen on ARM"}).json["id"]
    return talk


def test_speaker_is_public_once_a_talk_is_public(
    *, member: ApiClient, stranger: ApiClient, anonymous: ApiClient, moderator: ApiClient, organiser: ApiClient
) -> None:
    talk = _submit_talk(member)
    assert [api.get(ADA_PATH).status for api in (anonymous, stranger, organiser, member, moderator)] == [
        404,
        404,
        404,
        200,
        200,
    ]
    assert anonymous.get("/speakers").item_values("slug") == []
    for api, step in ((organiser, "accept"), (member, "confirm")):
        assert api.post(f"/talks/{talk}/{step}").status == 200
    assert anonymous.get(ADA_PATH).json == MINIMAL_SPEAKER
    assert anonymous.get("/speakers").json == {"items": [MINIMAL_SPEAKER], "next": None}
    assert anonymous.get(f"/talks/{talk}").json["speakers"] == [
        {"slug": "ada-lovelace", "name": "Ada Lovelace", "job_title": None, "affiliation": None}
    ]


def test_speaker_edits_own_profile_with_if_match(
    app: Flask, member: ApiClient, stranger: ApiClient, anonymous: ApiClient
) -> None:
    talk = _submit_talk(member)
    etag = member.get(ADA_PATH).etag
    about = {
        "name": "Ada, Countess of Lovelace",
        "job_title": "Analyst",
        "affiliation": "Engine <b>Co</b>",
        "bio": "Wrote *notes*.",
        "links": [{"title": "Home", "url": "https://ada.example/"}],
        "photo_url": "https://ada.example/me.png",
    }
    assert member.patch(ADA_PATH, about, if_match=None).status_and_code == (428, "precondition-required")
    changed = member.patch(ADA_PATH, about, if_match=etag)
    assert (changed.status, changed.json) == (
        200,
        {"slug": "ada-lovelace", **about, "bio_html": "<p>Wrote <em>notes</em>.</p>\n"},
    )
    assert member.get(ADA_PATH).etag == changed.etag
    assert member.patch(ADA_PATH, {"bio": None}, if_match=etag).status_and_code == (412, "stale")
    for coding in ("br", "gzip"):
        given = member.get(ADA_PATH, Accept_Encoding=coding).etag
        assert given.endswith(f'-{coding}"')
        assert member.patch(ADA_PATH, {}, if_match=f'"x", {given}').status == 200
    assert member.get(f"/talks/{talk}").json["speakers"][0]["name"] == about["name"]
    assert stranger.patch(ADA_PATH, {"bio": "x"}).status_and_code == (404, "not-found")
    create_talk(app, "summit", state=TalkState.CONFIRMED, by=member)
    assert anonymous.get("/speakers").item_values("slug") == []


def test_speaker_edit_updates_their_public_talks(
    member: ApiClient, organiser: ApiClient, anonymous: ApiClient, stranger: ApiClient
) -> None:
    talk = f"/talks/{_submit_talk(member)}"
    organiser.post(f"{talk}/accept")
    member.post(f"{talk}/confirm")
    before = anonymous.get(talk)
    assert stranger.patch(ADA_PATH, {"name": "Mine"}).status_and_code == (403, "forbidden")
    member.patch(ADA_PATH, {"name": "A. Lovelace"})
    after = anonymous.get(talk)
    assert after.json["speakers"][0]["name"] == "A. Lovelace"
    assert (after.json["sequence"], after.etag != before.etag) == (before.json["sequence"] + 1, True)
    assert anonymous.get("/talks?q=lovelace").item_values("id") == [after.json["id"]]


def test_speaker_slug_cannot_change_after_publication(
    member: ApiClient, stranger: ApiClient, organiser: ApiClient, moderator: ApiClient
) -> None:
    _submit_talk(stranger)
    talk = _submit_talk(member)
    assert member.patch(ADA_PATH, {"slug": "mallory"}).status_and_code == (409, "slug-taken")
    assert member.patch(ADA_PATH, {"slug": "ada"}).json["slug"] == "ada"
    organiser.post(f"/talks/{talk}/accept")
    member.post(f"/talks/{talk}/confirm")
    for api in (member, moderator):
        assert api.patch("/speakers/ada", {"slug": "countess"}).status_and_code == (409, "slug-fixed")
        assert api.patch("/speakers/ada", {"slug": "ada", "bio": "x"}).status == 200


def test_invalid_speaker_reports_all_errors(member: ApiClient) -> None:
    _submit_talk(member)
    wrong = {"name": " ", "bio": 1, "links": [{"title": "x", "url": "ftp://x"}, {}], "email": "x@example.org"}
    assert member.patch(ADA_PATH, wrong).errors == {
        "/name": "must not be blank",
        "/bio": "must be a string",
        "/links/0/url": "must be a URL that starts with https:// or http:// and a host name",
        "/links/1/title": "is required",
        "/links/1/url": "is required",
        "/email": "is not a known field; remove it",
    }


def test_merge_combines_two_speakers(app: Flask, moderator: ApiClient, anonymous: ApiClient) -> None:
    with write_session(app) as session:
        kept = make_speaker(session, slug="grace", name="Grace Hopper").id
        other = make_speaker(session, slug="g-hopper", name="G. Hopper", bio="Navy").id
    talk = create_talk(app, "summit", state=TalkState.CONFIRMED, speaker_ids=[other])
    both = create_talk(app, "summit", state=TalkState.CONFIRMED, speaker_ids=[other, kept])
    merged = moderator.post("/speakers/grace/merge", {"other": "g-hopper"})
    assert (merged.status, merged.json["bio"], merged.etag) == (200, "Navy", anonymous.get("/speakers/grace").etag)
    assert anonymous.get("/speakers/g-hopper").json == merged.json
    assert anonymous.get("/speakers").item_values("slug") == ["grace"]
    for one in (talk, both):
        assert [speaker["slug"] for speaker in anonymous.get(f"/talks/{one}").json["speakers"]] == ["grace"]
    assert set(anonymous.get("/talks?speaker=g-hopper").item_values("id")) == {talk, both}
    assert moderator.post("/speakers/grace/merge", {"other": "g-hopper"}).status_and_code == (409, "same-speaker")
    assert moderator.post("/speakers/grace/merge", {"other": "nobody"}).status_and_code == (404, "not-found")
