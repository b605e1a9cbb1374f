"""The command `python -m tests.browser.readme_screenshots FOLDER`, which takes the screenshots of the README.

The demo data is shown at fixed dates, so that a screenshot changes only if its page changes.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from PIL import Image
from playwright.sync_api import Browser

from eventcal.kit.migrate import upgrade
from tests.browser.chromium import find_chromium, run_chromium
from tests.browser.site import load_demo, serve_app

_SUMMIT_SLUG = "xen-project-developer-summit-2014"
# The base URL appears in links on the pages.
_SITE_SETTINGS = {"base_url": "https://events.example.org", "name": "Xen Project events"}
_PALETTE_SIZE = 128


@dataclass(frozen=True)
class ScreenshotSpec:
    """A page in a window of this size, in light or dark mode."""

    path: str
    width: int
    height: int
    scheme: Literal["light", "dark"] = "light"


SCREENSHOTS: Mapping[str, ScreenshotSpec] = {
    "listing": ScreenshotSpec("/", 1100, 760),
    "month": ScreenshotSpec("/?view=month&month=2026-06", 1100, 760, "dark"),
    "event": ScreenshotSpec(f"/events/{_SUMMIT_SLUG}", 1100, 900),
    "phone": ScreenshotSpec(f"/events/{_SUMMIT_SLUG}", 390, 780),
    "subscribe": ScreenshotSpec("/subscribe", 390, 780, "dark"),
}


def take_screenshots(browser: Browser, base: str, folder: Path) -> None:
    """Take all screenshots, and reduce their number of colours to keep the files small."""
    for name, look in SCREENSHOTS.items():
        who: dict[str, Any] = {"locale": "en-GB", "timezone_id": "America/Chicago", "color_scheme": look.scheme}
        context = browser.new_context(viewport={"width": look.width, "height": look.height}, **who)
        page = context.new_page()
        page.goto(base + look.path, wait_until="networkidle")
        shot = Image.open(BytesIO(page.screenshot()))
        shot.convert("RGB").quantize(_PALETTE_SIZE).save(folder / f"{name}.png", optimize=True)
        context.close()


def main() -> None:
    """Serve the demo data and take the screenshots."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    chromium = find_chromium()
    if chromium is None:
        sys.exit("Install Debian's chromium first: apt-get install chromium")
    with TemporaryDirectory() as made:
        database = Path(made) / "eventcal.db"
        upgrade(f"sqlite:///{database}")
        with serve_app(database, **_SITE_SETTINGS) as (app, base), run_chromium(chromium) as browser:
            load_demo(app)
            take_screenshots(browser, base, folder)
    sys.stdout.write(f"{len(SCREENSHOTS)} pictures in {folder}\n")


if __name__ == "__main__":
    main()
