"""An HTTP server on the loopback interface that serves calendars and can simulate errors."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from flask import Flask

VALID_HEADERS = {
    "Content-Type": "text/calendar; charset=utf-8",
    "ETag": '"1"',
    "Last-Modified": "Sun, 01 Mar 2026 12:00:00 GMT",
    "Cache-Control": "public, max-age=300",
}


@dataclass
class ServedResponse:
    """The response to GET requests for a path. Matching conditional requests receive 304.

    `supports_head` is true if the server supports HEAD requests.
    `omitted_octets` is the number of octets that are missing when the connection closes.
    `octet_delay` is the delay before each of the last octets, in seconds.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: dict(VALID_HEADERS))
    conditional: bool = True
    supports_head: bool = True
    omitted_octets: int = 0
    octet_delay: float = 0


@dataclass
class CalendarServer:
    """Serves `responses` by path, and records the method and path of each request in `requests`."""

    base_url: str
    responses: dict[str, ServedResponse]
    requests: list[tuple[str, str]]

    def serve(self, path: str, page: ServedResponse) -> str:
        """Add a response for a path and return its URL."""
        self.responses[path] = page
        return self.base_url + path


@contextmanager
def run_calendar_server() -> Iterator[CalendarServer]:
    """Provide a server without responses that runs until the end of the block."""
    pages: dict[str, ServedResponse] = {}
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(pages.get(self.path, ServedResponse(status=404)))

        def do_HEAD(self) -> None:
            page = pages.get(self.path, ServedResponse(status=404))
            self._answer(page if page.supports_head else ServedResponse(status=405))

        def _answer(self, page: ServedResponse) -> None:
            asked.append((self.command, self.path))
            holds = "If-None-Match" in self.headers or "If-Modified-Since" in self.headers
            self.send_response(304 if page.conditional and holds and page.status == 200 else page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            if self.command == "GET" and not (holds and page.conditional):
                self._write(page.body[: len(page.body) - page.omitted_octets], page.octet_delay)

        def _write(self, body: bytes, pause: float) -> None:
            if not pause:
                self.wfile.write(body)
                return
            with suppress(ConnectionError):
                for octet in body:
                    time.sleep(pause)
                    self.wfile.write(bytes([octet]))

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, _run_in_thread(server):
        yield CalendarServer(f"http://127.0.0.1:{server.server_address[1]}", pages, asked)


@contextmanager
def run_app_server(app: Flask) -> Iterator[str]:
    """Serve an app until the end of the block and provide its base URL."""

    class SilentHandler(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with make_server("127.0.0.1", 0, app, handler_class=SilentHandler) as server, _run_in_thread(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def _run_in_thread(server: Any) -> Iterator[None]:  # noqa: ANN401 - any server of socketserver
    stop: Callable[[], None] = server.shutdown
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join()
