"""The command `python -m tests.browser.screenshots FOLDER`, which takes screenshots of all pages for visual review.

Each page is shown in a wide and a narrow window. Public pages are also shown as printed.
"""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from eventcal.kit.migrate import upgrade
from tests.browser.chromium import find_chromium, run_chromium
from tests.browser.page_list import ALL_PAGES, PUBLIC_PAGES
from tests.browser.probes.printing import PAPER_WIDTH
from tests.browser.site import Site, serve_site
from tests.browser.visit import NARROW_WINDOW, WIDE_WINDOW, Scheme, Visit

# The two variants cover both window widths, both languages and both colour schemes.
WINDOW_VARIANTS: dict[str, tuple[int, Scheme, str]] = {
    "wide": (WIDE_WINDOW, "light", "en-GB"),
    "narrow": (NARROW_WINDOW, "dark", "de-DE"),
}


def take_screenshots(browser: Browser, site: Site, folder: Path, *, names: Iterable[str] = ALL_PAGES) -> None:
    """Take screenshots of the named pages."""
    names = list(names)
    for look, (width, scheme, locale) in WINDOW_VARIANTS.items():
        context = browser.new_context(base_url=site.base_url, locale=locale, timezone_id="UTC")
        visit = Visit(context.new_page(), site)
        for name in names:
            site.sign_in(context, name)
            visit.open(name, width=width, scheme=scheme)
            visit.page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
            if look == "wide" and name in PUBLIC_PAGES:
                _take_printed_screenshots(visit, folder / name)
        context.close()


def _take_printed_screenshots(visit: Visit, path: Path) -> None:
    visit.reset(width=PAPER_WIDTH)
    visit.page.emulate_media(media="print")
    visit.page.screenshot(path=f"{path}-print.png", full_page=True)
    visit.page.pdf(path=f"{path}.pdf", format="A4")


def main() -> None:
    """Serve the site of the browser tests and take screenshots of all pages."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("Install Debian's chromium first: apt-get install chromium")
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with TemporaryDirectory() as made:
        database = Path(made) / "eventcal.db"
        upgrade(f"sqlite:///{database}")
        with serve_site(database) as served, run_chromium(chromium) as browser:
            take_screenshots(browser, served, folder)
    sys.stdout.write(f"{len(list(folder.iterdir()))} pictures in {folder}\n")


if __name__ == "__main__":
    main()
