"""A check that times can be shown in the time zone of the visitor."""

from tests.browser.visit import Visit

TOKYO_TIMEZONE = "Asia/Tokyo"
ZONE_LINK_TEXT = "in my time zone"


def times_are_available_in_the_visitors_zone(visit: Visit) -> None:
    """Follow the link that shows times in the time zone of the visitor. Pages without times have no such link."""
    visit.reset()
    link = visit.page.get_by_role("link", name=ZONE_LINK_TEXT)
    if not visit.content.zones:
        assert link.count() == 0
        return
    assert link.count() == 1
    visit.wait_until_idle()
    with visit.page.expect_navigation(wait_until="load"):
        link.click()
    assert set(visit.read_content().zones) == {TOKYO_TIMEZONE}
