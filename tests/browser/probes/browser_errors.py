"""Checks for script errors, requests to other sites, and failed requests."""

from tests.browser.visit import Visit


def page_reloads(visit: Visit) -> None:
    """Reload the page in dark mode, so that the browser revalidates its cache. Recorded browser errors remain."""
    visit.reset(scheme="dark")
    visit.page.reload(wait_until="load")
    visit.wait_until_idle()


def browser_reports_no_errors(visit: Visit) -> None:
    """Check that the browser has reported no errors since the page was opened."""
    visit.wait_until_idle()
    complaints = list(visit.browser_errors)
    visit.browser_errors.clear()
    assert complaints == []
