"""The browser has nothing to complain about: no error, no request elsewhere, none that fails or is refused."""

from tests.browser.visit import Visit


def page_loads_again(visit: Visit) -> None:
    """Load the page once more, in the dark, so that the browser revalidates what it cached; complaints are kept."""
    visit.reset(scheme="dark")
    visit.page.reload(wait_until="load")
    visit.settle()


def browser_does_not_complain(visit: Visit) -> None:
    """Check the complaints since the page was opened."""
    visit.settle()
    complaints = list(visit.complaints)
    visit.complaints.clear()
    assert complaints == []
