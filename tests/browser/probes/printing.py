"""Printed pages."""

from tests.browser.visit import Visit

PAPER_WIDTH = 794


def print_shows_only_the_content(visit: Visit) -> None:
    """Check that the header and footer of the site are not printed."""
    visit.reset(width=PAPER_WIDTH)
    visit.page.emulate_media(media="print")
    assert visit.page.get_by_role("banner").count() == 0
    assert visit.page.get_by_role("contentinfo").count() == 0
    assert visit.page.locator("h1").is_visible()
