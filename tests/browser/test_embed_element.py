"""Tests of the element in /embed.js on a page of another origin with hostile styles and a strict security policy."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from tests.browser.site import Site

# The clock of the site is fixed, and differs from the clock of the browser.
FROM_DATE = "2026-03-01"
HOSTILE_TEXT = "<img src=x onerror=alert(1)><script>alert(1)</script>&lt;"
HOSTILE_STYLE = """
* { all: unset !important; color: yellow !important; background: yellow !important; }
a, li, ul, p, div, time { display: none !important }
html { font-size: 1px !important }
eventcal-listing { display: none !important; position: absolute !important; left: -9999px !important;
  width: 0 !important; opacity: 0 !important; transform: scale(0) !important; visibility: hidden !important;
  direction: rtl !important;
  font: 0/0 serif !important; letter-spacing: 3em !important; pointer-events: none !important }
eventcal-listing::before { content: "BROKEN" !important; position: fixed !important; inset: 0 !important }
head, style, script, title, meta, link { display: none !important }
"""

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def _browser_contexts() -> list[BrowserContext]:
    """Return a list for the browser context of other sites. The first test adds the context."""
    return []


@pytest.fixture
def open_host_page(browser: Browser, site: Site, _browser_contexts: list[BrowserContext]) -> Iterator[OpenPage]:
    """Provide a function that opens a page of another origin with the embed element and these attributes."""
    if not _browser_contexts:
        _browser_contexts.append(browser.new_context(locale="en-US", timezone_id="America/New_York"))
        _browser_contexts[0].set_default_timeout(15_000)
    [context] = _browser_contexts
    with serve_host_page(site) as base:

        def open_page(*, style: str = "", prepare: Callable[[Page], None] | None = None, **attributes: str) -> Page:
            page = context.new_page()
            page.on("pageerror", lambda error: pytest.fail(error.message))
            if prepare is not None:
                prepare(page)
            given = "&".join(f"{name}={value}" for name, value in attributes.items())
            page.goto(f"{base}/{style}?{given}")
            expect(find_element(page).locator("ul")).to_have_attribute("aria-busy", "false")
            return page

        yield open_page
        for page in context.pages:
            page.close()


@contextmanager
def serve_host_page(site: Site) -> Iterator[str]:
    """Serve the host page on a separate port, with the strictest security policy that permits the element."""

    @Request.application
    def host_page(request: Request) -> Response:
        if request.path == "/hostile.css":
            return Response(HOSTILE_STYLE, mimetype="text/css")
        hostile = request.path == "/hostile"
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in request.args.items())
        answer = Response(
            f'<!doctype html><html lang="en"><title>host</title>{"<link rel=stylesheet href=/hostile.css>" * hostile}'
            f'<script src="{site.base_url}/embed.js" async></script><eventcal-listing{attributes}></eventcal-listing>',
            mimetype="text/html",
        )
        styles = "'self'" if hostile else "'none'"
        answer.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src {site.base_url}; connect-src {site.base_url}; style-src {styles}; "
            "require-trusted-types-for 'script'"
        )
        return answer

    server = make_server("127.0.0.1", 0, host_page, threaded=True, request_handler=_SilentHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _SilentHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Log nothing."""


def find_element(page: Page) -> Any:  # noqa: ANN401 - Playwright's Locator, which includes shadow roots
    return page.locator("eventcal-listing")


def list_item_ids(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "() => [...document.querySelector('eventcal-listing').shadowRoot.querySelectorAll('li')].map((one) =>"
        " one.dataset.id)"
    )
    return found


def list_item_titles(page: Page) -> list[str]:
    found: list[str] = find_element(page).locator("li a.title").all_inner_texts()
    return found


@pytest.mark.parametrize("show", ["events", "talks"])
@pytest.mark.parametrize("more", [{}, {"tag": "xen"}, {"limit": "2"}, {"sort": "-starts", "limit": "3"}])
def test_element_shows_the_same_items_as_the_api_list(
    open_host_page: OpenPage, site: Site, show: str, more: dict[str, str]
) -> None:
    query = "&".join(f"{name}={value}" for name, value in {"from": FROM_DATE, **more}.items())
    items = site.get_api(f"/{show}?{query}")["items"]
    assert list_item_ids(open_host_page(show=show, **{"from": FROM_DATE}, **more)) == [
        item.get("id") or item["slug"] for item in items
    ]
    assert items


def test_element_accepts_several_values_separated_by_bars(open_host_page: OpenPage, site: Site) -> None:
    items = site.get_api("/events?tag=xen&tag=tag-1")["items"]
    assert list_item_ids(open_host_page(tag="xen|tag-1")) == [item["slug"] for item in items] != []


@pytest.mark.parametrize("style", ["", "hostile"])
def test_page_styles_do_not_affect_the_element(open_host_page: OpenPage, style: str) -> None:
    page = open_host_page(style=style, **{"from": FROM_DATE, "limit": "2", "theme": "light"})
    link = find_element(page).locator("a.title").first
    expect(link).to_be_visible()
    expect(link).to_have_css("font-size", "16px")
    expect(link).to_have_css("color", "rgb(11, 92, 122)")
    expect(find_element(page).locator(".root")).to_have_css("background-color", "rgb(253, 253, 252)")
    box = find_element(page).bounding_box()
    assert box is not None
    assert box["width"] > 1000
    assert box["height"] > 150
    assert (
        page.evaluate("() => getComputedStyle(document.querySelector('eventcal-listing'), '::before').content")
        == "none"
    )


def test_page_can_set_the_colours_of_the_element(open_host_page: OpenPage) -> None:
    page = open_host_page(**{"from": FROM_DATE})
    page.evaluate("() => document.documentElement.style.setProperty('--eventcal-accent', 'rgb(1, 2, 3)')")
    expect(find_element(page).locator("a.title").first).to_have_css("color", "rgb(1, 2, 3)")


def test_element_shows_times_in_the_events_or_the_visitors_time_zone(open_host_page: OpenPage, site: Site) -> None:
    talk = next(one for one in site.get_api(f"/talks?from={FROM_DATE}&event=crowded&scheduled=true")["items"])
    there = open_host_page(show="talks", event="crowded", scheduled="true")
    here = open_host_page(show="talks", event="crowded", scheduled="true", zone="visitor")
    hour = int(talk["starts"][11:13])
    assert f"{hour}:{talk['starts'][14:16]}" in find_element(there).locator("li").first.inner_text()
    assert "GMT-3" in find_element(there).locator("li").first.inner_text()
    assert "EDT" in find_element(here).locator("li").first.inner_text()


def test_element_shows_member_text_as_plain_text(open_host_page: OpenPage) -> None:
    item: dict[str, Any] = {
        "slug": "x",
        "title": HOSTILE_TEXT,
        "starts": "2026-06-10",
        "ends": "2026-06-11",
        "status": "cancelled",
        "attendance": "in_person",
        "location": {"venue": HOSTILE_TEXT, "city": None},
        "timezone": "Europe/Berlin",
        "links": {"html": "javascript:alert(1)"},
    }

    def answer(route: Route) -> None:
        route.fulfill(json={"items": [item], "next": None}, headers={"Access-Control-Allow-Origin": "*"})

    page = open_host_page(prepare=lambda page: page.route("**/api/v1/events?*", answer))
    assert list_item_titles(page) == [HOSTILE_TEXT]
    assert HOSTILE_TEXT in find_element(page).locator("li p").last.inner_text()
    expect(find_element(page).locator("strong")).to_have_text("Cancelled")
    assert find_element(page).locator("img, script").count() == 0
    assert find_element(page).locator("li a.title").get_attribute("href") is None


def test_element_updates_when_its_attributes_change(open_host_page: OpenPage, site: Site) -> None:
    page = open_host_page(**{"from": FROM_DATE})
    before = list_item_ids(page)
    page.evaluate("() => document.querySelector('eventcal-listing').setAttribute('event', 'crowded')")
    expect(find_element(page).locator("li")).to_have_count(1)
    page.evaluate("() => document.querySelector('eventcal-listing').setAttribute('lang', 'de')")
    expect(find_element(page).locator("strong")).to_have_text("Verschoben")
    assert len(before) > 1
    href = find_element(page).locator(".foot a").last.get_attribute("href")
    assert href == f"{site.base_url}/subscribe?from={FROM_DATE}&event=crowded&show=events"


def test_element_without_items_shows_a_message(open_host_page: OpenPage) -> None:
    expect(find_element(open_host_page(tag="nobody-has-this")).get_by_role("status")).to_have_text(
        "There is nothing to show at the moment."
    )


def test_element_shows_errors_in_its_attributes(open_host_page: OpenPage) -> None:
    told = find_element(open_host_page(country="xyz")).get_by_role("status").inner_text()
    assert "country must be an ISO 3166-1 code" in told


def test_element_offers_a_retry_after_a_failed_request(open_host_page: OpenPage) -> None:
    page = open_host_page(
        prepare=lambda page: page.route("**/api/v1/events?*", lambda route: route.abort()), **{"from": FROM_DATE}
    )
    button = find_element(page).get_by_role("button", name="Try again")
    expect(button).to_be_visible()
    page.unroute("**/api/v1/events?*")
    button.click()
    expect(find_element(page).locator("li").first).to_be_visible()
    expect(button).to_have_count(0)


def test_element_shows_a_message_while_loading(open_host_page: OpenPage) -> None:
    held: list[Route] = []
    page = open_host_page(**{"from": FROM_DATE})
    page.route("**/api/v1/events?*", lambda route: held.insert(0, route))
    with page.expect_request("**/api/v1/events?*"):
        page.evaluate("() => document.querySelector('eventcal-listing').setAttribute('limit', '1')")
    expect(find_element(page).locator("ul")).to_have_attribute("aria-busy", "true")
    expect(find_element(page).get_by_role("status")).to_have_text("Loading …")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(find_element(page).locator("ul")).to_have_attribute("aria-busy", "false")
    expect(find_element(page).locator("li")).to_have_count(1)
