"""The Chromium package of Debian, started without its background requests."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

_CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Return the path of Chromium, or None if Chromium is not installed."""
    return shutil.which("chromium")


@contextmanager
def run_chromium(chromium: str) -> Iterator[Browser]:
    """Provide a browser that runs until the end of the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_CHROMIUM_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
