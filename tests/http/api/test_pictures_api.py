"""Portraits and logos through the API: uploading, re-encoding, serving and deleting."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from eventcal.kit.database import UnitOfWork
from eventcal.media.images import MAX_UPLOAD_BYTES
from eventcal.members.enums import Scope
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import update_speaker
from eventcal.sponsors.enums import SponsorshipState
from eventcal.talks.delete_and_merge_referenced import merge_speakers
from eventcal.web import media
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.request.context import attach_services
from tests.api_client import ApiClient, ApiResponse, create_session_client, create_token_client, get_row
from tests.clocks import NOON
from tests.factories import (
    MODERATOR_CALLER,
    make_event,
    make_member,
    make_speaker,
    make_sponsor,
    make_sponsorship,
    make_tier,
)
from tests.feed_support.feed_client import fetch
from tests.http_app import services_of, write_session
from tests.images import BLUE, decode_image, make_image

BASE_URL = "http://127.0.0.1:8000"
PHOTO_PATH, LOGO_PATH = "/speakers/ada/photo", "/sponsors/rackspace/logo"
PNG_HEADERS = {"Content-Type": "image/png"}


@pytest.fixture
def app(app: Flask, tmp_path: Path) -> Flask:
    """Return the app with its own instance folder."""
    house = services_of(app)
    attach_services(app, replace(house, settings=replace(house.settings, instance=tmp_path)))
    return app


@pytest.fixture(autouse=True)
def _speaker_and_sponsor(app: Flask, member: ApiClient) -> None:
    """Create a public speaker, Ada, and a public sponsor."""
    with write_session(app) as session:
        make_speaker(session, slug="ada", name="Ada Lovelace", published_at=NOON).member_id = member.member_id
        event = make_event(session, slug="fest")
        sponsor = make_sponsor(session, slug="rackspace")
        make_sponsorship(session, make_tier(session, event), sponsor=sponsor, state=SponsorshipState.CONFIRMED)


def upload_picture(api: ApiClient, path: str, raw: bytes, *, media_type: str = "image/png") -> ApiResponse:
    return api.put(path, raw, Content_Type=media_type)


def stored_files(app: Flask) -> list[str]:
    folder = services_of(app).settings.media_folder
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


def stored_photo_url(app: Flask) -> Any:  # noqa: ANN401 - a column
    return get_row(app, Speaker, slug="ada").photo_url


# Uploading and deleting


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_speaker_uploads_own_portrait(app: Flask, member: ApiClient, anonymous: ApiClient, form: str) -> None:
    answer = upload_picture(member, PHOTO_PATH, make_image((900, 600), form=form), media_type=f"image/{form.lower()}")
    assert (answer.status, answer.json["slug"]) == (200, "ada")
    url = answer.json["photo_url"]
    assert url.startswith(f"{BASE_URL}/media/")
    assert anonymous.get("/speakers/ada").json["photo_url"] == url
    assert anonymous.get("/speakers/ada").etag == answer.etag
    assert decode_image(anonymous.get_feed(url.removeprefix(BASE_URL)).data).size == (512, 341)
    # The database stores the path only, because the base URL may change.
    assert stored_photo_url(app) == url.removeprefix(BASE_URL)


def test_moderator_uploads_sponsor_logo(moderator: ApiClient, anonymous: ApiClient) -> None:
    answer = upload_picture(moderator, LOGO_PATH, make_image((1000, 250)))
    assert (answer.status, answer.json["slug"]) == (200, "rackspace")
    assert anonymous.get("/sponsors/rackspace").json["logo_url"] == answer.json["logo_url"]
    listed = anonymous.get("/events/fest/sponsors").json["tiers"][0]["sponsors"]
    assert listed[0]["logo_url"] == answer.json["logo_url"]
    assert decode_image(anonymous.get_feed(answer.json["logo_url"].removeprefix(BASE_URL)).data).size == (640, 160)


def test_deleted_portrait_is_not_referenced(app: Flask, member: ApiClient, anonymous: ApiClient) -> None:
    upload_picture(member, PHOTO_PATH, make_image())
    assert member.delete(PHOTO_PATH).status == 204
    assert anonymous.get("/speakers/ada").json["photo_url"] is None
    assert member.delete(PHOTO_PATH).status == 204
    assert len(stored_files(app)) == 1


def test_same_picture_is_stored_in_one_file(app: Flask, member: ApiClient, moderator: ApiClient) -> None:
    first = upload_picture(member, PHOTO_PATH, make_image()).json["photo_url"]
    assert upload_picture(moderator, PHOTO_PATH, make_image()).json["photo_url"] == first
    assert len(stored_files(app)) == 1


def test_moderator_replaces_and_deletes_portrait_of_any_speaker(moderator: ApiClient) -> None:
    assert upload_picture(moderator, PHOTO_PATH, make_image()).status == 200
    assert moderator.delete(PHOTO_PATH).status == 204


# Permissions


@pytest.mark.parametrize("path", [PHOTO_PATH, LOGO_PATH])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_pictures_cannot_be_changed_without_permission(
    app: Flask, stranger: ApiClient, *, path: str, method: str
) -> None:
    for api, code in ((ApiClient(app), (401, "not-signed-in")), (stranger, (403, "forbidden"))):
        answer = api.call(method, path, make_image(), headers=PNG_HEADERS)
        assert answer.status_and_code == code
    assert stored_files(app) == []


def test_speaker_cannot_upload_sponsor_logo(member: ApiClient) -> None:
    assert upload_picture(member, LOGO_PATH, make_image()).status_and_code == (403, "forbidden")


def test_picture_of_hidden_or_unknown_object_returns_404(app: Flask, stranger: ApiClient, moderator: ApiClient) -> None:
    with write_session(app) as session:
        make_speaker(session, slug="hidden")
    assert upload_picture(stranger, "/speakers/hidden/photo", make_image()).status_and_code == (404, "not-found")
    assert upload_picture(moderator, "/speakers/nobody/photo", make_image()).status_and_code == (404, "not-found")
    assert upload_picture(moderator, "/sponsors/nobody/logo", make_image()).status_and_code == (404, "not-found")
    assert stored_files(app) == []


def test_upload_with_cookie_requires_csrf_token(app: Flask) -> None:
    with write_session(app) as session:
        mo = make_member(session, role="admin")
    browser = create_session_client(app, mo)
    assert upload_picture(browser, PHOTO_PATH, make_image()).status == 200
    without = replace(browser, headers={"Cookie": browser.headers["Cookie"]})
    assert upload_picture(without, PHOTO_PATH, make_image(colour=BLUE)).status_and_code == (403, "csrf")


def test_upload_requires_submit_scope(app: Flask) -> None:
    with write_session(app) as session:
        speaker = make_member(session)
        make_speaker(session, slug="grace", member=speaker)
    assert upload_picture(
        create_token_client(app, speaker, Scope.READ), "/speakers/grace/photo", make_image()
    ).status_and_code == (
        403,
        "insufficient-scope",
    )
    assert (
        upload_picture(create_token_client(app, speaker, Scope.SUBMIT), "/speakers/grace/photo", make_image()).status
        == 200
    )


# Rejected uploads


@pytest.mark.parametrize("media_type", ["image/gif", "image/svg+xml", "application/json", "multipart/form-data", ""])
def test_unsupported_content_type_returns_415(app: Flask, member: ApiClient, media_type: str) -> None:
    assert upload_picture(member, PHOTO_PATH, make_image(), media_type=media_type).status_and_code == (
        415,
        "unsupported-media-type",
    )
    assert stored_files(app) == []


def test_compressed_upload_returns_415(member: ApiClient) -> None:
    answer = member.put(PHOTO_PATH, make_image(), Content_Type="image/png", Content_Encoding="gzip")
    assert answer.status_and_code == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "raw", [b"", b"GIF89a", make_image()[:60], b"<svg/>", make_image(form="GIF")], ids=lambda raw: repr(raw[:6])
)
def test_unreadable_picture_error_suggests_a_solution(app: Flask, member: ApiClient, raw: bytes) -> None:
    upload_picture(member, PHOTO_PATH, make_image(colour=BLUE))
    answer = upload_picture(member, PHOTO_PATH, raw)
    assert answer.status_and_code == (422, "unreadable-picture")
    assert "upload" in answer.json["detail"].lower()
    assert len(stored_files(app)) == 1


def test_picture_type_is_detected_from_content(member: ApiClient) -> None:
    assert upload_picture(member, PHOTO_PATH, make_image(form="JPEG"), media_type="image/png").status == 200


def test_pictures_have_a_higher_size_limit_than_other_bodies(member: ApiClient) -> None:
    between = make_image() + bytes(MAX_UPLOAD_BYTES - 100_000)
    assert upload_picture(member, PHOTO_PATH, between).status == 200
    assert upload_picture(member, PHOTO_PATH, bytes(MAX_UPLOAD_BYTES + 1)).status_and_code == (413, "too-large")
    body = b'{"name": "' + b"x" * 2_000_000 + b'"}'
    assert member.call(
        "PATCH", "/speakers/ada", body, headers={"Content-Type": "application/json"}
    ).status_and_code == (
        413,
        "too-large",
    )


def test_upload_rejects_query_parameters(member: ApiClient) -> None:
    assert upload_picture(member, f"{PHOTO_PATH}?size=9", make_image()).status_and_code == (422, "invalid")


# Image URLs in PATCH requests


def test_url_of_uploaded_picture_is_accepted_in_patch(app: Flask, member: ApiClient) -> None:
    url = upload_picture(member, PHOTO_PATH, make_image()).json["photo_url"]
    changed = member.patch("/speakers/ada", {"bio": "x", "photo_url": url})
    assert (changed.status, changed.json["photo_url"]) == (200, url)
    assert stored_photo_url(app) == url.removeprefix(BASE_URL)


@pytest.mark.parametrize("name", ["", "x.webp", f"{'0' * 64}.webp", "../secret_key", "a/b.webp?x"])
def test_url_of_missing_picture_is_rejected_in_patch(member: ApiClient, moderator: ApiClient, name: str) -> None:
    for api, path, field in ((member, "/speakers/ada", "photo_url"), (moderator, "/sponsors/rackspace", "logo_url")):
        answer = api.patch(path, {field: f"{BASE_URL}/media/{name}"})
        assert answer.errors == {f"/{field}": "refers to an image that does not exist; upload it first"}


def test_external_picture_url_is_in_api_but_not_in_pages(
    app: Flask, member: ApiClient, anonymous: ApiClient, moderator: ApiClient
) -> None:
    there = "https://elsewhere.example.org/x.jpg"
    member.patch("/speakers/ada", {"photo_url": there})
    moderator.patch("/sponsors/rackspace", {"logo_url": there})
    assert anonymous.get("/speakers/ada").json["photo_url"] == there
    assert anonymous.get("/sponsors/rackspace").json["logo_url"] == there
    for path in ("/speakers/ada", "/events/fest"):
        assert "elsewhere.example.org" not in fetch(app, path).text


def test_path_without_host_is_rejected_as_picture_url(member: ApiClient) -> None:
    assert list(member.patch("/speakers/ada", {"photo_url": "/media/x.webp"}).errors) == ["/photo_url"]


def test_picture_url_follows_base_url(member: ApiClient) -> None:
    path = upload_picture(member, PHOTO_PATH, make_image()).json["photo_url"].removeprefix(BASE_URL)
    assert UrlBuilder("https://calendar.example.org").image(path) == f"https://calendar.example.org{path}"


# Merged speakers


def test_speaker_merge_removes_portrait_of_merged_speaker(app: Flask, moderator: ApiClient) -> None:
    with write_session(app) as session:
        make_speaker(session, slug="countess", published_at=NOON)
    upload_picture(moderator, PHOTO_PATH, make_image())
    upload_picture(moderator, "/speakers/countess/photo", make_image(colour=BLUE))
    with write_session(app) as session:
        both = {one.slug: one for one in session.query(Speaker)}
        merge_speakers(session, both["ada"], both["countess"], caller=MODERATOR_CALLER, now=NOON)
        assert both["ada"].photo_url is not None
        assert both["countess"].photo_url is None


# Concurrent uploads, and failures


def test_concurrent_uploads_leave_one_complete_portrait(app: Flask, member: ApiClient, moderator: ApiClient) -> None:
    raws = [make_image((40, 40), colour=(10 * i, 0, 0)) for i in range(8)]
    start = threading.Barrier(4)

    def put(worker: int) -> list[int]:
        start.wait()
        api = member if worker % 2 else moderator
        return [upload_picture(api, PHOTO_PATH, raw).status for raw in raws]

    with ThreadPoolExecutor(4) as pool:
        # An upload that would have to wait longer than a moment is rejected.
        assert {200} <= {status for done in pool.map(put, range(4)) for status in done} <= {200, 503}
    assert fetch(app, stored_photo_url(app)).status_code == 200
    assert len(stored_files(app)) <= len(raws)


def test_crash_before_commit_changes_no_row(app: Flask, member: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    before = upload_picture(member, PHOTO_PATH, make_image()).json

    def crash(_unit: UnitOfWork) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(UnitOfWork, "flush_hooks", crash)
    assert upload_picture(member, PHOTO_PATH, make_image(colour=BLUE)).status == 500
    monkeypatch.undo()
    assert member.get("/speakers/ada").json == before
    assert len(stored_files(app)) == 2
    assert fetch(app, stored_photo_url(app)).status_code == 200


def test_full_disk_changes_nothing(app: Flask, member: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    before = upload_picture(member, PHOTO_PATH, make_image()).json

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("eventcal.media.store._write_atomically", full)
    assert upload_picture(member, PHOTO_PATH, make_image(colour=BLUE)).status_and_code == (500, "internal")
    assert member.get("/speakers/ada").json == before
    assert len(stored_files(app)) == 1


def test_names_in_use_are_the_pictures_referenced_by_rows(app: Flask, member: ApiClient, moderator: ApiClient) -> None:
    mine = upload_picture(member, PHOTO_PATH, make_image()).json["photo_url"]
    theirs = upload_picture(moderator, LOGO_PATH, make_image(colour=BLUE)).json["logo_url"]
    with write_session(app) as session:
        make_speaker(session, photo_url="https://elsewhere.example.org/x.webp")
        assert media.referenced_files(session) == {url.rpartition("/")[2] for url in (mine, theirs)}
        for speaker in session.query(Speaker).filter_by(slug="ada"):
            update_speaker(session, speaker, {"photo_url": None}, caller=MODERATOR_CALLER, now=NOON)
        assert media.referenced_files(session) == {theirs.rpartition("/")[2]}
