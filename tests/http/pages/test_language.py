"""The language of a page: what the address says, else what the browser asks for, else English."""

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from eventcal.kit.catalogue import LANGUAGES
from tests.clocks import FixedClock
from tests.feed_support.fetching import fetch, make_calendar
from tests.http_app import house_of, running

PAGE = "/talks/scheduled"
SAID = {"en": "Save to my calendar (.ics)", "de": "In meinen Kalender übernehmen (.ics)"}


@pytest.fixture(autouse=True)
def _calendar(app: Flask) -> None:
    make_calendar(app)


def shown(answer: TestResponse) -> str:
    """Give the language of a page, which its head, its headers and its words all have."""
    assert answer.status_code == 200, answer.text
    code = answer.headers["Content-Language"]
    assert [other for other in LANGUAGES if f'<html lang="{other}">' in answer.text] == [code]
    assert [other for other, words in SAID.items() if words in answer.text] == [code]
    assert "Accept-Language" in answer.headers["Vary"]
    return code


def test_a_page_is_in_the_language_that_the_browser_wants_most(app: Flask) -> None:
    wanted = {"de-AT,en;q=0.5": "de", "en-US,de;q=0.9": "en", "fr,de;q=0.3": "de", "fr": "en", "de;q=0": "en"}
    assert {accepted: shown(fetch(app, PAGE, Accept_Language=accepted)) for accepted in wanted} == wanted
    assert shown(fetch(app, PAGE)) == "en"


def test_what_the_address_says_comes_before_what_the_browser_asks_for(app: Flask) -> None:
    assert shown(fetch(app, f"{PAGE}?lang=de", Accept_Language="en")) == "de"
    assert shown(fetch(app, f"{PAGE}?lang=en", Accept_Language="de")) == "en"
    assert shown(fetch(app, f"{PAGE}?lang=fr", Accept_Language="de")) == "de"


def test_a_page_that_is_kept_is_kept_in_each_language(app: Flask) -> None:
    answers = [fetch(app, PAGE, Accept_Language=code) for code in ("en", "de", "en", "de")]
    assert [shown(answer) for answer in answers] == ["en", "de", "en", "de"]
    assert len({answer.headers["ETag"] for answer in answers}) == 2


def test_what_a_browser_has_in_one_language_is_not_taken_for_the_other(app: Flask) -> None:
    tag = fetch(app, PAGE, Accept_Language="en").headers["ETag"]
    assert fetch(app, PAGE, Accept_Language="en", If_None_Match=tag).status_code == 304
    assert fetch(app, PAGE, Accept_Language="de", If_None_Match=tag).status_code == 200


def test_days_and_hours_are_written_as_the_language_writes_them(app: Flask) -> None:
    english, german = (fetch(app, PAGE, Accept_Language=code).text for code in ("en", "de"))
    assert "Wed, Jun 10, 2026, 1:30\N{NARROW NO-BREAK SPACE}PM" in english
    assert "Mi., 10. Juni 2026, 13:30" in german


def test_english_is_written_as_in_the_readers_country_and_kept_so(app: Flask) -> None:
    for accepted in ("en-GB", "en-US", "en-IE,en;q=0.8", "en"):
        answer = fetch(app, PAGE, Accept_Language=accepted)
        tag = "en" if accepted in {"en", "en-US"} else "en-GB"
        assert answer.headers["Content-Language"] == tag
        assert f'<html lang="{tag}">' in answer.text
        assert ("Wed 10 Jun 2026, 13:30" in answer.text.replace("Wed,", "Wed")) is (tag == "en-GB"), answer.text
        assert '<span aria-current="true" lang="en">English</span>' in answer.text
        assert SAID["en"] in answer.text
    assert fetch(app, f"{PAGE}?lang=en", Accept_Language="en-GB,de").headers["Content-Language"] == "en-GB"


def test_no_more_is_kept_of_a_page_than_it_has_languages_whatever_is_asked_for(app: Flask) -> None:
    asked = ("en", "en-US", "en-GB", "en-AU", "en-NZ", "en-x-private", "de", "de-AT", "de-CH", "de-DE-1996", "fr", "*")
    kept = {fetch(app, PAGE, Accept_Language=tag).headers["ETag"] for tag in asked}
    assert len(kept) == 3


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_every_language_is_offered_by_its_own_name(app: Flask, code: str) -> None:
    text = fetch(app, PAGE, Accept_Language=code).text
    assert f'<span aria-current="true" lang="{code}">{LANGUAGES[code]}</span>' in text
    for other in set(LANGUAGES) - {code}:
        assert f'<a href="/language/{other}?next={PAGE}" lang="{other}"' in text


def test_what_a_reader_chose_holds_for_every_page_until_they_choose_again(app: Flask) -> None:
    client = app.test_client()
    chosen = client.get(f"/language/de?next={PAGE}?tz=UTC", headers={"Accept-Language": "en"}, follow_redirects=True)
    assert shown(chosen) == "de"
    assert chosen.request.full_path == f"{PAGE}?tz=UTC"
    assert shown(client.get(PAGE, headers={"Accept-Language": "en"})) == "de"
    assert shown(client.get(f"{PAGE}?lang=en")) == "en"
    client.get("/language/en")
    assert shown(client.get(PAGE, headers={"Accept-Language": "de"})) == "en"


def test_a_choice_is_given_from_what_is_kept_and_asked_for_again_each_time(app: Flask) -> None:
    client = app.test_client()
    client.get("/language/de")
    first = client.get(PAGE)
    assert first.headers["Cache-Control"] == "public, no-cache"
    assert "Set-Cookie" not in first.headers
    assert client.get(PAGE, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    client.get("/language/en")
    assert client.get(PAGE, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_nobody_is_led_elsewhere_by_choosing_a_language(app: Flask) -> None:
    for elsewhere in ("https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)", ""):
        answer = app.test_client().get("/language/de", query_string={"next": elsewhere})
        assert answer.headers["Location"] == "/"
        assert answer.headers["Cache-Control"] == "no-store"
    assert app.test_client().get("/language/xx").status_code == 404


def test_the_choice_is_kept_where_no_other_site_can_set_or_read_it(sqlite_url: str, clock: FixedClock) -> None:
    with running(sqlite_url, clock, base_url="https://calendar.example.org") as app:
        kept = app.test_client().get("/language/de").headers["Set-Cookie"]
    assert kept.startswith("__Host-language=de; ")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(kept.split("; "))


def test_search_engines_are_told_of_every_language(app: Flask) -> None:
    head, base = fetch(app, PAGE).text, house_of(app).settings.base_url
    for code in LANGUAGES:
        assert f'<link rel="alternate" hreflang="{code}" href="{base}{PAGE}?lang={code}">' in head
    assert f'<link rel="alternate" hreflang="x-default" href="{base}{PAGE}">' in head
