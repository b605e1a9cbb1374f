"""Error responses as HTML pages for people, and as problem documents for API and calendar clients."""

import logging
from http import HTTPStatus

import pytest
from flask import Flask, Response
from sqlalchemy import text
from werkzeug.test import TestResponse

from eventcal.web.http.problem_details import Problem, problem_response
from eventcal.web.rendering.private_page import render_problem_as_html
from tests.feed_support.feed_client import create_calendar, fetch
from tests.html_pages import element_text, fetched_urls, html_parse_errors, is_same_host, parse_html
from tests.http_app import status_and_code, write_session

FIREFOX_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def request_as_browser(app: Flask, path: str, *, method: str = "GET", **headers: str) -> TestResponse:
    """Send a request with the Accept header of a browser."""
    return fetch(app, path, method=method, **{"Accept": FIREFOX_ACCEPT, **headers})


def make_error_response(
    app: Flask, status: HTTPStatus, *, headers: dict[str, str], accept: str = FIREFOX_ACCEPT
) -> Response:
    """Return the error response with this status."""
    told = Problem(status=status, code="x", title="A title", detail="A <detail>.", headers=headers)
    with app.test_request_context("/page", headers={"Accept": accept}):
        return render_problem_as_html(problem_response(told))


def test_error_page_explains_the_problem_and_offers_ways_to_continue(app: Flask) -> None:
    answer = request_as_browser(app, "/speakers/nobody")
    assert (answer.status_code, answer.content_type) == (404, "text/html; charset=utf-8")
    assert answer.headers["Cache-Control"] == "no-store"
    assert {"Accept", "Accept-Language"} <= set(answer.vary)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert html_parse_errors(answer.text) == []
    tree = parse_html(answer.text)
    assert element_text(next(tree.iter("h1"))) == "Not found"
    assert "Speaker “nobody” not found." in element_text(tree)
    assert "/" in [one.get("href") for one in tree.iter("a")]
    (form,) = tree.iter("form")
    (field,) = form.iter("input")
    assert (form.get("action"), form.get("method"), field.get("name")) == ("/", "get", "q")
    assert [url for url in fetched_urls(tree) if not is_same_host(url)] == []
    assert [one.get("content") for one in tree.iter("meta") if one.get("name") == "robots"] == ["noindex"]
    assert [one for one in tree.iter("link") if one.get("rel") == "canonical"] == []


def test_error_page_is_translated(app: Flask) -> None:
    answer = request_as_browser(app, "/nothing", Accept_Language="de")
    assert answer.headers["Content-Language"] == "de"
    tree = parse_html(answer.text)
    assert next(tree.iter("html")).get("lang") == "de"
    assert element_text(next(tree.iter("h1"))) == "Nicht gefunden"
    assert "Unter dieser Adresse gibt es nichts." in element_text(tree)
    assert [one for one in tree.iter() if one.get("lang") == "en" and one.tag != "a"] == []


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "application/problem+json, text/html;q=0.9",
        "text/html, application/json",
        "text/css,*/*;q=0.1",
        "image/avif,image/webp,*/*",
        "text/html;q=0",
        ";;;,q=",
    ],
)
def test_client_that_does_not_prefer_html_gets_a_problem_document(app: Flask, accept: str) -> None:
    assert status_and_code(fetch(app, "/nothing", Accept=accept))[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/events/nothing",
        "/api/nothing",
        "/calendar.ics?colour=red",
        "/events/nothing.ics",
        "/events/nothing.ics/",
        "/events/nothing.jcal",
        "/talks/nothing.xcal",
        "/speakers/nobody.jscal",
        "/calendar.csv?colour=red",
        "/events/nothing.atom",
        "/events/nothing/schedule.xml",
        "/events/nothing/schedule.json",
        "/feeds/nothing.ics",
        "/no/such/thing.ics",
    ],
)
def test_api_and_feed_errors_are_problem_documents_regardless_of_accept(app: Flask, path: str) -> None:
    assert status_and_code(request_as_browser(app, path))[0] in {404, 422}


def test_405_page_keeps_the_allow_header(app: Flask) -> None:
    answer = request_as_browser(app, "/subscribe", method="POST")
    assert (answer.status_code, answer.mimetype) == (405, "text/html")
    assert "GET" in answer.headers["Allow"]


def test_head_returns_the_headers_of_the_page_without_the_body(app: Flask) -> None:
    answer = request_as_browser(app, "/nothing", method="HEAD")
    assert (answer.status_code, answer.mimetype, answer.data) == (404, "text/html", b"")


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (HTTPStatus.BAD_REQUEST, {}),
        (HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": 'Bearer realm="eventcal"'}),
        (HTTPStatus.FORBIDDEN, {}),
        (HTTPStatus.GONE, {}),
        (HTTPStatus.UNPROCESSABLE_ENTITY, {}),
        (HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "30"}),
        (HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"}),
    ],
)
def test_error_page_keeps_status_and_headers(app: Flask, status: HTTPStatus, headers: dict[str, str]) -> None:
    answer = make_error_response(app, status, headers=headers)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert {name: answer.headers[name] for name in headers} == headers
    assert "A &lt;detail&gt;." in answer.get_data(as_text=True)
    assert (
        make_error_response(app, status, headers=headers, accept="application/json").mimetype
        == "application/problem+json"
    )


def test_401_page_links_to_sign_in(app: Flask) -> None:
    tree = parse_html(make_error_response(app, HTTPStatus.UNAUTHORIZED, headers={}).get_data(as_text=True))
    assert "/login" in [one.get("href") for one in tree.iter("a")]


@pytest.mark.parametrize("path", ["/feeds/my-secret", "/feeds/my-secret/", "/nothing?token=my-secret"])
def test_error_page_does_not_repeat_the_url(app: Flask, path: str) -> None:
    answer = request_as_browser(app, path)
    assert (answer.status_code, answer.mimetype, "my-secret" in answer.text) == (404, "text/html", False)


def test_internal_error_page_shows_only_the_log_reference(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    create_calendar(app)
    with write_session(app) as session:
        session.execute(text("DROP TABLE talk_speakers"))
    answer = request_as_browser(app, "/speakers/grace")
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    (logged,) = [record.getMessage() for record in caplog.records if record.getMessage().startswith("internal error")]
    assert logged.split()[2] in answer.text
    assert "Traceback" not in answer.text
    assert "talk_speakers" not in answer.text


def test_problem_document_is_sent_if_rendering_the_page_fails(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventcal.web.rendering.private_page.render_html", None)
    told = Problem(status=HTTPStatus.NOT_FOUND, code="x", title="A title", detail="A detail.")
    with app.test_request_context("/my-secret", headers={"Accept": FIREFOX_ACCEPT}), caplog.at_level(logging.ERROR):
        answer = render_problem_as_html(problem_response(told))
    assert (answer.status_code, answer.mimetype, "A detail." in answer.get_data(as_text=True)) == (
        404,
        "application/problem+json",
        True,
    )
    assert len(caplog.records) == 1
    assert "my-secret" not in caplog.text


def test_successful_responses_are_unchanged(app: Flask) -> None:
    assert request_as_browser(app, "/subscribe").status_code == 200
    assert request_as_browser(app, "/calendar.ics").mimetype == "text/calendar"
