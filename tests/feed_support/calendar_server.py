"""A real web server on the loopback that serves calendars, well or badly, as it is told."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from flask import Flask

GOOD_HEADERS = {
    "Content-Type": "text/calendar; charset=utf-8",
    "ETag": '"1"',
    "Last-Modified": "Sun, 01 Mar 2026 12:00:00 GMT",
    "Cache-Control": "public, max-age=300",
}


@dataclass
class Page:
    """What is served at a path: how a GET is answered; 304 where a condition holds; HEAD as GET if `head` says so.

    `cut` ends the connection before the last octets; `pause` is how many seconds pass before each of them.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: dict(GOOD_HEADERS))
    conditional: bool = True
    head: bool = True
    cut: int = 0
    pause: float = 0


@dataclass
class CalendarServer:
    """Serves `pages` by path, and keeps what was asked: method and path of each request."""

    base: str
    pages: dict[str, Page]
    asked: list[tuple[str, str]]

    def serve(self, path: str, page: Page) -> str:
        """Serve a page, and give its URL."""
        self.pages[path] = page
        return self.base + path


@contextmanager
def calendar_server() -> Iterator[CalendarServer]:
    """Give a server without pages that runs until the end of the block."""
    pages: dict[str, Page] = {}
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(pages.get(self.path, Page(status=404)))

        def do_HEAD(self) -> None:
            page = pages.get(self.path, Page(status=404))
            self._answer(page if page.head else Page(status=405))

        def _answer(self, page: Page) -> None:
            asked.append((self.command, self.path))
            holds = "If-None-Match" in self.headers or "If-Modified-Since" in self.headers
            self.send_response(304 if page.conditional and holds and page.status == 200 else page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            if self.command == "GET" and not (holds and page.conditional):
                self._write(page.body[: len(page.body) - page.cut], page.pause)

        def _write(self, body: bytes, pause: float) -> None:
            if not pause:
                self.wfile.write(body)
                return
            with suppress(ConnectionError):
                for octet in body:
                    time.sleep(pause)
                    self.wfile.write(bytes([octet]))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, _running(server):
        yield CalendarServer(f"http://127.0.0.1:{server.server_address[1]}", pages, asked)


@contextmanager
def app_server(app: Flask) -> Iterator[str]:
    """Give the base URL at which an app is served until the end of the block."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server, _running(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def _running(server: Any) -> Iterator[None]:  # noqa: ANN401 - any of socketserver's
    stop: Callable[[], None] = server.shutdown
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join()
