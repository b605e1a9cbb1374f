"""Times can be shown in the visitor's time zone."""

from tests.browser.visit import Visit

TOKYO = "Asia/Tokyo"
IN_MY_ZONE = "in my time zone"


def times_are_available_in_the_visitors_zone(visit: Visit) -> None:
    """Follow the only link to the visitor's time zone, or check that a page without times has none."""
    visit.reset()
    link = visit.page.get_by_role("link", name=IN_MY_ZONE)
    if not visit.content.zones:
        assert link.count() == 0
        return
    assert link.count() == 1
    visit.settle()
    with visit.page.expect_navigation(wait_until="load"):
        link.click()
    assert set(visit.read().zones) == {TOKYO}
