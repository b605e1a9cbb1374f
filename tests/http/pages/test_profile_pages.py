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
from tests.api_client import get_row
from tests.clocks import NOON
from tests.factories import make_event, make_speaker, make_sponsor, make_sponsorship, make_talk, make_tier
from tests.feed_support.feed_client import fetch
from tests.html_browser import HtmlBrowser, create_browser
from tests.html_pages import fetched_urls, get_page, html_parse_errors, is_same_host, parse_html
from tests.http_app import create_moderator_client, create_signed_in_client, services_of, write_session
from tests.images import BLUE, decode_image, make_image

OWN_PROFILE_PATH, SPEAKER_EDIT_PATH, SPONSOR = "/me/speaker", "/speakers/ada/edit", "/sponsors/rackspace/edit"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def app(app: Flask, tmp_path: Path) -> Flask:
    """Return the app with a separate instance folder."""
    house = services_of(app)
    attach_services(app, replace(house, settings=replace(house.settings, instance=tmp_path)))
    return app


@pytest.fixture
def speaker_browser(app: Flask) -> HtmlBrowser:
    """Return the browser of a public speaker with a talk at a sponsored event."""
    browser = _make_browser(app, create_signed_in_client(app, "ada@example.org", name="Ada Lovelace"))
    with write_session(app) as session:
        member = session.query(Member).filter_by(email="ada@example.org").one()
        speaker = make_speaker(session, slug="ada", name="Ada Lovelace", member=member, published_at=NOON)
        event = make_event(session, slug="summit")
        state = TalkState.CONFIRMED
        make_talk(session, event, id="talk", state=state, speakers=[speaker], starts="2026-06-10T13:30:00")
        sponsor = make_sponsor(session, slug="rackspace")
        make_sponsorship(session, make_tier(session, event), sponsor=sponsor, state=SponsorshipState.CONFIRMED)
    return browser


@pytest.fixture
def moderator_browser(app: Flask, speaker_browser: HtmlBrowser) -> HtmlBrowser:
    """Return a moderator's browser."""
    del speaker_browser
    return _make_browser(app, create_moderator_client(app))


def _make_browser(app: Flask, member: Any) -> HtmlBrowser:  # noqa: ANN401 - tests.http_app's own browser
    browser = create_browser(app)
    browser.client = member.client
    return browser


def submit_form(
    browser: HtmlBrowser, action: str, *, picture: bytes | None = None, file: str = "a.png", **typed: str
) -> str:
    """Submit a form with a picture and return the text of the next page."""
    field = "logo" if action == SPONSOR else "photo"
    data: dict[str, Any] = {**browser.form_values(action), **typed}
    data[field] = FileStorage(BytesIO(picture or b""), file if picture is not None else "")
    headers = {"Accept": "text/html"}
    body, media_type = encode_form(data)
    browser.response = browser.client.post(
        action, data=body, content_type=media_type, headers=headers, follow_redirects=True
    )
    assert html_parse_errors(browser.response.text) == []
    return browser.main_text()


def encode_form(data: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return the multipart body and its media type; the test client leaves a temporary file open for a large one."""
    boundary, body = encode_multipart(data)
    return body, f"multipart/form-data; boundary={boundary}"


def load_row(app: Flask, table: Any = Speaker, slug: str = "ada") -> Any:  # noqa: ANN401 - any table
    return get_row(app, table, slug=slug)


def stored_files(app: Flask) -> list[Path]:
    return [file for file in services_of(app).settings.media_folder.rglob("*") if file.is_file()]


def pictures_on(app: Flask, path: str) -> list[Mapping[str, str]]:
    """Return the attributes of the pictures on a page, except the site's own."""
    return [one.attrib for one in get_page(app, path).iter("img") if not one.get("src", "").startswith("/static/")]


# Speakers


def test_speaker_can_edit_their_profile_and_upload_a_portrait(app: Flask, speaker_browser: HtmlBrowser) -> None:
    assert "Speaker profile" in speaker_browser.visit(OWN_PROFILE_PATH)
    typed = {"job_title": "Analyst", "bio": "Wrote *notes*.\r\nAnd more.", "affiliation": ""}
    links = {"link-2-title": "Home", "link-2-url": "https://ada.example/"}
    assert "It is saved." in submit_form(
        speaker_browser, OWN_PROFILE_PATH, picture=make_image((900, 600)), **typed, **links
    )
    speaker = load_row(app)
    assert (speaker.job_title, speaker.affiliation, speaker.bio) == ("Analyst", None, "Wrote *notes*.\nAnd more.")
    assert speaker.links == [{"title": "Home", "url": "https://ada.example/"}]
    assert decode_image(fetch(app, speaker.photo_url).data).size == (512, 341)
    held = speaker_browser.form_values(OWN_PROFILE_PATH)
    assert (held["link-1-title"], held["link-1-url"]) == ("Home", "https://ada.example/")


def test_portrait_is_shown_on_the_pages_of_the_speaker_and_their_talks(
    app: Flask, speaker_browser: HtmlBrowser
) -> None:
    speaker_browser.visit(OWN_PROFILE_PATH)
    submit_form(speaker_browser, OWN_PROFILE_PATH, picture=make_image())
    path = load_row(app).photo_url
    for where in ("/speakers/ada", "/talks/talk"):
        [picture] = pictures_on(app, where)
        assert (picture["src"], picture["alt"]) == (path, "Ada Lovelace")
        assert picture["width"].isdigit()
        assert picture["height"].isdigit()
    tree = get_page(app, "/speakers/ada")
    url = f"http://127.0.0.1:8000{path}"
    assert [one.get("content") for one in tree.iter("meta") if one.get("property") == "og:image"] == [url]
    structured = {where: _fetch_json_ld(app, where) for where in ("/speakers/ada", "/talks/talk")}
    assert structured["/speakers/ada"]["image"] == structured["/talks/talk"]["performer"][0]["image"] == url


def _fetch_json_ld(app: Flask, path: str) -> Any:  # noqa: ANN401 - JSON
    [script] = [one for one in get_page(app, path).iter("script") if one.get("type") == "application/ld+json"]
    return orjson.loads(script.text or "")


def test_portrait_is_removed_only_if_the_checkbox_is_ticked(app: Flask, speaker_browser: HtmlBrowser) -> None:
    speaker_browser.visit(OWN_PROFILE_PATH)
    submit_form(speaker_browser, OWN_PROFILE_PATH, picture=make_image())
    assert load_row(app).photo_url is not None
    submit_form(speaker_browser, OWN_PROFILE_PATH, bio="Other words")
    assert load_row(app).photo_url is not None
    submit_form(speaker_browser, OWN_PROFILE_PATH, remove_photo="yes")
    assert (load_row(app).photo_url, load_row(app).bio) == (None, "Other words")
    assert pictures_on(app, "/speakers/ada") == []


def test_pages_with_the_portrait_change_immediately(app: Flask, speaker_browser: HtmlBrowser) -> None:
    before = {path: fetch(app, path).headers["ETag"] for path in ("/speakers/ada", "/talks/talk")}
    speaker_browser.visit(OWN_PROFILE_PATH)
    submit_form(speaker_browser, OWN_PROFILE_PATH, picture=make_image())
    for path, etag in before.items():
        assert fetch(app, path, If_None_Match=etag).status_code == 200


def test_errors_are_shown_beside_their_fields_and_nothing_is_saved(app: Flask, speaker_browser: HtmlBrowser) -> None:
    speaker_browser.visit(OWN_PROFILE_PATH)
    typed = {"name": " ", "bio": "Kept", "link-2-title": "Home", "link-2-url": "javascript:alert(1)"}
    said = submit_form(speaker_browser, OWN_PROFILE_PATH, picture=make_image(form="GIF"), **typed)
    assert speaker_browser.response.status_code == 422
    assert "The file is not a PNG, JPEG or WebP image" in said
    tree = parse_html(speaker_browser.response.text)
    invalid = {one.get("name") for one in tree.iter() if one.get("aria-invalid") == "true"}
    assert invalid == {"name", "link-2-url", "photo"}
    ids = {one.get("id") for one in tree.iter()}
    for field in (one for one in tree.iter() if one.get("aria-describedby")):
        assert set(field.get("aria-describedby", "").split()) <= ids
    held = speaker_browser.form_values(OWN_PROFILE_PATH)
    assert (held["bio"], held["link-2-title"], held["link-2-url"]) == ("Kept", "Home", "javascript:alert(1)")
    assert (load_row(app).name, load_row(app).bio, load_row(app).links, stored_files(app)) == (
        "Ada Lovelace",
        None,
        [],
        [],
    )


def test_picture_must_be_chosen_again_after_an_error_in_another_field(app: Flask, speaker_browser: HtmlBrowser) -> None:
    speaker_browser.visit(OWN_PROFILE_PATH)
    assert "Choose the picture again" in submit_form(
        speaker_browser, OWN_PROFILE_PATH, picture=make_image(), job_title="x" * 300
    )
    assert stored_files(app) == []


def test_too_large_picture_is_rejected_beside_its_field(app: Flask, speaker_browser: HtmlBrowser) -> None:
    speaker_browser.visit(OWN_PROFILE_PATH)
    said = submit_form(speaker_browser, OWN_PROFILE_PATH, picture=make_image() + bytes(MAX_UPLOAD_BYTES), bio="Kept")
    assert speaker_browser.response.status_code == 422
    assert "larger than 5 MiB" in said
    assert speaker_browser.form_values(OWN_PROFILE_PATH)["bio"] == "Kept"
    assert stored_files(app) == []


def test_conflicting_edit_returns_412(app: Flask, speaker_browser: HtmlBrowser) -> None:
    speaker_browser.visit(OWN_PROFILE_PATH)
    with write_session(app) as session:
        session.query(Speaker).filter_by(slug="ada").one().bio = "A moderator's"
    submit_form(speaker_browser, OWN_PROFILE_PATH, picture=make_image(), bio="Mine")
    assert speaker_browser.response.status_code == 412
    assert (load_row(app).bio, load_row(app).photo_url, speaker_browser.form_values(OWN_PROFILE_PATH)["bio"]) == (
        "A moderator's",
        None,
        "Mine",
    )
    submit_form(speaker_browser, OWN_PROFILE_PATH, picture=make_image())
    assert load_row(app).bio == "Mine"


def test_hostile_text_is_escaped(app: Flask, speaker_browser: HtmlBrowser) -> None:
    speaker_browser.visit(OWN_PROFILE_PATH)
    links = {"link-1-title": HOSTILE, "link-1-url": "https://x.example/%22%3E"}
    submit_form(
        speaker_browser,
        OWN_PROFILE_PATH,
        name=HOSTILE,
        job_title=HOSTILE,
        affiliation=HOSTILE,
        bio=HOSTILE,
        picture=make_image(),
        **links,
    )
    assert HOSTILE not in speaker_browser.response.text
    assert speaker_browser.form_values(OWN_PROFILE_PATH)["job_title"] == HOSTILE
    assert HOSTILE not in fetch(app, "/speakers/ada", Accept="text/html").text


def test_form_has_at_most_ten_links(app: Flask, speaker_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        ten = [{"title": f"Link {i}", "url": f"https://x.example/{i}"} for i in range(10)]
        session.query(Speaker).filter_by(slug="ada").one().links = ten
    speaker_browser.visit(OWN_PROFILE_PATH)
    assert {name for name in speaker_browser.form_values(OWN_PROFILE_PATH) if name.startswith("link-")} == {
        f"link-{number}-{part}" for number in range(1, 11) for part in ("title", "url")
    }
    submit_form(speaker_browser, OWN_PROFILE_PATH, picture=None, **{"link-3-title": "", "link-3-url": ""})
    assert load_row(app).links == [*ten[:2], *ten[3:]]


def test_member_without_a_talk_has_no_profile(app: Flask) -> None:
    browser = _make_browser(app, create_signed_in_client(app))
    assert "it comes with the first talk" in browser.visit(OWN_PROFILE_PATH)
    csrf = browser.client.get("/me").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert browser.client.post(OWN_PROFILE_PATH, data={"csrf_token": csrf, "name": "x"}).status_code == 404


def test_external_picture_is_mentioned_but_not_loaded(app: Flask, speaker_browser: HtmlBrowser) -> None:
    there = "https://elsewhere.example.org/ada.jpg"
    with write_session(app) as session:
        session.query(Speaker).filter_by(slug="ada").one().photo_url = there
    assert "which pages do not show" in speaker_browser.visit(OWN_PROFILE_PATH)
    assert all(is_same_host(url) for url in fetched_urls(parse_html(speaker_browser.response.text)))
    submit_form(speaker_browser, OWN_PROFILE_PATH, bio="x")
    assert load_row(app).photo_url == there
    submit_form(speaker_browser, OWN_PROFILE_PATH, remove_photo="yes")
    assert load_row(app).photo_url is None


# Moderators


def test_moderator_can_edit_a_speaker(app: Flask, moderator_browser: HtmlBrowser) -> None:
    assert "Profile of Ada Lovelace" in moderator_browser.visit(SPEAKER_EDIT_PATH)
    assert "It is saved." in submit_form(moderator_browser, SPEAKER_EDIT_PATH, picture=make_image(), name="A. Lovelace")
    assert (load_row(app).name, bool(load_row(app).photo_url)) == ("A. Lovelace", True)
    submit_form(moderator_browser, SPEAKER_EDIT_PATH, remove_photo="yes", job_title="x" * 300)
    assert moderator_browser.response.status_code == 422
    assert load_row(app).photo_url is not None


def test_moderator_can_edit_a_sponsor_and_upload_a_logo(app: Flask, moderator_browser: HtmlBrowser) -> None:
    assert "Sponsor Rackspace" in moderator_browser.visit(SPONSOR)
    assert "It is saved." in submit_form(
        moderator_browser, SPONSOR, picture=make_image((1000, 250), mode="RGBA"), description="Hosts us."
    )
    sponsor = load_row(app, Sponsor, "rackspace")
    assert sponsor.description == "Hosts us."
    [logo] = pictures_on(app, "/events/summit")
    assert (logo["src"], logo["alt"], logo["loading"]) == (sponsor.logo_url, "Rackspace", "lazy")
    [link] = [one for one in get_page(app, "/events/summit").iter("a") if one.find("img[@class='logo']") is not None]
    assert link.get("href") == "https://rackspace.example"
    submit_form(moderator_browser, SPONSOR, remove_logo="yes", url="")
    sponsor = load_row(app, Sponsor, "rackspace")
    assert (sponsor.logo_url, sponsor.url) == (None, None)
    assert pictures_on(app, "/events/summit") == []


def test_sponsor_errors_are_shown_beside_their_fields(app: Flask, moderator_browser: HtmlBrowser) -> None:
    moderator_browser.visit(SPONSOR)
    submit_form(moderator_browser, SPONSOR, picture=b"<svg/>", url="ftp://x", description="x" * 3000)
    assert moderator_browser.response.status_code == 422
    invalid = {
        one.get("name")
        for one in parse_html(moderator_browser.response.text).iter()
        if one.get("aria-invalid") == "true"
    }
    assert invalid == {"url", "description", "logo"}
    assert (load_row(app, Sponsor, "rackspace").url, stored_files(app)) == ("https://rackspace.example", [])


def test_conflicting_edit_of_a_sponsor_returns_412(app: Flask, moderator_browser: HtmlBrowser) -> None:
    moderator_browser.visit(SPONSOR)
    with write_session(app) as session:
        session.query(Sponsor).filter_by(slug="rackspace").one().description = "Another's"
    submit_form(moderator_browser, SPONSOR, description="Mine", picture=make_image(colour=BLUE))
    assert moderator_browser.response.status_code == 412
    assert (load_row(app, Sponsor, "rackspace").description, stored_files(app)) == ("Another's", [])


# Permissions


@pytest.mark.parametrize("path", [OWN_PROFILE_PATH, SPEAKER_EDIT_PATH, SPONSOR])
@pytest.mark.usefixtures("speaker_browser")
def test_anonymous_request_is_redirected_to_sign_in(app: Flask, path: str) -> None:
    client = app.test_client()
    answer = client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/login?next={path.replace('/', '%2F')}")
    assert client.post(path, data=_form_data(make_image())).status_code == 401
    assert stored_files(app) == []


@pytest.mark.parametrize(("path", "status"), [(SPEAKER_EDIT_PATH, 403), (SPONSOR, 403), ("/speakers/hidden/edit", 404)])
@pytest.mark.usefixtures("speaker_browser")
def test_other_members_can_neither_view_nor_edit_profiles(app: Flask, path: str, status: int) -> None:
    with write_session(app) as session:
        make_speaker(session, slug="hidden")
        make_sponsor(session, slug="unknown")
    mallory = create_signed_in_client(app, "mallory@example.org")
    form = _form_data(make_image(), csrf_token=mallory.csrf_token)
    for where, wanted in ((path, status), ("/sponsors/unknown/edit", 404)):
        assert mallory.client.get(where).status_code == wanted
        assert mallory.client.post(where, data=form | {"photo": (BytesIO(make_image()), "x.png")}).status_code == wanted
    assert (stored_files(app), load_row(app).photo_url) == ([], None)


def test_speaker_cannot_edit_a_sponsor(speaker_browser: HtmlBrowser) -> None:
    assert speaker_browser.client.get(SPONSOR).status_code == 403
    assert "Profile of Ada Lovelace" in speaker_browser.visit(SPEAKER_EDIT_PATH)


@pytest.mark.parametrize("path", [OWN_PROFILE_PATH, SPEAKER_EDIT_PATH])
def test_form_without_csrf_token_is_rejected(app: Flask, speaker_browser: HtmlBrowser, path: str) -> None:
    for csrf in ("", "made-up"):
        assert (
            speaker_browser.client.post(path, data=_form_data(make_image(), csrf_token=csrf, bio="x")).status_code
            == 403
        )
    assert (load_row(app).bio, stored_files(app)) == (None, [])


def _form_data(picture: bytes, **fields: str) -> dict[str, Any]:
    return {**fields, "name": "Mallory", "photo": FileStorage(BytesIO(picture), "x.png")}


def test_oversized_request_is_rejected_before_it_is_read(app: Flask, speaker_browser: HtmlBrowser) -> None:
    body, media_type = encode_form(_form_data(bytes(5 * MAX_UPLOAD_BYTES)))
    answer = speaker_browser.client.post(OWN_PROFILE_PATH, data=body, content_type=media_type)
    assert answer.status_code == 413
    assert stored_files(app) == []


def test_edit_pages_are_not_stored(speaker_browser: HtmlBrowser) -> None:
    for path in (OWN_PROFILE_PATH, SPEAKER_EDIT_PATH):
        speaker_browser.visit(path)
        assert speaker_browser.response.headers["Cache-Control"] == "no-store"
