"""The feed check: diagnostics for a feed URL, as JSON and as a page."""

import logging
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from eventcal.feeds.clients import CLIENTS
from eventcal.feeds.fetch_counts import FeedFetches, hash_feed_url, personal_feed_key, record_fetches
from eventcal.feeds.index.feed_index import get_feed_state
from eventcal.kit.ids import hash_secret
from eventcal.members.models import PersonalFeed
from tests.clocks import NOON, FixedClock
from tests.factories import make_event, make_member
from tests.feed_support.feed_client import create_calendar, fetch
from tests.html_pages import fetched_urls, html_parse_errors, is_same_host, parse_html
from tests.http_app import database_of, get_json, run_background_tasks, services_of, status_and_code, write_session
from tests.sql_statements import record_statements

BASE_URL = "http://127.0.0.1:8000"
SECRET = "s3cret-and-long"
PERSONAL_FEED_URL = f"{BASE_URL}/feeds/{SECRET}.ics"
IPHONE_USER_AGENT = "iOS/26.6 (23G71) dataaccessd/1.0"
BROWSER_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
Json = dict[str, Any]


@pytest.fixture
def ids(app: Flask) -> dict[str, str]:
    return create_calendar(app)


@pytest.fixture
def personal_feed(app: Flask) -> PersonalFeed:
    """Return the secret feed of a member's phone."""
    with write_session(app) as session:
        member = make_member(session)
        feed = PersonalFeed(id="phone", member_id=member.id, name="My phone", created_at=NOON)
        feed.secret_hash = hash_secret(SECRET)
        session.add(feed)
        return feed


def fetch_diagnostics(app: Flask, url: str, **headers: str) -> TestResponse:
    return fetch(app, f"/feeds/check?url={quote(url, safe='')}", **headers)


def diagnostics_of(app: Flask, url: str) -> Json:
    """Return the diagnostics for a URL, without the list of clients, which is always the same."""
    answer = fetch_diagnostics(app, url)
    assert (answer.status_code, answer.mimetype) == (200, "application/json"), answer.text
    said = get_json(answer)
    assert [one["client"] for one in said.pop("clients")] == list(CLIENTS)
    return said


def problem_codes(diagnostics: Json) -> list[str]:
    # In tests, every URL has a private IP address.
    return [one["code"] for one in diagnostics["problems"] if one["code"] != "not-public"]


def fetch_and_count(app: Flask, path: str, user_agent: str, **headers: str) -> int:
    """Fetch a feed with this user agent and write the fetch statistics."""
    answer = fetch(app, path, User_Agent=user_agent, **headers)
    run_background_tasks(app)
    return answer.status_code


# Feed details


@pytest.mark.usefixtures("ids")
def test_feed_check_describes_the_feed_and_its_newest_change(app: Flask, clock: FixedClock) -> None:
    # Until the second of a change is over, Last-Modified is one second earlier.
    clock.tick()
    said = diagnostics_of(app, f"{BASE_URL}/events/summit.ics")
    served = fetch(app, "/events/summit.ics")
    assert said == {
        "url": f"{BASE_URL}/events/summit.ics",
        "feed": {
            "kind": "event",
            "title": "Xen Summit",
            "media_type": "text/calendar; charset=utf-8",
            "size": len(served.data),
            "entries": 2,
            "etag": served.headers["ETag"],
            "last_modified": "2026-03-01T12:00:00Z",
            "newest_change": {"title": "Xen Summit", "changed_at": "2026-03-01T12:00:00Z"},
        },
        "status": 200,
        "detail": "Every request receives the full feed, or 304 if the client's copy is current.",
        "problems": said["problems"],
        "lint": {"errors": 0, "warnings": 0, "codes": [], "complete": True},
        "fetches": [],
    }
    assert problem_codes(said) == []


@pytest.mark.usefixtures("ids")
def test_feed_check_recognises_every_kind_of_feed(app: Flask) -> None:
    paths = {
        "/calendar.ics": ("calendar", "eventcal", 2),
        "/deadlines.ics": ("deadlines", "eventcal: calls for talks", 0),
        "/events/summit.ics": ("event", "Xen Summit", 2),
        "/talks/waiting.ics": ("talk", "Waiting", 1),
        "/speakers/grace.ics": ("speaker", "Grace Hopper", 3),
    }
    feeds = {path: diagnostics_of(app, f"{BASE_URL}{path}")["feed"] for path in paths}
    assert {path: (feed["kind"], feed["title"], feed["entries"]) for path, feed in feeds.items()} == paths


@pytest.mark.usefixtures("ids")
def test_feed_check_shows_a_change_immediately(app: Flask, clock: FixedClock) -> None:
    before = diagnostics_of(app, f"{BASE_URL}/calendar.ics")["feed"]
    clock.tick(3600)
    with write_session(app) as session:
        make_event(session, slug="late", title="Sudden, and <late>")
    clock.tick()
    after = diagnostics_of(app, f"{BASE_URL}/calendar.ics")["feed"]
    assert after["newest_change"] == {"title": "Sudden, and <late>", "changed_at": "2026-03-01T13:00:00Z"}
    assert (after["last_modified"], after["etag"] != before["etag"]) == ("2026-03-01T13:00:00Z", True)


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize(
    "url",
    [
        "webcal://127.0.0.1:8000/calendar.ics?tag=xen&city=Berlin",
        "WEBCAL://127.0.0.1:8000/calendar.ics?city=Berlin&tag=xen",
        "webcals://127.0.0.1:8000/calendar.ics?city=Berlin&tag=xen",
        "https://127.0.0.1:8000/calendar.ics?city=Berlin&tag=xen&cancelled=keep",
        "  http://127.0.0.1:8000/calendar.ics?city=Berlin&tag=xen#1 ",
        "http://me:password@127.0.0.1.:8000/calendar.ics/?city=Berlin&tag=xen",
    ],
)
def test_equivalent_feed_urls_are_normalised_to_one_url(app: Flask, url: str) -> None:
    said = diagnostics_of(app, url)
    assert (said["status"], said["url"]) == (200, f"{BASE_URL}/calendar.ics?city=Berlin&tag=xen")


# Status


@pytest.mark.usefixtures("ids")
def test_unknown_and_unpublished_feeds_give_the_same_diagnostics(app: Flask) -> None:
    for slug in ("nothing", "pending"):
        with write_session(app) as session:
            key = hash_feed_url(f"/events/{slug}.ics?")
            record_fetches(session, [_make_fetches(key)])
        said = diagnostics_of(app, f"{BASE_URL}/events/{slug}.ics")
        assert (said["status"], said["feed"], said["lint"], said["fetches"]) == (404, None, None, [])
        assert said["problems"] == [{"code": "not-found", "detail": said["detail"]}]


def _make_fetches(key: str) -> FeedFetches:
    client = next(iter(CLIENTS))
    return FeedFetches(
        feed=key, client=client, first_at=NOON, last_at=NOON, last_status=200, fetches=1, fetches_today=1
    )


@pytest.mark.usefixtures("ids")
def test_url_of_a_page_is_reported_with_the_url_of_its_feed(app: Flask) -> None:
    said = {
        path: diagnostics_of(app, f"{BASE_URL}{path}")
        for path in ("/events/summit", "/calendar", "/subscribe", "/", "/a%00b")
    }
    assert {one["status"] for one in said.values()} == {404}
    assert {path: one["problems"][0] for path, one in said.items()} == {
        path: {"code": "no-feed", "detail": detail}
        for path, detail in {
            "/events/summit": f"This is the address of a page. Its feed is {BASE_URL}/events/summit.ics.",
            "/calendar": f"This is the address of a page. Its feed is {BASE_URL}/calendar.ics.",
            "/subscribe": "There is no feed at this address. Feed addresses end in .ics.",
            "/": "There is no feed at this address. Feed addresses end in .ics.",
            "/a%00b": "There is no feed at this address. Feed addresses end in .ics.",
        }.items()
    }


@pytest.mark.usefixtures("ids")
def test_feed_check_reports_every_query_error(app: Flask) -> None:
    said = diagnostics_of(app, f"{BASE_URL}/calendar.ics?colour=red&from=yesterday")
    assert (said["status"], said["url"]) == (422, f"{BASE_URL}/calendar.ics")
    assert [one["code"] for one in said["problems"]] == ["invalid", "invalid"]
    details = [one["detail"] for one in said["problems"]]
    assert details[0] == "colour is an unknown parameter; remove it."
    assert details[1].startswith("from 'yesterday' is neither a date (2014-08-18) nor ")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/calendar.ics",
        "http://127.0.0.1/calendar.ics",
        "http://127.0.0.1:8001/calendar.ics",
        "ftp://127.0.0.1:8000/calendar.ics",
        "/calendar.ics",
        "calendar.ics",
        "http://",
        "http://[",
        "http://127.0.0.1:99999/",
        "\ud800",
        "",
    ],
)
def test_foreign_url_is_rejected_with_an_alternative(app: Flask, url: str) -> None:
    answer = fetch(app, f"/feeds/check?url={quote(url, safe='', errors='surrogatepass')}")
    assert status_and_code(answer) == (422, "invalid")
    assert get_json(answer)["errors"] == [
        {
            "parameter": "url",
            "detail": "is not an address of this calendar; to check another feed, run `eventcal lint URL`",
        }
    ]


def test_missing_repeated_and_overlong_url_parameters_are_rejected(app: Flask) -> None:
    wrong = {
        "": "is required",
        "?url=a&url=b": "must not be repeated",
        f"?url={BASE_URL}/{'x' * 2000}": "must have at most 2000 characters",
    }
    faults = {query: get_json(fetch(app, f"/feeds/check{query}"))["errors"] for query in wrong}
    assert faults == {query: [{"parameter": "url", "detail": detail}] for query, detail in wrong.items()}


def test_unescaped_url_parameter_is_rejected_with_a_hint(app: Flask) -> None:
    answer = fetch(app, f"/feeds/check?url={BASE_URL}/calendar.ics?tag=a&kind=talk")
    assert status_and_code(answer) == (422, "invalid")
    assert get_json(answer)["detail"] == "See `errors` for details. Within `url`, write & as %26."


# Possible problems


@pytest.mark.usefixtures("ids")
def test_feed_check_names_possible_problems(app: Flask) -> None:
    wanted = {
        "/calendar.ics": ["window"],
        "/calendar.ics?from=2024-01-01": ["window"],
        "/calendar.ics?from=2024-01-01&to=2030-01-01": [],
        "/calendar.ics?from=2024-01-01&to=2024-12-31": ["over"],
        "/events/summit.ics?city=Bonn": ["empty"],
        "/events/summit.ics?cancelled=hide": ["cancelled-hidden"],
        "/calendar.ics?to=2024-12-31": ["over"],
        f"/events/summit.ics?tag={'x' * 120}&tag={'y' * 120}": ["empty", "long-address"],
    }
    assert {path: problem_codes(diagnostics_of(app, f"{BASE_URL}{path}")) for path in wanted} == wanted


@pytest.mark.usefixtures("ids")
def test_window_problem_states_the_first_and_last_day(app: Flask) -> None:
    days = {
        query: next(one["detail"] for one in diagnostics_of(app, f"{BASE_URL}/calendar.ics{query}")["problems"])
        for query in ("", "?from=2024-01-01", "?to=2030-01-01")
    }
    assert {query: detail.partition(";")[0] for query, detail in days.items()} == {
        "": "The feed covers 2026-01-30 to 2027-04-05",
        "?from=2024-01-01": "The feed covers 2024-01-01 to 2027-04-05",
        "?to=2030-01-01": "The feed covers 2026-01-30 to 2030-01-01",
    }


def test_feed_too_large_for_google_is_reported(app: Flask) -> None:
    with write_session(app) as session:
        for number in range(30):
            make_event(session, slug=f"e-{number}", title="Long", description="word " * 4_000)
    assert problem_codes(diagnostics_of(app, f"{BASE_URL}/calendar.ics")) == ["window", "large"]


# Secret feeds


@pytest.mark.usefixtures("ids", "personal_feed")
def test_secret_appears_in_neither_response_nor_log(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    urls = [
        PERSONAL_FEED_URL,
        f"{PERSONAL_FEED_URL}?cancelled=hide",
        f"{PERSONAL_FEED_URL}?q={SECRET}",
        f"{PERSONAL_FEED_URL}?{SECRET}=1",
        f"{PERSONAL_FEED_URL}?from={SECRET}",
        f"webcal://127.0.0.1:8000/feeds/{SECRET}.ics",
        f"{BASE_URL}/feeds/{SECRET}",
        f"{BASE_URL}//feeds/{SECRET}.ics",
        f"{BASE_URL}/FEEDS/{SECRET}.ics",
        f"{BASE_URL}/feeds/{SECRET}.ics.ics",
        f"{BASE_URL}/api/v1/me/feeds/{SECRET}",
        f"http://elsewhere/feeds/{SECRET}.ics",
    ]
    with caplog.at_level(logging.DEBUG):
        for accept in ("application/json", BROWSER_ACCEPT):
            for url in urls:
                answer = fetch_diagnostics(app, url, Accept=accept)
                assert SECRET not in f"{answer.headers}{answer.text}", url
    assert SECRET not in caplog.text


@pytest.mark.usefixtures("ids", "personal_feed")
def test_feed_check_of_a_secret_feed_is_as_detailed_as_of_a_public_one(app: Flask) -> None:
    fetch_and_count(app, f"/feeds/{SECRET}.ics", IPHONE_USER_AGENT)
    said = diagnostics_of(app, f"{PERSONAL_FEED_URL}?cancelled=hide")
    assert (said["url"], said["status"]) == (f"{BASE_URL}/feeds/….ics?cancelled=hide", 200)
    assert (said["feed"]["kind"], said["feed"]["title"], said["feed"]["last_modified"]) == (
        "personal",
        "My phone",
        None,
    )
    assert [(row["client"], row["last_status"]) for row in said["fetches"]] == [("apple", 200)]


@pytest.mark.usefixtures("ids", "personal_feed")
def test_revoked_feed_is_gone_but_lists_clients_that_still_fetch_it(app: Flask) -> None:
    with write_session(app) as session:
        session.get_one(PersonalFeed, "phone").revoked_at = NOON
        record_fetches(session, [_make_fetches(personal_feed_key("phone"))])
    said = diagnostics_of(app, PERSONAL_FEED_URL)
    assert (said["status"], said["feed"], said["url"]) == (410, None, f"{BASE_URL}/feeds/….ics")
    assert said["problems"] == [{"code": "gone", "detail": said["detail"]}]
    assert [row["client"] for row in said["fetches"]] == ["google"]


@pytest.mark.usefixtures("ids", "personal_feed")
def test_feed_check_does_not_count_as_a_fetch(app: Flask) -> None:
    fetch_diagnostics(app, PERSONAL_FEED_URL)
    run_background_tasks(app)
    with database_of(app).read_session() as session:
        assert session.get_one(PersonalFeed, "phone").last_fetched_at is None
        assert session.scalars(select(FeedFetches)).all() == []


# Fetch statistics


@pytest.mark.usefixtures("ids")
def test_fetches_are_counted_per_kind_of_client(app: Flask, clock: FixedClock) -> None:
    fetch_and_count(app, "/events/summit.ics", IPHONE_USER_AGENT)
    etag = fetch(app, "/events/summit.ics").headers["ETag"]
    clock.tick(3600 + 17)
    assert fetch_and_count(app, "/events/summit.ics", "Google-Calendar-Importer", If_None_Match=etag) == 304
    clock.tick(60)
    fetch_and_count(app, "/calendar.ics", "curl/8.6.0")
    rows = diagnostics_of(app, f"{BASE_URL}/events/summit.ics")["fetches"]
    assert rows[0] == {
        "client": "google",
        "name": "Google Calendar",
        "first_at": "2026-03-01T13:00:00Z",
        "last_at": "2026-03-01T13:00:00Z",
        "last_status": 304,
        "fetches": 1,
        "today": 1,
    }
    assert {row["client"] for row in rows} == {"google", "apple", "other"}
    clock.tick(86400)
    assert [row["today"] for row in diagnostics_of(app, f"{BASE_URL}/events/summit.ics")["fetches"]] == [0, 0, 0]


@pytest.mark.usefixtures("ids")
def test_only_the_beginning_of_a_user_agent_identifies_a_client(app: Flask, clock: FixedClock) -> None:
    for user_agent in ("x" * 400 + "Thunderbird", "Thunderbird" + "x" * 400):
        for _from_the_application_then_from_the_cache in range(2):
            fetch_and_count(app, "/calendar.ics", user_agent)
            clock.tick(61)
    fetches = {row["client"]: row["fetches"] for row in diagnostics_of(app, f"{BASE_URL}/calendar.ics")["fetches"]}
    assert fetches == {"thunderbird": 2, "other": 2}


@pytest.mark.usefixtures("ids")
def test_fetches_are_counted_per_feed_and_normalised_query(app: Flask, clock: FixedClock) -> None:
    for path in ("/calendar.ics?city=Berlin&tag=xen", "/calendar.ics?tag=xen&city=Berlin", "/calendar.ics"):
        fetch_and_count(app, path, IPHONE_USER_AGENT)
        clock.tick(60)
    counts = {
        query: [row["fetches"] for row in diagnostics_of(app, f"{BASE_URL}/calendar.ics{query}")["fetches"]]
        for query in ("", "?tag=xen&city=Berlin", "?tag=xen")
    }
    assert counts == {"": [1], "?tag=xen&city=Berlin": [2], "?tag=xen": []}


@pytest.mark.usefixtures("ids", "personal_feed")
def test_fetch_statistics_store_nothing_about_the_client_but_its_kind(app: Flask) -> None:
    for path in ("/calendar.ics?q=private", f"/feeds/{SECRET}.ics"):
        answer = app.test_client(use_cookies=False).get(
            path,
            headers={"User-Agent": IPHONE_USER_AGENT, "From": "ada@example.org", "Referer": "https://example.org/ada"},
            environ_overrides={"REMOTE_ADDR": "203.0.113.77"},
        )
        assert answer.status_code == 200
        run_background_tasks(app)
        services_of(app).fetch_counter.flush(database_of(app))
    with database_of(app).read_session() as session:
        rows = [
            {column.name: str(getattr(row, column.name)) for column in FeedFetches.__table__.columns}
            for row in session.scalars(select(FeedFetches).order_by(FeedFetches.feed))
        ]
    values = {"client": "apple", "last_status": "200", "fetches": "1", "fetches_today": "1"}
    times = dict.fromkeys(("first_at", "last_at"), str(NOON))
    keys = [hash_feed_url("/calendar.ics?q=private"), "personal-phone"]
    assert rows == [{"feed": key, **values, **times} for key in keys]


@pytest.mark.usefixtures("ids")
def test_counting_a_fetch_adds_no_statement_to_the_request_and_no_new_revision(app: Flask, clock: FixedClock) -> None:
    etag = fetch(app, "/calendar.ics").headers["ETag"]
    with database_of(app).read_session() as session:
        revision = get_feed_state(session).revision
    clock.tick(3600)
    with record_statements(database_of(app)) as sent:
        answer = fetch(app, "/calendar.ics", If_None_Match=etag, User_Agent=IPHONE_USER_AGENT)
        during = [text for text in sent if text.startswith(("SELECT", "INSERT", "UPDATE"))]
        run_background_tasks(app)
        after = [text for text in sent if text.startswith("INSERT")]
    assert (answer.status_code, len(during), len(after)) == (304, 1, 1)
    with database_of(app).read_session() as session:
        assert get_feed_state(session).revision == revision


@pytest.mark.usefixtures("ids")
def test_feed_is_served_during_a_write_transaction(app: Flask) -> None:
    with write_session(app):
        answer = fetch(app, "/calendar.ics", User_Agent=IPHONE_USER_AGENT)
        assert answer.status_code == 200
    run_background_tasks(app)
    assert [row["client"] for row in diagnostics_of(app, f"{BASE_URL}/calendar.ics")["fetches"]] == ["apple"]


# Representations


@pytest.mark.usefixtures("ids")
def test_feed_check_response_is_not_stored_but_has_an_etag(app: Flask) -> None:
    answer = fetch_diagnostics(app, f"{BASE_URL}/calendar.ics")
    headers = {name: answer.headers[name] for name in ("Cache-Control", "Vary", "Access-Control-Allow-Origin")}
    assert headers == {
        "Cache-Control": "no-store",
        "Vary": "Accept-Encoding, Accept",
        "Access-Control-Allow-Origin": "*",
    }
    assert fetch_diagnostics(app, f"{BASE_URL}/calendar.ics").headers["ETag"] == answer.headers["ETag"]
    assert fetch_diagnostics(app, f"{BASE_URL}/calendar.ics", If_None_Match=answer.headers["ETag"]).status_code == 304


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("text/plain", "application/json"),
        ("text/html", "text/html"),
        (BROWSER_ACCEPT, "text/html"),
    ],
)
def test_feed_check_returns_html_only_if_preferred(app: Flask, accept: str | None, mimetype: str) -> None:
    answer = fetch_diagnostics(app, f"{BASE_URL}/calendar.ics", **({} if accept is None else {"Accept": accept}))
    assert (answer.status_code, answer.mimetype) == (200, mimetype)


def fetch_check_page(app: Flask, url: str | None = None, *, status: int = 200, language: str = "en") -> str:
    path = "/feeds/check" if url is None else f"/feeds/check?url={quote(url, safe='')}&utm_source=mail"
    answer = fetch(app, path, Accept=BROWSER_ACCEPT, Accept_Language=language)
    assert answer.headers["Content-Language"] == language
    assert (answer.status_code, answer.content_type) == (status, "text/html; charset=utf-8")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; ")
    assert html_parse_errors(answer.text) == []
    tree = parse_html(answer.text)
    assert [url for url in fetched_urls(tree) if not is_same_host(url)] == []
    # The URL may be secret, so the page must not repeat it in a link or a form.
    assert [one.get("href") for one in tree.iter("a") if "url=" in (one.get("href") or "")] == []
    (form,) = (one for one in tree.iter("form") if one.get("action") == "/feeds/check")
    assert [(one.get("name"), one.get("value")) for one in form.iter("input")] == [("url", None)]
    return answer.text


def test_page_without_a_url_shows_only_the_form(app: Flask) -> None:
    assert fetch_check_page(app) == fetch_check_page(app, "") == fetch_check_page(app, "  ")
    assert "<section" not in fetch_check_page(app)


@pytest.mark.usefixtures("ids")
def test_page_shows_the_same_diagnostics_as_the_json(app: Flask) -> None:
    fetch_and_count(app, "/calendar.ics", IPHONE_USER_AGENT)
    html = fetch_check_page(app, f"{BASE_URL}/calendar.ics")
    said = diagnostics_of(app, f"{BASE_URL}/calendar.ics")
    texts = [said["url"], said["detail"], *[one["detail"] for one in said["problems"]], "2026-03-01 12:00:00 UTC"]
    assert [text for text in texts if text.replace("'", "&#39;") not in html] == []
    assert html.count("<tr") == 2 + len(CLIENTS) + 1


def test_user_text_is_escaped_on_the_page(app: Flask) -> None:
    title = "\u202e<script>alert(1)</script>&amp;\"' 👩‍👩‍👧‍👦"
    with write_session(app) as session:
        make_event(session, slug="hostile", title=title)
    html = fetch_check_page(app, f"{BASE_URL}/events/hostile.ics")
    assert "<bdi>\u202e&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&#34;&#39; 👩‍👩‍👧‍👦</bdi>" in html
    assert diagnostics_of(app, f"{BASE_URL}/events/hostile.ics")["feed"]["title"] == title


def test_foreign_url_is_rejected_on_the_page_without_repeating_it(app: Flask) -> None:
    html = fetch_check_page(app, "https://example.org/<b>.ics", status=422)
    assert "is not an address of this calendar" in html
    assert "example.org" not in html


@pytest.mark.usefixtures("ids")
def test_page_is_translated_to_german_but_the_json_is_not(app: Flask) -> None:
    fetch_and_count(app, "/calendar.ics", IPHONE_USER_AGENT)
    german = fetch_check_page(app, f"{BASE_URL}/calendar.ics?to=2026-02-01&cancelled=hide", language="de")
    for words in ("Warum wird mein Kalender nicht aktualisiert?", "Er endet am 2026-02-01", "Entfernen Sie"):
        assert words in german
    said = diagnostics_of(app, f"{BASE_URL}/calendar.ics?to=2026-02-01&cancelled=hide")
    facts = [text for one in CLIENTS.values() for text in (one.expect, one.refresh_now)]
    english = [said["detail"], *[one["detail"] for one in said["problems"]], *facts]
    assert [text for text in english if text.replace("'", "&#39;") in german] == []
    path = f"/feeds/check?url={quote(f'{BASE_URL}/calendar.ics', safe='')}"
    assert fetch(app, path, Accept_Language="de").data == fetch(app, path).data


@pytest.mark.usefixtures("ids")
def test_checking_a_past_feed_takes_a_constant_number_of_statements(app: Flask, clock: FixedClock) -> None:
    with record_statements(database_of(app)) as sent:
        diagnostics_of(app, f"{BASE_URL}/events/old.ics")
    few = len([text for text in sent if text.startswith("SELECT")])
    clock.set_time(NOON + timedelta(days=365))
    with record_statements(database_of(app)) as sent:
        diagnostics_of(app, f"{BASE_URL}/events/old.ics")
    assert len([text for text in sent if text.startswith("SELECT")]) == few


@pytest.mark.usefixtures("ids")
def test_feed_check_counts_the_same_entries_in_every_format(app: Flask) -> None:
    feeds = {
        name: diagnostics_of(app, f"{BASE_URL}/events/summit.{name}")
        for name in ("ics", "jcal", "xcal", "jscal", "atom")
    }
    seen = {name: (said["feed"]["kind"], said["feed"]["entries"], said["lint"]) for name, said in feeds.items()}
    assert seen == {
        "ics": ("event", 2, {"errors": 0, "warnings": 0, "codes": [], "complete": True}),
        "jcal": ("event", 2, None),
        "xcal": ("event", 2, None),
        "jscal": ("event", 2, None),
        "atom": ("event", None, None),
    }
    programme = diagnostics_of(app, f"{BASE_URL}/events/summit/schedule.xml")["feed"]
    assert (programme["kind"], programme["entries"], programme["size"] > 0) == ("event", None, True)
