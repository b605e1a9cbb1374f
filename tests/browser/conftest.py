"""Fixtures for the browser and the site of each worker, and for visits to pages."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import find_chromium, run_chromium
from tests.browser.probes.zones import TOKYO_TIMEZONE
from tests.browser.site import Site, serve_site
from tests.browser.visit import WIDE_WINDOW, Visit
from tests.npm import install_packages

ENGLISH_LOCALE, GERMAN = "en-GB", "de-DE"

OpenVisit = Callable[..., Visit]
# Open pages by language and time zone, each in a separate browser context.
PagesByVisitor = dict[tuple[str, str], Page]


@pytest.fixture(scope="session", name="site")
def _site(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the site to all tests of a worker. Tests must not change the site."""
    database = tmp_path_factory.mktemp("site") / "eventcal.db"
    shutil.copyfile(_sqlite_template, database)
    with serve_site(database) as served:
        yield served


@pytest.fixture(scope="session")
def _browser_and_loop() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """Provide the browser of a worker, and the event loop that runs calls to the browser."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("chromium is not installed: no page is looked at in a browser")
    with run_chromium(chromium) as browser:
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield browser, loop
        asyncio._set_running_loop(loop)


@pytest.fixture
def browser(_browser_and_loop: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """Provide the browser for one test.

    Between tests, the event loop of the browser must not be set as running, because other tests run event loops.
    """
    browser, loop = _browser_and_loop
    asyncio._set_running_loop(loop)
    yield browser
    asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def _open_pages() -> PagesByVisitor:
    """Return the open pages of a worker.

    Opening a page in a new context takes several times as long as navigating to another URL in an open page.
    """
    return {}


@pytest.fixture
def open_visit(
    browser: Browser, site: Site, _open_pages: PagesByVisitor, axe_source: Callable[[], str]
) -> Iterator[OpenVisit]:
    """Provide a function that opens a page by its name in ALL_PAGES, signed in if the page requires it.

    The default visitor reads English and is in Tokyo, a time zone that no event has. Tests share windows, but neither
    cookies nor caches. A browser error fails the test.
    """
    visits: dict[tuple[str, str], Visit] = {}

    def forget_crashed_page(crashed: Page) -> None:
        for kind in [kind for kind, page in _open_pages.items() if page is crashed]:
            del _open_pages[kind]

    def open_page(
        name: str, *, width: int = WIDE_WINDOW, locale: str = ENGLISH_LOCALE, timezone_id: str = TOKYO_TIMEZONE
    ) -> Visit:
        kind = (locale, timezone_id)
        assert kind not in visits, "a test has one window for each kind of visitor"
        if kind not in _open_pages:
            context = browser.new_context(base_url=site.base_url, locale=locale, timezone_id=timezone_id)
            context.set_default_timeout(15_000)
            _open_pages[kind] = context.new_page()
            _open_pages[kind].on("crash", forget_crashed_page)
        site.sign_in(_open_pages[kind].context, name)
        visits[kind] = Visit(_open_pages[kind], site, axe_source)
        visits[kind].open(name, width=width)
        return visits[kind]

    yield open_page
    for one in visits.values():
        one.wait_until_idle()
        one.close()
    assert [complaint for one in visits.values() for complaint in one.browser_errors] == []


@pytest.fixture(scope="session")
def axe_source(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Provide a function that returns the source of axe-core, or skips the test if npm is missing."""

    @cache
    def read_axe_source() -> str:
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            pytest.skip("node or npm is not installed: axe-core looks at nothing here")
        folder = install_packages(Path(__file__).parent, tmp_path_factory, npm=npm)
        return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")

    return read_axe_source
