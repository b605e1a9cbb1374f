"""Serving of uploaded pictures: immutable, available to all origins, and nothing but pictures."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from eventcal.cli import main
from eventcal.media.images import ImageSpec, Picture
from eventcal.media.reencode import reencode_picture
from eventcal.media.store import UNUSED_RETENTION, MediaStore
from eventcal.web.request.context import attach_services
from eventcal.web.request.security_headers import DEFAULT_POLICY
from tests.clocks import NOON
from tests.factories import make_speaker, make_sponsor
from tests.feed_support.feed_client import fetch
from tests.http_app import services_of, write_session
from tests.images import BLUE, make_image


@pytest.fixture
def app(app: Flask, tmp_path: Path) -> Flask:
    """Return the app with a separate instance folder."""
    house = services_of(app)
    attach_services(app, replace(house, settings=replace(house.settings, instance=tmp_path)))
    return app


@pytest.fixture
def picture() -> Picture:
    return reencode_picture(make_image(), ImageSpec.PORTRAIT)


@pytest.fixture
def picture_path(app: Flask, picture: Picture) -> str:
    return f"/media/{MediaStore(services_of(app).settings.media_folder).save(picture, now=NOON)}"


def test_picture_is_served_as_immutable(app: Flask, picture: Picture, picture_path: str) -> None:
    answer = fetch(app, picture_path)
    assert (answer.status_code, answer.data) == (200, picture.body)
    wanted = {
        "Content-Type": "image/webp",
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": f'"{picture.digest}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": DEFAULT_POLICY,
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Content-Length": str(len(picture.body)),
    }
    assert wanted.items() <= dict(answer.headers).items()
    assert [name for name in ("Vary", "Set-Cookie", "Content-Encoding") if name in answer.headers] == []


def test_head_returns_the_headers_of_get_without_the_body(app: Flask, picture_path: str) -> None:
    get, head = fetch(app, picture_path), fetch(app, picture_path, method="HEAD")
    assert (head.status_code, dict(head.headers), head.data) == (200, dict(get.headers), b"")


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"x", "{}"', "*"])
def test_matching_etag_returns_304(app: Flask, picture: Picture, picture_path: str, form: str) -> None:
    answer = fetch(app, picture_path, If_None_Match=form.format(picture.digest))
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", f'"{picture.digest}"')
    assert answer.headers["Cache-Control"].endswith("immutable")
    assert fetch(app, picture_path, If_None_Match='"other"').status_code == 200


def test_picture_is_not_compressed_again(app: Flask, picture: Picture, picture_path: str) -> None:
    assert fetch(app, picture_path, Accept_Encoding="br, gzip, zstd").data == picture.body


def test_credentials_are_ignored(app: Flask, picture_path: str) -> None:
    assert fetch(app, picture_path, Authorization="Bearer made-up").status_code == 200


@pytest.mark.parametrize(
    "other",
    [
        "/media/",
        "/media/x",
        f"/media/{'0' * 64}.webp",
        "/media/../secret_key",
        "/media/..%2fsecret_key",
        "/media/..%5csecret_key",
        "/media/%2e%2e/secret_key",
        "/media/%00",
        "{path}.png",
        "{path}%0a",
        "{path}%20",
        "{upper}",
        "{inner}",
    ],
)
def test_other_paths_under_media_return_404(app: Flask, picture_path: str, other: str) -> None:
    settings = services_of(app).settings
    (settings.instance / "secret_key").write_text("what nobody reads")
    name = picture_path.removeprefix("/media/")
    answer = fetch(app, other.format(path=picture_path, upper=picture_path.upper(), inner=f"/media/{name[:2]}/{name}"))
    assert answer.status_code == 404
    assert b"nobody reads" not in answer.data


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods_return_405(app: Flask, picture_path: str, method: str) -> None:
    assert fetch(app, picture_path, method=method).status_code == 405


# Unused pictures


def run_media_prune(app: Flask, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Run `media prune` with the app's database and folder, and return its output."""
    settings = services_of(app).settings
    monkeypatch.setenv("EVENTCAL_INSTANCE", str(settings.instance))
    monkeypatch.setenv("EVENTCAL_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVENTCAL_SECRET_KEY", "k" * 40)
    done = CliRunner().invoke(main, ["media", "prune", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_prune_removes_pictures_that_no_row_refers_to(
    app: Flask, picture_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = MediaStore(services_of(app).settings.media_folder)
    logo = gallery.save(reencode_picture(make_image(), ImageSpec.LOGO), now=NOON)
    nobodys = gallery.save(reencode_picture(make_image(colour=BLUE), ImageSpec.LOGO), now=NOON)
    with write_session(app) as session:
        make_speaker(session, photo_url=picture_path)
        make_sponsor(session, logo_url=f"/media/{logo}")
    assert run_media_prune(app, monkeypatch) == "1 image removed.\n"
    assert (fetch(app, picture_path).status_code, gallery.exists(logo), gallery.exists(nobodys)) == (200, True, False)
    assert run_media_prune(app, monkeypatch) == "0 images removed.\n"


def test_prune_keeps_pictures_of_the_last_day_unless_at_once_is_given(
    app: Flask, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = MediaStore(services_of(app).settings.media_folder)
    # The command uses the system clock, so a modification time in the far future counts as recent.
    name = gallery.save(picture, now=services_of(app).database.clock.now() + timedelta(days=365 * 100))
    assert run_media_prune(app, monkeypatch) == "0 images removed.\n"
    gallery.save(picture, now=NOON - UNUSED_RETENTION)
    assert run_media_prune(app, monkeypatch, "--at-once") == "1 image removed.\n"
    assert not gallery.exists(name)
