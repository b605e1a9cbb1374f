from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.screenshots import take_screenshots
from tests.browser.site import Site


def test_take_saves_wide_narrow_and_printed_pictures_of_a_public_page(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    take_screenshots(browser, site, tmp_path, names=["talk"])
    begins = {one.name: one.read_bytes()[:4] for one in tmp_path.iterdir()}
    assert begins == {
        "talk-wide.png": b"\x89PNG",
        "talk-narrow.png": b"\x89PNG",
        "talk-print.png": b"\x89PNG",
        "talk.pdf": b"%PDF",
    }
