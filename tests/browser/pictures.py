"""Takes pictures of every page, for review by people: `python -m tests.browser.pictures FOLDER`.

Each page is taken wide and narrow; public pages also as printed.
"""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from eventcal.kit.migrate import upgrade
from tests.browser.chromium import find_chromium, started
from tests.browser.paths import ALL, PAGES
from tests.browser.probes.printing import PAPER_WIDTH
from tests.browser.visit import NARROW, WIDE, Scheme, Visit
from tests.browser.world import Site, site

# Together, they cover every width, language and colour scheme.
LOOKS: dict[str, tuple[int, Scheme, str]] = {"wide": (WIDE, "light", "en-GB"), "narrow": (NARROW, "dark", "de-DE")}


def take(browser: Browser, site: Site, folder: Path, *, names: Iterable[str] = ALL) -> None:
    """Take pictures of the given pages into a folder."""
    names = list(names)
    for look, (width, scheme, locale) in LOOKS.items():
        context = browser.new_context(base_url=site.base, locale=locale, timezone_id="UTC")
        visit = Visit(context.new_page(), site)
        for name in names:
            site.sign_in(context, name)
            visit.open(name, width=width, scheme=scheme)
            visit.page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
            if look == "wide" and name in PAGES:
                _take_printed(visit, folder / name)
        context.close()


def _take_printed(visit: Visit, path: Path) -> None:
    visit.reset(width=PAPER_WIDTH)
    visit.page.emulate_media(media="print")
    visit.page.screenshot(path=f"{path}-print.png", full_page=True)
    visit.page.pdf(path=f"{path}.pdf", format="A4")


def main() -> None:
    """Serve the site of the browser tests, and take pictures of all its pages into the given folder."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("Install Debian's chromium first: apt-get install chromium")
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with TemporaryDirectory() as made:
        database = Path(made) / "eventcal.db"
        upgrade(f"sqlite:///{database}")
        with site(database) as served, started(chromium) as browser:
            take(browser, served, folder)
    sys.stdout.write(f"{len(list(folder.iterdir()))} pictures in {folder}\n")


if __name__ == "__main__":
    main()
