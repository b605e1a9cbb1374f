"""A visit to a page: the content of the page when it was opened, and the browser errors since then."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response, ViewportSize

from tests.browser.page_list import ALL_PAGES
from tests.browser.site import Site

Scheme = Literal["light", "dark"]

WIDE_WINDOW, NARROW_WINDOW = 1200, 360
WINDOW_HEIGHT = 900

# The console message about a page with an error status. The message is not an error if a test expects the status.
_ERROR_STATUS_MESSAGE = "Failed to load resource: the server responded with a status of"

_READ_CONTENT_SCRIPT = """() => ({
  text: document.body.innerText.split(/\\s+/).filter(Boolean).join(' '),
  links: [...document.links].map((one) => one.href),
  title: document.title,
  language: document.documentElement.lang,
  zones: [...document.querySelectorAll('.zone[data-zone]')].map((one) => one.dataset.zone),
  zoneLabel: document.body.dataset.inMyZone ?? null,
})"""

# After a focused element is removed, Tab continues at the position of the removed element.
_RESET_FOCUS_SCRIPT = """() => {
  const start = document.createElement('span');
  start.tabIndex = -1;
  document.body.prepend(start);
  start.focus({ preventScroll: true });
  start.remove();
  scrollTo(0, 0);
}"""


@dataclass(frozen=True)
class Content:
    """The content and links of a page at one time.

    `text` is the visible text with single spaces.
    `zones` are the time zones of the times on the page.
    `zone_label` is the text of the link that a script adds for visitors in another time zone.
    """

    text: str
    links: list[str]
    title: str
    language: str
    zones: list[str]
    zone_label: str | None


def _missing_axe_source() -> str:
    raise NotImplementedError


@dataclass
class Visit:
    """An open page.

    `axe_source` returns the source of axe-core, or skips the test.
    `browser_errors` are the errors in the browser since the page was opened.
    """

    page: Page
    site: Site
    axe_source: Callable[[], str] = _missing_axe_source
    browser_errors: list[str] = field(default_factory=list)
    _name: str = ""
    _content: Content | None = None
    _is_changed: bool = False
    _pending_requests: set[Request] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Register the listeners."""
        for event, listener in self._listeners():
            self.page.on(event, listener)

    def close(self) -> None:
        """Remove the listeners without closing the page."""
        for event, listener in self._listeners():
            self.page.remove_listener(event, listener)

    def open(self, name: str, *, width: int = WIDE_WINDOW, scheme: Scheme = "light") -> None:
        """Open a page by its name in ALL_PAGES with an empty cache, and read its content."""
        self._name = name
        self._empty_cache()
        self._set_window(width, WINDOW_HEIGHT, scheme)
        answer = self.page.goto(self.url, wait_until="load")
        assert answer is not None
        assert answer.status == ALL_PAGES[name].status, answer.url
        assert (answer.header_value("Content-Type") or "").startswith("text/html"), answer.url
        self.wait_until_idle()
        self._content, self._is_changed = self.read_content(), False

    @property
    def url(self) -> str:
        """Return the URL of the opened page."""
        return self.site.url(self._name)

    @property
    def content(self) -> Content:
        """Return the content of the page when it was opened."""
        assert self._content is not None
        return self._content

    def read_content(self) -> Content:
        """Return the current content of the page."""
        found = self.evaluate(_READ_CONTENT_SCRIPT)
        return Content(zone_label=found.pop("zoneLabel"), **found)

    def evaluate(self, script: str, argument: object = None) -> Any:  # noqa: ANN401 - any JSON
        """Return the result of a JavaScript function that is called on the page."""
        return self.page.evaluate(script, argument)

    def reset(self, *, width: int = WIDE_WINDOW, height: int = WINDOW_HEIGHT, scheme: Scheme = "light") -> None:
        """Show the page in a window of this size, scrolled to the top, with the focus before the first element.

        The page is loaded again if it was changed, or if the window shows another page.
        """
        self._set_window(width, height, scheme)
        if self._is_changed or self.page.url != self.url:
            self.wait_until_idle()
            self.page.goto(self.url, wait_until="load")
            self._is_changed = False
        self.evaluate(_RESET_FOCUS_SCRIPT)

    def mark_changed(self) -> None:
        """Make the next reset reload the page."""
        self._is_changed = True

    def wait_until_idle(self) -> None:
        """Wait until the page has loaded and no request is pending."""
        self.page.wait_for_load_state("load")
        while self._pending_requests:
            self.page.wait_for_timeout(10)

    def _empty_cache(self) -> None:
        session = self.page.context.new_cdp_session(self.page)
        session.send("Network.clearBrowserCache")
        session.detach()

    def _set_window(self, width: int, height: int, scheme: Scheme) -> None:
        size: ViewportSize = {"width": width, "height": height}
        if self.page.viewport_size != size:
            self.page.set_viewport_size(size)
        self.page.emulate_media(media="screen", color_scheme=scheme)

    def _listeners(self) -> tuple[tuple[Any, Callable[[Any], None]], ...]:
        return (
            ("console", self._on_console),
            ("pageerror", self._on_page_error),
            ("request", self._on_request),
            ("requestfinished", self._on_finished),
            ("requestfailed", self._on_failed),
            ("response", self._on_response),
        )

    def _on_console(self, message: ConsoleMessage) -> None:
        about = message.location["url"]
        own_status = message.text.startswith(_ERROR_STATUS_MESSAGE) and about == self.page.url
        if message.type in {"error", "warning"} and not own_status:
            self.browser_errors.append(f"{self.page.url} {message.type}: {message.text} ({about})")

    def _on_page_error(self, error: Error) -> None:
        self.browser_errors.append(f"{self.page.url} raised {error.message}")

    def _on_request(self, request: Request) -> None:
        self._pending_requests.add(request)
        if urlsplit(request.url).netloc != urlsplit(self.site.base_url).netloc:
            self.browser_errors.append(f"{self.page.url} requested {request.url}")

    def _on_finished(self, request: Request) -> None:
        self._pending_requests.discard(request)

    def _on_failed(self, request: Request) -> None:
        # Requests of an earlier visit in the same window may fail late.
        # Leaving a page aborts its requests, including navigation within frames.
        is_own = request.is_navigation_request() and request.frame == self.page.main_frame
        if request in self._pending_requests and (is_own or request.failure != "net::ERR_ABORTED"):
            self.browser_errors.append(f"{self.page.url} did not get {request.url}: {request.failure}")
        self._pending_requests.discard(request)

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self.browser_errors.append(f"{self.page.url} got {response.status} for {response.url}")
