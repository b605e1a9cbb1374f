"""Profile pages: speakers edit their profile and portrait; moderators edit speakers and sponsors."""

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from eventcal.media.images import MAX_UPLOAD_BYTES
from eventcal.members.models import Member
from eventcal.speakers.models import Speaker
from eventcal.sponsors.enums import SponsorshipState
from eventcal.sponsors.models import Sponsor
from eventcal.talks.enums import TalkState
from eventcal.web.request.context import attach_services
from tests.api import row
from tests.browsing import Browser, browser_of
from tests.clocks import NOON
from tests.feed_support.fetching import fetch
from tests.http_app import house_of, moderator, signed_in, writing
from tests.images import BLUE, painted, shown
from tests.make import make_event, make_speaker, make_sponsor, make_sponsorship, make_talk, make_tier
from tests.pages import faults_of, fetched_by, is_ours, page, tree_of

MINE, ADA, SPONSOR = "/me/speaker", "/speakers/ada/edit", "/sponsors/rackspace/edit"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def app(app: Flask, tmp_path: Path) -> Flask:
    """Return the app with a separate instance folder."""
    house = house_of(app)
    attach_services(app, replace(house, settings=replace(house.settings, instance=tmp_path)))
    return app


@pytest.fixture
def ada(app: Flask) -> Browser:
    """Return the browser of a public speaker with a talk at a sponsored event."""
    browser = _browser(app, signed_in(app, "ada@example.org", name="Ada Lovelace"))
    with writing(app) as session:
        member = session.query(Member).filter_by(email="ada@example.org").one()
        speaker = make_speaker(session, slug="ada", name="Ada Lovelace", member=member, published_at=NOON)
        event = make_event(session, slug="summit")
        state = TalkState.CONFIRMED
        make_talk(session, event, id="talk", state=state, speakers=[speaker], starts="2026-06-10T13:30:00")
        sponsor = make_sponsor(session, slug="rackspace")
        make_sponsorship(session, make_tier(session, event), sponsor=sponsor, state=SponsorshipState.CONFIRMED)
    return browser


@pytest.fixture
def mo(app: Flask, ada: Browser) -> Browser:
    """Return a moderator's browser."""
    del ada
    return _browser(app, moderator(app))


def _browser(app: Flask, who: Any) -> Browser:  # noqa: ANN401 - tests.http_app's own browser
    browser = browser_of(app)
    browser.client = who.client
    return browser


def send(browser: Browser, action: str, *, picture: bytes | None = None, file: str = "a.png", **typed: str) -> str:
    """Submit a form with a picture and return the text of the next page."""
    field = "logo" if action == SPONSOR else "photo"
    data: dict[str, Any] = {**browser.fields(action), **typed}
    data[field] = FileStorage(BytesIO(picture or b""), file if picture is not None else "")
    headers = {"Accept": "text/html"}
    body, media_type = encoded(data)
    browser.at = browser.client.post(action, data=body, content_type=media_type, headers=headers, follow_redirects=True)
    assert faults_of(browser.at.text) == []
    return browser.says()


def encoded(data: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return the multipart body and its media type; the test client leaves a temporary file open for a large one."""
    boundary, body = encode_multipart(data)
    return body, f"multipart/form-data; boundary={boundary}"


def stored(app: Flask, table: Any = Speaker, slug: str = "ada") -> Any:  # noqa: ANN401 - any table
    return row(app, table, slug=slug)


def files(app: Flask) -> list[Path]:
    return [file for file in house_of(app).settings.media_folder.rglob("*") if file.is_file()]


def pictures_on(app: Flask, path: str) -> list[Mapping[str, str]]:
    """Return the attributes of the pictures on a page, except the site's own."""
    return [one.attrib for one in page(app, path).iter("img") if not one.get("src", "").startswith("/static/")]


# Speakers


def test_speaker_can_edit_their_profile_and_upload_a_portrait(app: Flask, ada: Browser) -> None:
    assert "Speaker profile" in ada.go(MINE)
    typed = {"job_title": "Analyst", "bio": "Wrote *notes*.\r\nAnd more.", "affiliation": ""}
    links = {"link-2-title": "Home", "link-2-url": "https://ada.example/"}
    assert "It is saved." in send(ada, MINE, picture=painted((900, 600)), **typed, **links)
    speaker = stored(app)
    assert (speaker.job_title, speaker.affiliation, speaker.bio) == ("Analyst", None, "Wrote *notes*.\nAnd more.")
    assert speaker.links == [{"title": "Home", "url": "https://ada.example/"}]
    assert shown(fetch(app, speaker.photo_url).data).size == (512, 341)
    held = ada.fields(MINE)
    assert (held["link-1-title"], held["link-1-url"]) == ("Home", "https://ada.example/")


def test_portrait_is_shown_on_the_pages_of_the_speaker_and_their_talks(app: Flask, ada: Browser) -> None:
    ada.go(MINE)
    send(ada, MINE, picture=painted())
    path = stored(app).photo_url
    for where in ("/speakers/ada", "/talks/talk"):
        [picture] = pictures_on(app, where)
        assert (picture["src"], picture["alt"]) == (path, "Ada Lovelace")
        assert picture["width"].isdigit()
        assert picture["height"].isdigit()
    tree = page(app, "/speakers/ada")
    url = f"http://127.0.0.1:8000{path}"
    assert [one.get("content") for one in tree.iter("meta") if one.get("property") == "og:image"] == [url]
    structured = {where: _structured(app, where) for where in ("/speakers/ada", "/talks/talk")}
    assert structured["/speakers/ada"]["image"] == structured["/talks/talk"]["performer"][0]["image"] == url


def _structured(app: Flask, path: str) -> Any:  # noqa: ANN401 - JSON
    [script] = [one for one in page(app, path).iter("script") if one.get("type") == "application/ld+json"]
    return orjson.loads(script.text or "")


def test_portrait_is_removed_only_if_the_checkbox_is_ticked(app: Flask, ada: Browser) -> None:
    ada.go(MINE)
    send(ada, MINE, picture=painted())
    assert stored(app).photo_url is not None
    send(ada, MINE, bio="Other words")
    assert stored(app).photo_url is not None
    send(ada, MINE, remove_photo="yes")
    assert (stored(app).photo_url, stored(app).bio) == (None, "Other words")
    assert pictures_on(app, "/speakers/ada") == []


def test_pages_with_the_portrait_change_immediately(app: Flask, ada: Browser) -> None:
    before = {path: fetch(app, path).headers["ETag"] for path in ("/speakers/ada", "/talks/talk")}
    ada.go(MINE)
    send(ada, MINE, picture=painted())
    for path, etag in before.items():
        assert fetch(app, path, If_None_Match=etag).status_code == 200


def test_errors_are_shown_beside_their_fields_and_nothing_is_saved(app: Flask, ada: Browser) -> None:
    ada.go(MINE)
    typed = {"name": " ", "bio": "Kept", "link-2-title": "Home", "link-2-url": "javascript:alert(1)"}
    said = send(ada, MINE, picture=painted(form="GIF"), **typed)
    assert ada.at.status_code == 422
    assert "This is no PNG, JPEG or WebP" in said
    tree = tree_of(ada.at.text)
    invalid = {one.get("name") for one in tree.iter() if one.get("aria-invalid") == "true"}
    assert invalid == {"name", "link-2-url", "photo"}
    ids = {one.get("id") for one in tree.iter()}
    for field in (one for one in tree.iter() if one.get("aria-describedby")):
        assert set(field.get("aria-describedby", "").split()) <= ids
    held = ada.fields(MINE)
    assert (held["bio"], held["link-2-title"], held["link-2-url"]) == ("Kept", "Home", "javascript:alert(1)")
    assert (stored(app).name, stored(app).bio, stored(app).links, files(app)) == ("Ada Lovelace", None, [], [])


def test_picture_must_be_chosen_again_after_an_error_in_another_field(app: Flask, ada: Browser) -> None:
    ada.go(MINE)
    assert "Choose the picture again" in send(ada, MINE, picture=painted(), job_title="x" * 300)
    assert files(app) == []


def test_too_large_picture_is_rejected_beside_its_field(app: Flask, ada: Browser) -> None:
    ada.go(MINE)
    said = send(ada, MINE, picture=painted() + bytes(MAX_UPLOAD_BYTES), bio="Kept")
    assert ada.at.status_code == 422
    assert "more than 5 MiB" in said
    assert ada.fields(MINE)["bio"] == "Kept"
    assert files(app) == []


def test_conflicting_edit_returns_412(app: Flask, ada: Browser) -> None:
    ada.go(MINE)
    with writing(app) as session:
        session.query(Speaker).filter_by(slug="ada").one().bio = "A moderator's"
    send(ada, MINE, picture=painted(), bio="Mine")
    assert ada.at.status_code == 412
    assert (stored(app).bio, stored(app).photo_url, ada.fields(MINE)["bio"]) == ("A moderator's", None, "Mine")
    send(ada, MINE, picture=painted())
    assert stored(app).bio == "Mine"


def test_hostile_text_is_escaped(app: Flask, ada: Browser) -> None:
    ada.go(MINE)
    links = {"link-1-title": HOSTILE, "link-1-url": "https://x.example/%22%3E"}
    send(ada, MINE, name=HOSTILE, job_title=HOSTILE, affiliation=HOSTILE, bio=HOSTILE, picture=painted(), **links)
    assert HOSTILE not in ada.at.text
    assert ada.fields(MINE)["job_title"] == HOSTILE
    assert HOSTILE not in fetch(app, "/speakers/ada", Accept="text/html").text


def test_form_has_at_most_ten_links(app: Flask, ada: Browser) -> None:
    with writing(app) as session:
        ten = [{"title": f"Link {i}", "url": f"https://x.example/{i}"} for i in range(10)]
        session.query(Speaker).filter_by(slug="ada").one().links = ten
    ada.go(MINE)
    assert {name for name in ada.fields(MINE) if name.startswith("link-")} == {
        f"link-{number}-{part}" for number in range(1, 11) for part in ("title", "url")
    }
    send(ada, MINE, picture=None, **{"link-3-title": "", "link-3-url": ""})
    assert stored(app).links == [*ten[:2], *ten[3:]]


def test_member_without_a_talk_has_no_profile(app: Flask) -> None:
    browser = _browser(app, signed_in(app))
    assert "it comes with the first talk" in browser.go(MINE)
    csrf = browser.client.get("/me").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert browser.client.post(MINE, data={"csrf_token": csrf, "name": "x"}).status_code == 404


def test_external_picture_is_mentioned_but_not_loaded(app: Flask, ada: Browser) -> None:
    there = "https://elsewhere.example.org/ada.jpg"
    with writing(app) as session:
        session.query(Speaker).filter_by(slug="ada").one().photo_url = there
    assert "which pages do not show" in ada.go(MINE)
    assert all(is_ours(url) for url in fetched_by(tree_of(ada.at.text)))
    send(ada, MINE, bio="x")
    assert stored(app).photo_url == there
    send(ada, MINE, remove_photo="yes")
    assert stored(app).photo_url is None


# Moderators


def test_moderator_can_edit_a_speaker(app: Flask, mo: Browser) -> None:
    assert "Profile of Ada Lovelace" in mo.go(ADA)
    assert "It is saved." in send(mo, ADA, picture=painted(), name="A. Lovelace")
    assert (stored(app).name, bool(stored(app).photo_url)) == ("A. Lovelace", True)
    send(mo, ADA, remove_photo="yes", job_title="x" * 300)
    assert mo.at.status_code == 422
    assert stored(app).photo_url is not None


def test_moderator_can_edit_a_sponsor_and_upload_a_logo(app: Flask, mo: Browser) -> None:
    assert "Sponsor Rackspace" in mo.go(SPONSOR)
    assert "It is saved." in send(mo, SPONSOR, picture=painted((1000, 250), mode="RGBA"), description="Hosts us.")
    sponsor = stored(app, Sponsor, "rackspace")
    assert sponsor.description == "Hosts us."
    [logo] = pictures_on(app, "/events/summit")
    assert (logo["src"], logo["alt"], logo["loading"]) == (sponsor.logo_url, "Rackspace", "lazy")
    [link] = [one for one in page(app, "/events/summit").iter("a") if one.find("img[@class='logo']") is not None]
    assert link.get("href") == "https://rackspace.example"
    send(mo, SPONSOR, remove_logo="yes", url="")
    sponsor = stored(app, Sponsor, "rackspace")
    assert (sponsor.logo_url, sponsor.url) == (None, None)
    assert pictures_on(app, "/events/summit") == []


def test_sponsor_errors_are_shown_beside_their_fields(app: Flask, mo: Browser) -> None:
    mo.go(SPONSOR)
    send(mo, SPONSOR, picture=b"<svg/>", url="ftp://x", description="x" * 3000)
    assert mo.at.status_code == 422
    invalid = {one.get("name") for one in tree_of(mo.at.text).iter() if one.get("aria-invalid") == "true"}
    assert invalid == {"url", "description", "logo"}
    assert (stored(app, Sponsor, "rackspace").url, files(app)) == ("https://rackspace.example", [])


def test_conflicting_edit_of_a_sponsor_returns_412(app: Flask, mo: Browser) -> None:
    mo.go(SPONSOR)
    with writing(app) as session:
        session.query(Sponsor).filter_by(slug="rackspace").one().description = "Another's"
    send(mo, SPONSOR, description="Mine", picture=painted(colour=BLUE))
    assert mo.at.status_code == 412
    assert (stored(app, Sponsor, "rackspace").description, files(app)) == ("Another's", [])


# Permissions


@pytest.mark.parametrize("path", [MINE, ADA, SPONSOR])
@pytest.mark.usefixtures("ada")
def test_anonymous_request_is_redirected_to_sign_in(app: Flask, path: str) -> None:
    client = app.test_client()
    answer = client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/login?next={path.replace('/', '%2F')}")
    assert client.post(path, data=_form(painted())).status_code == 401
    assert files(app) == []


@pytest.mark.parametrize(("path", "status"), [(ADA, 403), (SPONSOR, 403), ("/speakers/hidden/edit", 404)])
@pytest.mark.usefixtures("ada")
def test_other_members_can_neither_view_nor_edit_profiles(app: Flask, path: str, status: int) -> None:
    with writing(app) as session:
        make_speaker(session, slug="hidden")
        make_sponsor(session, slug="unknown")
    mallory = signed_in(app, "mallory@example.org")
    form = _form(painted(), csrf_token=mallory.csrf)
    for where, wanted in ((path, status), ("/sponsors/unknown/edit", 404)):
        assert mallory.client.get(where).status_code == wanted
        assert mallory.client.post(where, data=form | {"photo": (BytesIO(painted()), "x.png")}).status_code == wanted
    assert (files(app), stored(app).photo_url) == ([], None)


def test_speaker_cannot_edit_a_sponsor(ada: Browser) -> None:
    assert ada.client.get(SPONSOR).status_code == 403
    assert "Profile of Ada Lovelace" in ada.go(ADA)


@pytest.mark.parametrize("path", [MINE, ADA])
def test_form_without_csrf_token_is_rejected(app: Flask, ada: Browser, path: str) -> None:
    for csrf in ("", "made-up"):
        assert ada.client.post(path, data=_form(painted(), csrf_token=csrf, bio="x")).status_code == 403
    assert (stored(app).bio, files(app)) == (None, [])


def _form(picture: bytes, **fields: str) -> dict[str, Any]:
    return {**fields, "name": "Mallory", "photo": FileStorage(BytesIO(picture), "x.png")}


def test_oversized_request_is_rejected_before_it_is_read(app: Flask, ada: Browser) -> None:
    body, media_type = encoded(_form(bytes(5 * MAX_UPLOAD_BYTES)))
    answer = ada.client.post(MINE, data=body, content_type=media_type)
    assert answer.status_code == 413
    assert files(app) == []


def test_edit_pages_are_not_stored(ada: Browser) -> None:
    for path in (MINE, ADA):
        ada.go(path)
        assert ada.at.headers["Cache-Control"] == "no-store"
