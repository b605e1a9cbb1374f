"""A visit to a page, and what the browser complains of during it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response

from tests.browser.paths import ALL
from tests.browser.world import Site

Json = dict[str, Any]

_MOST_STOPS = 500

# Said of the page itself where its own status is an error, which is what such a page is for.
_STATUS = "Failed to load resource: the server responded with a status of"

# Every place at which Tab is to stop, in the order of the page.
_REMEMBER_STOPS = """() => {
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

_STOP = """() => {
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return null;
  const style = getComputedStyle(one);
  const box = one.getClientRects()[0] ?? one.getBoundingClientRect();
  // The middle of what of it is in the window: a large field may reach beyond.
  const [upper, lower] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
  const [x, y] = [box.left + box.width / 2, (upper + lower) / 2];
  const top = document.elementFromPoint(x, y);
  return {
    number: window.stops ? window.stops.indexOf(one) : -1,
    name: `${one.localName} ${one.getAttribute('href') ?? one.name ?? ''} "${one.textContent.trim().slice(0, 40)}"`,
    href: one.href ?? null,
    inMain: one.closest('main') !== null,
    inHeader: one.closest('header.site') !== null,
    // A frame has the focus within.
    marked: one.localName === 'iframe' || style.boxShadow !== 'none' ||
      (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2),
    uncovered: top !== null && (one.contains(top) || top.contains(one)),
  };
}"""


@dataclass
class Visit:
    """A page that is open. `complaints` grows with what went wrong in the browser."""

    page: Page
    site: Site
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen to everything from the start."""
        self.page.on("console", self._said)
        self.page.on("pageerror", self._failed)
        self.page.on("request", self._asked)
        self.page.on("requestfailed", self._got_nothing)
        self.page.on("response", self._answered)

    def open(self, name: str) -> None:
        """Open a page by its name in ALL, and wait until it is quiet."""
        answer = self.page.goto(self.site.url(name), wait_until="load")
        assert answer is not None
        assert answer.status == ALL[name].status, answer.url
        assert (answer.header_value("Content-Type") or "").startswith("text/html"), answer.url

    def ask(self, script: str, argument: object = None) -> Any:  # noqa: ANN401 - any JSON
        """Give what a JavaScript function says of the page."""
        return self.page.evaluate(script, argument)

    def text(self) -> str:
        """Give what the page says, with every gap as one space."""
        return " ".join(self.page.inner_text("body").split())

    def _said(self, message: ConsoleMessage) -> None:
        about = message.location["url"]
        own_status = message.text.startswith(_STATUS) and about == self.page.url
        if message.type in {"error", "warning"} and not own_status:
            self.complaints.append(f"{self.page.url} {message.type}: {message.text} ({about})")

    def _failed(self, error: Error) -> None:
        self.complaints.append(f"{self.page.url} raised {error.message}")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.site.base).netloc:
            self.complaints.append(f"{self.page.url} asked for {request.url}")

    def _got_nothing(self, request: Request) -> None:
        self.complaints.append(f"{self.page.url} did not get {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self.complaints.append(f"{self.page.url} got {response.status} for {response.url}")


@dataclass(frozen=True)
class Stop:
    """Where Tab stopped.

    number: its place among all that Tab is to stop at, or -1; marked: whether one sees that it has the focus;
    uncovered: whether one sees it at all.
    """

    number: int
    name: str
    href: str | None
    inMain: bool  # noqa: N815 - as JavaScript gives it
    inHeader: bool  # noqa: N815 - as above
    marked: bool
    uncovered: bool


def places_to_stop(visit: Visit) -> int:
    """Give at how many places Tab is to stop, and remember them for what stands at each stop."""
    number: int = visit.ask(_REMEMBER_STOPS)
    return number


def press_tab(visit: Visit) -> Stop | None:
    """Press Tab, and give where it stopped, or None where it left the page."""
    visit.page.keyboard.press("Tab")
    found: Json | None = visit.ask(_STOP)
    return None if found is None else Stop(**found)


def tab_through(visit: Visit) -> Iterator[Stop]:
    """Press Tab until it leaves the page, and give each stop; a field with several stops, such as a date's, is one."""
    first = last = None
    for _ in range(_MOST_STOPS):
        stop = press_tab(visit)
        if stop is None or (stop == first and stop != last):
            return
        if stop != last:
            yield stop
        first, last = first or stop, stop
    raise AssertionError(f"Tab stopped more than {_MOST_STOPS} times at {visit.page.url}")
