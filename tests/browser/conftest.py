"""A real browser, the site that it visits, and what everybody wants to know of a visit."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import find_chromium, started
from tests.browser.paths import ALL
from tests.browser.visit import Visit
from tests.browser.world import Site, site
from tests.npm import installed

Visitor = Callable[..., Visit]


@pytest.fixture(scope="session", name="site")
def _site(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give the site, served on the loopback to all tests of a worker: they only read."""
    database = tmp_path_factory.mktemp("site") / "eventcal.db"
    shutil.copyfile(_sqlite_template, database)
    with site(database) as served:
        yield served


@pytest.fixture(scope="session")
def _running_browser() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """Give the browser of a worker, and the loop by which it is spoken to."""
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
    """Give the browser, for one test.

    Between calls its loop counts as running in this thread. Tests that come after may want to run one of their own.
    """
    browser, loop = _running_browser
    asyncio._set_running_loop(loop)
    yield browser
    asyncio._set_running_loop(None)


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visitor]:
    """Give a function that opens a page by its name: as a visitor whom nobody has seen, or as whose page it is.

    They read English, in UTC; who else they are is given as Playwright's `new_context` takes it. Whatever the browser
    complains of fails the test.
    """
    with ExitStack() as opened:
        visits: list[Visit] = []

        def open_page(name: str, *, width: int = 1200, **visitor: Any) -> Visit:  # noqa: ANN401 - Playwright's options
            who = {"timezone_id": "UTC", "locale": "en-GB", "viewport": {"width": width, "height": 900}, **visitor}
            context = browser.new_context(base_url=site.base, **who)
            opened.callback(context.close)
            context.set_default_timeout(15_000)
            if (known := ALL[name].who) is not None:
                context.add_cookies([{"name": "eventcal", "value": site.cookies[known], "url": site.base}])
            visits.append(Visit(context.new_page(), site))
            visits[-1].open(name)
            return visits[-1]

        yield open_page
        assert [complaint for one in visits for complaint in one.complaints] == []


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the source of axe-core; skips the test where there is no npm to install it."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node or npm is not installed: axe-core looks at nothing here")
    folder = installed(Path(__file__).parent, tmp_path_factory, npm=npm)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def pictures(pytestconfig: pytest.Config) -> Path:
    """Give the folder for pictures, which stay there: the one that BROWSER_PICTURES names, or build/pictures."""
    folder = Path(os.environ.get("BROWSER_PICTURES") or pytestconfig.rootpath / "build" / "pictures").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
