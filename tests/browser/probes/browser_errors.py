"""The browser reports no errors: no script error, no request to another site, and no failed request."""

from tests.browser.visit import Visit


def page_reloads(visit: Visit) -> None:
    """Load the page again in dark mode, so that the browser revalidates its cache. Complaints are kept."""
    visit.reset(scheme="dark")
    visit.page.reload(wait_until="load")
    visit.wait_until_idle()


def browser_reports_no_errors(visit: Visit) -> None:
    """Check the complaints since the page was opened."""
    visit.wait_until_idle()
    complaints = list(visit.browser_errors)
    visit.browser_errors.clear()
    assert complaints == []
