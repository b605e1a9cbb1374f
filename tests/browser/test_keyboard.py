"""Pages by keyboard alone."""

from itertools import groupby
from urllib.parse import urlsplit

from tests.browser.conftest import Visitor
from tests.browser.paths import every_page, every_public_page
from tests.browser.visit import Stop, Visit, places_to_stop, press_tab, tab_through

# Where style could show things in another order than they stand in.
REORDERED = """() => [...document.querySelectorAll('body *')]
  .filter((one) => getComputedStyle(one).order !== '0' || getComputedStyle(one).flexDirection.endsWith('reverse'))
  .map((one) => one.outerHTML.slice(0, 120))"""


@every_public_page
def test_tab_comes_to_the_skip_link_first_and_it_leads_past_the_header(visit: Visitor, name: str) -> None:
    opened = visit(name)
    first = press_tab(opened)
    assert first is not None
    assert (first.href or "").endswith("#content")
    assert first.marked
    assert first.uncovered
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_url("**#content")
    after = press_tab(opened)
    assert after is not None
    assert not after.inHeader
    assert after.inMain or not opened.ask("() => document.querySelector('main a[href], main button, main input')")


@every_page
def test_tab_comes_to_everything_in_the_order_of_the_page_and_one_sees_where_it_is(visit: Visitor, name: str) -> None:
    opened = visit(name, width=360)
    number = places_to_stop(opened)
    stops = list(tab_through(opened))
    # What can be scrolled may be stopped at, too; a field for a date is, once for each of its parts.
    assert [at for at, _ in groupby(stop.number for stop in stops if stop.number >= 0)] == list(range(number))
    assert [stop.name for stop in stops if not stop.marked] == []
    assert [stop.name for stop in stops if not stop.uncovered] == []
    for width in (360, 1200):
        opened.page.set_viewport_size({"width": width, "height": 900})
        assert opened.ask(REORDERED) == []


@every_public_page
def test_enter_follows_a_link(visit: Visitor, name: str) -> None:
    opened = visit(name)
    link = _tab_to_a_link(opened)
    with opened.page.expect_navigation() as followed:
        opened.page.keyboard.press("Enter")
    assert followed.value.ok
    assert opened.page.url == link.href


def _tab_to_a_link(visit: Visit) -> Stop:
    """Give the first link to another page of the site; within what the page says, where there is one."""
    others = [stop for stop in tab_through(visit) if _is_another_page(visit, stop.href)]
    wanted = next((stop for stop in others if stop.inMain), others[0])
    # Once around is where one began; from there to the link again.
    return next(stop for stop in tab_through(visit) if stop.href == wanted.href)


def _is_another_page(visit: Visit, href: str | None) -> bool:
    there, here = urlsplit(href or ""), urlsplit(visit.page.url)
    is_file = "." in there.path.rpartition("/")[2]
    return there.netloc == here.netloc and (there.path, there.query) != (here.path, here.query) and not is_file
