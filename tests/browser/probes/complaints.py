"""The browser reports no errors: no script error, no request to another site, and no failed request."""

from tests.browser.visit import Visit


def page_loads_again(visit: Visit) -> None:
    """Load the page again in dark mode, so that the browser revalidates its cache. Complaints are kept."""
    visit.reset(scheme="dark")
    visit.page.reload(wait_until="load")
    visit.settle()


def browser_does_not_complain(visit: Visit) -> None:
    """Check the complaints since the page was opened."""
    visit.settle()
    complaints = list(visit.complaints)
    visit.complaints.clear()
    assert complaints == []
