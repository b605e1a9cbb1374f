"""Pictures of every page, to be looked at by people: kept in build/pictures, or where BROWSER_PICTURES says."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.paths import every_document, every_public_page

# Between them they have every width, language and scheme.
LOOKS: dict[str, tuple[int, Literal["light", "dark"], str]] = {
    "wide": (1200, "light", "en-GB"),
    "narrow": (360, "dark", "de-DE"),
}


@every_document
@pytest.mark.parametrize("look", LOOKS)
def test_pictures_are_kept_of_every_page(visit: Visitor, pictures: Path, name: str, look: str) -> None:
    width, scheme, locale = LOOKS[look]
    opened = visit(name, width=width, locale=locale, color_scheme=scheme)
    kept = pictures / f"{name}-{look}.png"
    assert opened.page.screenshot(path=kept, full_page=True).startswith(b"\x89PNG")


@every_public_page
def test_on_paper_a_page_is_what_it_says_without_ways_elsewhere(visit: Visitor, pictures: Path, name: str) -> None:
    opened = visit(name, width=794)
    opened.page.emulate_media(media="print")
    expect(opened.page.get_by_role("banner")).to_have_count(0)
    expect(opened.page.get_by_role("contentinfo")).to_have_count(0)
    expect(opened.page.locator("h1")).to_be_visible()
    opened.page.screenshot(path=pictures / f"{name}-print.png", full_page=True)
    assert opened.page.pdf(path=pictures / f"{name}.pdf", format="A4").startswith(b"%PDF")
