"""Pictures of every page, to be looked at by people; BROWSER_PICTURES names the folder that keeps them."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.paths import every_document, every_page

LOOKS: dict[str, tuple[int, Literal["light", "dark"]]] = {
    "1200": (1200, "light"),
    "360": (360, "light"),
    "dark": (1200, "dark"),
    "360-dark": (360, "dark"),
}


@every_document
@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_pictures_are_kept_of_every_page(visit: Visitor, pictures: Path, name: str, locale: str) -> None:
    opened = visit(name, locale=locale)
    for look, (width, scheme) in LOOKS.items():
        opened.page.set_viewport_size({"width": width, "height": 900})
        opened.page.emulate_media(color_scheme=scheme)
        path = pictures / f"{name}-{look}-{locale[:2]}.png"
        assert opened.page.screenshot(path=path, full_page=True).startswith(b"\x89PNG")


@every_page
def test_on_paper_a_page_is_what_it_says_without_ways_elsewhere(visit: Visitor, pictures: Path, name: str) -> None:
    opened = visit(name, width=794)
    opened.page.emulate_media(media="print")
    expect(opened.page.get_by_role("banner")).to_have_count(0)
    expect(opened.page.get_by_role("contentinfo")).to_have_count(0)
    expect(opened.page.locator("h1")).to_be_visible()
    opened.page.screenshot(path=pictures / f"{name}-print.png", full_page=True)
    assert opened.page.pdf(path=pictures / f"{name}.pdf", format="A4").startswith(b"%PDF")
