"""A browser and a site for each worker, and visits to the pages of the site."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import find_chromium, started
from tests.browser.probes.zones import TOKYO
from tests.browser.visit import WIDE, Visit
from tests.browser.world import Site, site
from tests.npm import installed

ENGLISH, GERMAN = "en-GB", "de-DE"

Visitor = Callable[..., Visit]
# An open page in its own context for each kind of visitor: language and time zone.
Pages = dict[tuple[str, str], Page]


@pytest.fixture(scope="session", name="site")
def _site(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the site on the loopback interface to all tests of a worker, which only read."""
    database = tmp_path_factory.mktemp("site") / "eventcal.db"
    shutil.copyfile(_sqlite_template, database)
    with site(database) as served:
        yield served


@pytest.fixture(scope="session")
def _running_browser() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """Start the browser of a worker. Provides it with the event loop that its calls run on."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("chromium is not installed: no page is looked at in a browser")
    with started(chromium) as browser:
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield browser, loop
        asyncio._set_running_loop(loop)


@pytest.fixture
def browser(_running_browser: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """Provide the browser for one test.

    Between calls, its event loop counts as running in this thread, and later tests may run one of their own.
    """
    browser, loop = _running_browser
    asyncio._set_running_loop(loop)
    yield browser
    asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def _pages() -> Pages:
    """Return the open pages of a worker.

    Opening one, with its context, takes several times as long as navigating to another URL in it.
    """
    return {}


@pytest.fixture
def visit(browser: Browser, site: Site, _pages: Pages, axe: Callable[[], str]) -> Iterator[Visitor]:
    """Provide a function that opens a page by its name in ALL, signed in if the page requires it.

    By default, the visitor reads English in Tokyo, in a time zone that no event has. Tests share windows, but neither
    cookies nor caches. Any complaint of the browser fails the test.
    """
    visits: dict[tuple[str, str], Visit] = {}

    def forget(crashed: Page) -> None:
        for kind in [kind for kind, page in _pages.items() if page is crashed]:
            del _pages[kind]

    def open_page(name: str, *, width: int = WIDE, locale: str = ENGLISH, timezone_id: str = TOKYO) -> Visit:
        kind = (locale, timezone_id)
        assert kind not in visits, "a test has one window for each kind of visitor"
        if kind not in _pages:
            context = browser.new_context(base_url=site.base, locale=locale, timezone_id=timezone_id)
            context.set_default_timeout(15_000)
            _pages[kind] = context.new_page()
            _pages[kind].on("crash", forget)
        site.sign_in(_pages[kind].context, name)
        visits[kind] = Visit(_pages[kind], site, axe)
        visits[kind].open(name, width=width)
        return visits[kind]

    yield open_page
    for one in visits.values():
        one.settle()
        one.close()
    assert [complaint for one in visits.values() for complaint in one.complaints] == []


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Return a function that returns the source of axe-core, or skips the test if npm is missing."""

    @cache
    def source() -> str:
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            pytest.skip("node or npm is not installed: axe-core looks at nothing here")
        folder = installed(Path(__file__).parent, tmp_path_factory, npm=npm)
        return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")

    return source
