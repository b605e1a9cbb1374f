"""Checks for keyboard navigation."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from tests.browser.visit import NARROW_WINDOW, WIDE_WINDOW, Visit

_MAX_TAB_STOPS = 500

# All elements at which Tab must stop, in document order.
_FIND_STOPS_SCRIPT = """() => {
  const can = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]';
  const isChosen = (one) => {
    const group = [...document.querySelectorAll('input[type=radio]')].filter((each) => each.name === one.name);
    return one === (group.find((each) => each.checked) ?? group[0]);
  };
  window.stops = [...document.querySelectorAll(can)].filter((one) =>
    !one.disabled && one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }) &&
    (one.type !== 'radio' || isChosen(one)));
  return window.stops.length;
}"""
_READ_STOP_SCRIPT = """() => {
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return null;
  const style = getComputedStyle(one);
  const box = one.getClientRects()[0] ?? one.getBoundingClientRect();
  // The middle of its part within the window: a large field may extend beyond.
  const [upper, lower] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
  const [x, y] = [box.left + box.width / 2, (upper + lower) / 2];
  const top = document.elementFromPoint(x, y);
  return {
    number: window.stops ? window.stops.indexOf(one) : -1,
    name: `${one.localName} ${one.getAttribute('href') ?? one.name ?? ''} "${one.textContent.trim().slice(0, 40)}"`,
    href: one.href ?? null,
    inMain: one.closest('main') !== null,
    inHeader: one.closest('header.site') !== null,
    // A frame shows the focus inside.
    marked: one.localName === 'iframe' || style.boxShadow !== 'none' ||
      (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2),
    uncovered: top !== null && (one.contains(top) || top.contains(one)),
  };
}"""
# Elements that CSS may display in an order that differs from the document order.
_FIND_REORDERED_SCRIPT = """() => [...document.querySelectorAll('body *')]
  .filter((one) => {
    const style = getComputedStyle(one);
    return style.order !== '0' || style.flexDirection.endsWith('reverse');
  })
  .map((one) => one.outerHTML.slice(0, 120))"""
# All visible links, beginning with those in the main element.
_LIST_LINKS_SCRIPT = """() => {
  const seen = [...document.links].filter((one) => one.checkVisibility({ visibilityProperty: true }));
  return [...seen.filter((one) => one.closest('main')), ...seen.filter((one) => !one.closest('main'))]
    .map((one) => one.href);
}"""


@dataclass(frozen=True)
class TabStop:
    """An element at which Tab stopped.

    `number` is the position among all elements at which Tab must stop, or -1.
    `marked` is true if the focus is visible.
    `uncovered` is true if no other element covers this element.
    """

    number: int
    name: str
    href: str | None
    inMain: bool  # noqa: N815 - the name in JavaScript
    inHeader: bool  # noqa: N815 - as above
    marked: bool
    uncovered: bool


def press_tab(visit: Visit) -> TabStop | None:
    """Press Tab and return the focused element, or None if the focus has left the page."""
    visit.page.keyboard.press("Tab")
    found: dict[str, Any] | None = visit.evaluate(_READ_STOP_SCRIPT)
    return None if found is None else TabStop(**found)


def iter_tab_stops(visit: Visit) -> Iterator[TabStop]:
    """Press Tab until the focus leaves the page, and yield each stop.

    A field with several parts, such as a date field, is yielded once.
    """
    first = last = None
    for _ in range(_MAX_TAB_STOPS):
        stop = press_tab(visit)
        if stop is None or (stop == first and stop != last):
            return
        if stop != last:
            yield stop
        first, last = first or stop, stop
    raise AssertionError(f"Tab stopped more than {_MAX_TAB_STOPS} times at {visit.page.url}")


def tab_order_is_complete_and_visible(visit: Visit) -> None:
    visit.reset(width=NARROW_WINDOW)
    number: int = visit.evaluate(_FIND_STOPS_SCRIPT)
    stops = list(iter_tab_stops(visit))
    # Tab may also stop at scrollable elements, and several times in a date field.
    assert [at for at, _ in groupby(stop.number for stop in stops if stop.number >= 0)] == list(range(number))
    assert [stop.name for stop in stops if not stop.marked] == []
    assert [stop.name for stop in stops if not stop.uncovered] == []


def visual_order_is_document_order(visit: Visit) -> None:
    """Check in a narrow and a wide window that CSS does not reorder elements."""
    for width in (NARROW_WINDOW, WIDE_WINDOW):
        visit.reset(width=width)
        assert visit.evaluate(_FIND_REORDERED_SCRIPT) == [], f"{width} px"


def skip_link_comes_first_and_skips_the_header(visit: Visit) -> None:
    visit.reset()
    first = press_tab(visit)
    assert first is not None
    assert (first.href or "").endswith("#content")
    assert first.marked
    assert first.uncovered
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**#content")
    after = press_tab(visit)
    visit.evaluate("() => history.replaceState(null, '', location.pathname + location.search)")
    assert after is not None
    assert not after.inHeader
    assert after.inMain or not visit.evaluate("() => document.querySelector('main a[href], main button, main input')")


def enter_follows_a_link(visit: Visit) -> None:
    """Follow the first link to another page, preferably in the main element. The visit ends on the linked page."""
    visit.reset()
    wanted = next(href for href in visit.evaluate(_LIST_LINKS_SCRIPT) if _is_another_page(visit, href))
    assert any(stop.href == wanted for stop in iter_tab_stops(visit)), f"Tab does not stop at a link to {wanted}"
    visit.wait_until_idle()
    with visit.page.expect_navigation() as followed:
        visit.page.keyboard.press("Enter")
    assert followed.value.ok
    assert visit.page.url == wanted


def _is_another_page(visit: Visit, href: str) -> bool:
    there, here = urlsplit(href), urlsplit(visit.page.url)
    is_file = "." in there.path.rpartition("/")[2]
    return there.netloc == here.netloc and (there.path, there.query) != (here.path, here.query) and not is_file
