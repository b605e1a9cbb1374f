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
from eventcal.talks.removal import merge_speakers
from eventcal.web import media
from eventcal.web.http.urls import UrlBuilder
from eventcal.web.request.context import attach_services
from tests.api import Answer, Api, by_cookie, by_token, row
from tests.clocks import NOON
from tests.feed_support.fetching import fetch
from tests.http_app import house_of, writing
from tests.images import BLUE, painted, shown
from tests.make import MODERATOR, make_event, make_member, make_speaker, make_sponsor, make_sponsorship, make_tier

BASE = "http://127.0.0.1:8000"
PHOTO, LOGO = "/speakers/ada/photo", "/sponsors/rackspace/logo"
PNG = {"Content-Type": "image/png"}


@pytest.fixture
def app(app: Flask, tmp_path: Path) -> Flask:
    """Return the app with its own instance folder."""
    house = house_of(app)
    attach_services(app, replace(house, settings=replace(house.settings, instance=tmp_path)))
    return app


@pytest.fixture(autouse=True)
def _people(app: Flask, member: Api) -> None:
    """Create a public speaker, Ada, and a public sponsor."""
    with writing(app) as session:
        make_speaker(session, slug="ada", name="Ada Lovelace", published_at=NOON).member_id = member.member_id
        event = make_event(session, slug="fest")
        sponsor = make_sponsor(session, slug="rackspace")
        make_sponsorship(session, make_tier(session, event), sponsor=sponsor, state=SponsorshipState.CONFIRMED)


def send(api: Api, path: str, raw: bytes, *, media_type: str = "image/png") -> Answer:
    return api.put(path, raw, Content_Type=media_type)


def files(app: Flask) -> list[str]:
    folder = house_of(app).settings.media_folder
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


def photo(app: Flask) -> Any:  # noqa: ANN401 - a column
    return row(app, Speaker, slug="ada").photo_url


# Uploading and deleting


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_speaker_uploads_own_portrait(app: Flask, member: Api, anonymous: Api, form: str) -> None:
    answer = send(member, PHOTO, painted((900, 600), form=form), media_type=f"image/{form.lower()}")
    assert (answer.status, answer.json["slug"]) == (200, "ada")
    url = answer.json["photo_url"]
    assert url.startswith(f"{BASE}/media/")
    assert anonymous.get("/speakers/ada").json["photo_url"] == url
    assert anonymous.get("/speakers/ada").etag == answer.etag
    assert shown(anonymous.outside(url.removeprefix(BASE)).data).size == (512, 341)
    # The database stores the path only, because the base URL may change.
    assert photo(app) == url.removeprefix(BASE)


def test_moderator_uploads_sponsor_logo(moderator: Api, anonymous: Api) -> None:
    answer = send(moderator, LOGO, painted((1000, 250)))
    assert (answer.status, answer.json["slug"]) == (200, "rackspace")
    assert anonymous.get("/sponsors/rackspace").json["logo_url"] == answer.json["logo_url"]
    listed = anonymous.get("/events/fest/sponsors").json["tiers"][0]["sponsors"]
    assert listed[0]["logo_url"] == answer.json["logo_url"]
    assert shown(anonymous.outside(answer.json["logo_url"].removeprefix(BASE)).data).size == (640, 160)


def test_deleted_portrait_is_not_referenced(app: Flask, member: Api, anonymous: Api) -> None:
    send(member, PHOTO, painted())
    assert member.delete(PHOTO).status == 204
    assert anonymous.get("/speakers/ada").json["photo_url"] is None
    assert member.delete(PHOTO).status == 204
    assert len(files(app)) == 1


def test_same_picture_is_stored_in_one_file(app: Flask, member: Api, moderator: Api) -> None:
    first = send(member, PHOTO, painted()).json["photo_url"]
    assert send(moderator, PHOTO, painted()).json["photo_url"] == first
    assert len(files(app)) == 1


def test_moderator_replaces_and_deletes_portrait_of_any_speaker(moderator: Api) -> None:
    assert send(moderator, PHOTO, painted()).status == 200
    assert moderator.delete(PHOTO).status == 204


# Permissions


@pytest.mark.parametrize("path", [PHOTO, LOGO])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_pictures_cannot_be_changed_without_permission(app: Flask, stranger: Api, *, path: str, method: str) -> None:
    for api, code in ((Api(app), (401, "not-signed-in")), (stranger, (403, "forbidden"))):
        answer = api.call(method, path, painted(), headers=PNG)
        assert answer.code == code
    assert files(app) == []


def test_speaker_cannot_upload_sponsor_logo(member: Api) -> None:
    assert send(member, LOGO, painted()).code == (403, "forbidden")


def test_picture_of_hidden_or_unknown_object_returns_404(app: Flask, stranger: Api, moderator: Api) -> None:
    with writing(app) as session:
        make_speaker(session, slug="hidden")
    assert send(stranger, "/speakers/hidden/photo", painted()).code == (404, "not-found")
    assert send(moderator, "/speakers/nobody/photo", painted()).code == (404, "not-found")
    assert send(moderator, "/sponsors/nobody/logo", painted()).code == (404, "not-found")
    assert files(app) == []


def test_upload_with_cookie_requires_csrf_token(app: Flask) -> None:
    with writing(app) as session:
        mo = make_member(session, role="admin")
    browser = by_cookie(app, mo)
    assert send(browser, PHOTO, painted()).status == 200
    without = replace(browser, headers={"Cookie": browser.headers["Cookie"]})
    assert send(without, PHOTO, painted(colour=BLUE)).code == (403, "csrf")


def test_upload_requires_submit_scope(app: Flask) -> None:
    with writing(app) as session:
        speaker = make_member(session)
        make_speaker(session, slug="grace", member=speaker)
    assert send(by_token(app, speaker, Scope.READ), "/speakers/grace/photo", painted()).code == (
        403,
        "insufficient-scope",
    )
    assert send(by_token(app, speaker, Scope.SUBMIT), "/speakers/grace/photo", painted()).status == 200


# Rejected uploads


@pytest.mark.parametrize("media_type", ["image/gif", "image/svg+xml", "application/json", "multipart/form-data", ""])
def test_unsupported_content_type_returns_415(app: Flask, member: Api, media_type: str) -> None:
    assert send(member, PHOTO, painted(), media_type=media_type).code == (415, "unsupported-media-type")
    assert files(app) == []


def test_compressed_upload_returns_415(member: Api) -> None:
    answer = member.put(PHOTO, painted(), Content_Type="image/png", Content_Encoding="gzip")
    assert answer.code == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "raw", [b"", b"GIF89a", painted()[:60], b"<svg/>", painted(form="GIF")], ids=lambda raw: repr(raw[:6])
)
def test_unreadable_picture_error_suggests_a_solution(app: Flask, member: Api, raw: bytes) -> None:
    send(member, PHOTO, painted(colour=BLUE))
    answer = send(member, PHOTO, raw)
    assert answer.code == (422, "unreadable-picture")
    assert "send" in answer.json["detail"]
    assert len(files(app)) == 1


def test_picture_type_is_detected_from_content(member: Api) -> None:
    assert send(member, PHOTO, painted(form="JPEG"), media_type="image/png").status == 200


def test_pictures_have_a_higher_size_limit_than_other_bodies(member: Api) -> None:
    between = painted() + bytes(MAX_UPLOAD_BYTES - 100_000)
    assert send(member, PHOTO, between).status == 200
    assert send(member, PHOTO, bytes(MAX_UPLOAD_BYTES + 1)).code == (413, "too-large")
    body = b'{"name": "' + b"x" * 2_000_000 + b'"}'
    assert member.call("PATCH", "/speakers/ada", body, headers={"Content-Type": "application/json"}).code == (
        413,
        "too-large",
    )


def test_upload_rejects_query_parameters(member: Api) -> None:
    assert send(member, f"{PHOTO}?size=9", painted()).code == (422, "invalid")


# Image URLs in PATCH requests


def test_url_of_uploaded_picture_is_accepted_in_patch(app: Flask, member: Api) -> None:
    url = send(member, PHOTO, painted()).json["photo_url"]
    changed = member.patch("/speakers/ada", {"bio": "x", "photo_url": url})
    assert (changed.status, changed.json["photo_url"]) == (200, url)
    assert photo(app) == url.removeprefix(BASE)


@pytest.mark.parametrize("name", ["", "x.webp", f"{'0' * 64}.webp", "../secret_key", "a/b.webp?x"])
def test_url_of_missing_picture_is_rejected_in_patch(member: Api, moderator: Api, name: str) -> None:
    for api, path, field in ((member, "/speakers/ada", "photo_url"), (moderator, "/sponsors/rackspace", "logo_url")):
        answer = api.patch(path, {field: f"{BASE}/media/{name}"})
        assert answer.faults == {f"/{field}": "names no picture that is here; upload it first"}


def test_external_picture_url_is_in_api_but_not_in_pages(
    app: Flask, member: Api, anonymous: Api, moderator: Api
) -> None:
    there = "https://elsewhere.example.org/x.jpg"
    member.patch("/speakers/ada", {"photo_url": there})
    moderator.patch("/sponsors/rackspace", {"logo_url": there})
    assert anonymous.get("/speakers/ada").json["photo_url"] == there
    assert anonymous.get("/sponsors/rackspace").json["logo_url"] == there
    for path in ("/speakers/ada", "/events/fest"):
        assert "elsewhere.example.org" not in fetch(app, path).text


def test_path_without_host_is_rejected_as_picture_url(member: Api) -> None:
    assert list(member.patch("/speakers/ada", {"photo_url": "/media/x.webp"}).faults) == ["/photo_url"]


def test_picture_url_follows_base_url(member: Api) -> None:
    path = send(member, PHOTO, painted()).json["photo_url"].removeprefix(BASE)
    assert UrlBuilder("https://calendar.example.org").image(path) == f"https://calendar.example.org{path}"


# Merged speakers


def test_speaker_merge_removes_portrait_of_merged_speaker(app: Flask, moderator: Api) -> None:
    with writing(app) as session:
        make_speaker(session, slug="countess", published_at=NOON)
    send(moderator, PHOTO, painted())
    send(moderator, "/speakers/countess/photo", painted(colour=BLUE))
    with writing(app) as session:
        both = {one.slug: one for one in session.query(Speaker)}
        merge_speakers(session, both["ada"], both["countess"], caller=MODERATOR, now=NOON)
        assert both["ada"].photo_url is not None
        assert both["countess"].photo_url is None


# Concurrent uploads, and failures


def test_concurrent_uploads_leave_one_complete_portrait(app: Flask, member: Api, moderator: Api) -> None:
    raws = [painted((40, 40), colour=(10 * i, 0, 0)) for i in range(8)]
    start = threading.Barrier(4)

    def put(worker: int) -> list[int]:
        start.wait()
        api = member if worker % 2 else moderator
        return [send(api, PHOTO, raw).status for raw in raws]

    with ThreadPoolExecutor(4) as pool:
        assert {status for done in pool.map(put, range(4)) for status in done} == {200}
    assert fetch(app, photo(app)).status_code == 200
    assert len(files(app)) == len(raws)


def test_crash_before_commit_changes_no_row(app: Flask, member: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    before = send(member, PHOTO, painted()).json

    def crash(_unit: UnitOfWork) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(UnitOfWork, "flush_hooks", crash)
    assert send(member, PHOTO, painted(colour=BLUE)).status == 500
    monkeypatch.undo()
    assert member.get("/speakers/ada").json == before
    assert len(files(app)) == 2
    assert fetch(app, photo(app)).status_code == 200


def test_full_disk_changes_nothing(app: Flask, member: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    before = send(member, PHOTO, painted()).json

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("eventcal.media.store._write_atomically", full)
    assert send(member, PHOTO, painted(colour=BLUE)).code == (500, "internal")
    assert member.get("/speakers/ada").json == before
    assert len(files(app)) == 1


def test_names_in_use_are_the_pictures_referenced_by_rows(app: Flask, member: Api, moderator: Api) -> None:
    mine = send(member, PHOTO, painted()).json["photo_url"]
    theirs = send(moderator, LOGO, painted(colour=BLUE)).json["logo_url"]
    with writing(app) as session:
        make_speaker(session, photo_url="https://elsewhere.example.org/x.webp")
        assert media.referenced_files(session) == {url.rpartition("/")[2] for url in (mine, theirs)}
        for speaker in session.query(Speaker).filter_by(slug="ada"):
            update_speaker(session, speaker, {"photo_url": None}, caller=MODERATOR, now=NOON)
        assert media.referenced_files(session) == {theirs.rpartition("/")[2]}
