"""The language of a page: the `lang` parameter, else the Accept-Language header, else English."""

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from eventcal.kit.translations import LANGUAGES
from tests.clocks import FixedClock
from tests.feed_support.feed_client import create_calendar, fetch
from tests.http_app import create_test_app, services_of

PAGE_PATH = "/talks/scheduled"
LINK_TEXTS = {"en": "Save to my calendar (.ics)", "de": "In meinen Kalender übernehmen (.ics)"}


@pytest.fixture(autouse=True)
def _calendar(app: Flask) -> None:
    create_calendar(app)


def page_language(answer: TestResponse) -> str:
    """Return the language of a page; its `lang` attribute, its headers and its text must agree."""
    assert answer.status_code == 200, answer.text
    code = answer.headers["Content-Language"]
    assert [other for other in LANGUAGES if f'<html lang="{other}">' in answer.text] == [code]
    assert [other for other, words in LINK_TEXTS.items() if words in answer.text] == [code]
    assert "Accept-Language" in answer.headers["Vary"]
    return code


def test_page_uses_the_preferred_language_of_the_browser(app: Flask) -> None:
    wanted = {"de-AT,en;q=0.5": "de", "en-US,de;q=0.9": "en", "fr,de;q=0.3": "de", "fr": "en", "de;q=0": "en"}
    assert {accepted: page_language(fetch(app, PAGE_PATH, Accept_Language=accepted)) for accepted in wanted} == wanted
    assert page_language(fetch(app, PAGE_PATH)) == "en"


def test_lang_parameter_takes_precedence_over_accept_language(app: Flask) -> None:
    assert page_language(fetch(app, f"{PAGE_PATH}?lang=de", Accept_Language="en")) == "de"
    assert page_language(fetch(app, f"{PAGE_PATH}?lang=en", Accept_Language="de")) == "en"
    assert page_language(fetch(app, f"{PAGE_PATH}?lang=fr", Accept_Language="de")) == "de"


def test_page_is_cached_per_language(app: Flask) -> None:
    answers = [fetch(app, PAGE_PATH, Accept_Language=code) for code in ("en", "de", "en", "de")]
    assert [page_language(answer) for answer in answers] == ["en", "de", "en", "de"]
    assert len({answer.headers["ETag"] for answer in answers}) == 2


def test_etag_of_one_language_does_not_match_another_language(app: Flask) -> None:
    tag = fetch(app, PAGE_PATH, Accept_Language="en").headers["ETag"]
    assert fetch(app, PAGE_PATH, Accept_Language="en", If_None_Match=tag).status_code == 304
    assert fetch(app, PAGE_PATH, Accept_Language="de", If_None_Match=tag).status_code == 200


def test_dates_and_times_follow_the_conventions_of_the_language(app: Flask) -> None:
    english, german = (fetch(app, PAGE_PATH, Accept_Language=code).text for code in ("en", "de"))
    assert "Wed, Jun 10, 2026, 1:30\N{NARROW NO-BREAK SPACE}PM" in english
    assert "Mi., 10. Juni 2026, 13:30" in german


def test_english_pages_use_the_regional_date_format(app: Flask) -> None:
    for accepted in ("en-GB", "en-US", "en-IE,en;q=0.8", "en"):
        answer = fetch(app, PAGE_PATH, Accept_Language=accepted)
        tag = "en" if accepted in {"en", "en-US"} else "en-GB"
        assert answer.headers["Content-Language"] == tag
        assert f'<html lang="{tag}">' in answer.text
        assert ("Wed 10 Jun 2026, 13:30" in answer.text.replace("Wed,", "Wed")) is (tag == "en-GB"), answer.text
        assert '<span aria-current="true" lang="en">English</span>' in answer.text
        assert LINK_TEXTS["en"] in answer.text
    assert fetch(app, f"{PAGE_PATH}?lang=en", Accept_Language="en-GB,de").headers["Content-Language"] == "en-GB"


def test_number_of_cached_variants_is_limited_to_the_supported_locales(app: Flask) -> None:
    asked = ("en", "en-US", "en-GB", "en-AU", "en-NZ", "en-x-private", "de", "de-AT", "de-CH", "de-DE-1996", "fr", "*")
    kept = {fetch(app, PAGE_PATH, Accept_Language=tag).headers["ETag"] for tag in asked}
    assert len(kept) == 3


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_every_language_is_offered_under_its_own_name(app: Flask, code: str) -> None:
    text = fetch(app, PAGE_PATH, Accept_Language=code).text
    assert f'<span aria-current="true" lang="{code}">{LANGUAGES[code]}</span>' in text
    for other in set(LANGUAGES) - {code}:
        assert f'<a href="/language/{other}?next={PAGE_PATH}" lang="{other}"' in text


def test_chosen_language_applies_to_all_pages_until_changed(app: Flask) -> None:
    client = app.test_client()
    chosen = client.get(
        f"/language/de?next={PAGE_PATH}?tz=UTC", headers={"Accept-Language": "en"}, follow_redirects=True
    )
    assert page_language(chosen) == "de"
    assert chosen.request.full_path == f"{PAGE_PATH}?tz=UTC"
    assert page_language(client.get(PAGE_PATH, headers={"Accept-Language": "en"})) == "de"
    assert page_language(client.get(f"{PAGE_PATH}?lang=en")) == "en"
    client.get("/language/en")
    assert page_language(client.get(PAGE_PATH, headers={"Accept-Language": "de"})) == "en"


def test_page_with_a_language_cookie_is_cached_and_revalidated(app: Flask) -> None:
    client = app.test_client()
    client.get("/language/de")
    first = client.get(PAGE_PATH)
    assert first.headers["Cache-Control"] == "public, no-cache"
    assert "Set-Cookie" not in first.headers
    assert client.get(PAGE_PATH, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    client.get("/language/en")
    assert client.get(PAGE_PATH, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_choosing_a_language_never_redirects_to_another_site(app: Flask) -> None:
    for elsewhere in ("https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)", ""):
        answer = app.test_client().get("/language/de", query_string={"next": elsewhere})
        assert answer.headers["Location"] == "/"
        assert answer.headers["Cache-Control"] == "no-store"
    assert app.test_client().get("/language/xx").status_code == 404


def test_language_cookie_is_protected_from_other_sites(sqlite_url: str, clock: FixedClock) -> None:
    with create_test_app(sqlite_url, clock, base_url="https://calendar.example.org") as app:
        kept = app.test_client().get("/language/de").headers["Set-Cookie"]
    assert kept.startswith("__Host-language=de; ")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(kept.split("; "))


def test_head_lists_the_page_in_every_language(app: Flask) -> None:
    head, base = fetch(app, PAGE_PATH).text, services_of(app).settings.base_url
    for code in LANGUAGES:
        assert f'<link rel="alternate" hreflang="{code}" href="{base}{PAGE_PATH}?lang={code}">' in head
    assert f'<link rel="alternate" hreflang="x-default" href="{base}{PAGE_PATH}">' in head
