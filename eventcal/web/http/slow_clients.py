"""Measures against clients that send requests or receive responses slowly."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from eventcal.web.http.body_reader import has_unfinished_read

if TYPE_CHECKING:
    from _typeshed import OptExcInfo

_LARGE_BODY_BYTES = 1024 * 1024
_MAX_RESIDENT_BYTES = 512 * 1024 * 1024
_MEMORY_STATISTICS = Path("/proc/self/statm")
_STATISTICS_BYTES = 200
# The time in seconds that Granian needs at most to send a small response.
_SENDING_SECONDS = 0.005


class SlowClientMiddleware:
    """WSGI middleware that releases the thread of a request before the client has received the response.

    While Granian sends the chunks of an iterator, the thread has to wait for the client; a list is sent without the
    thread.

    Granian keeps a connection open until the body of the request has arrived, even after the response. If the app has
    stopped waiting for the body, the middleware therefore declares one byte more than it sends, which makes Granian
    close the connection. The thread that waits for the body then ends.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(
            status: str, headers: list[tuple[str, str]], exc_info: "OptExcInfo | None" = None, /
        ) -> Callable[[bytes], object]:
            if has_unfinished_read(environ):
                headers = [
                    (name, str(int(value) + 1)) if name.lower() == "content-length" else (name, value)
                    for name, value in headers
                ]
            return start_response(status, headers, exc_info)

        chunks = self._app(environ, start)
        body = chunks if isinstance(chunks, list) else _receive_all(chunks)
        return _send_and_wait(body) if has_unfinished_read(environ) else body


def has_memory_for(body: bytes) -> bool:
    """Return whether a body may be sent now. Granian copies a body, and keeps the copy until the client has it.

    Small bodies may always be sent. Without /proc, the memory of the process is not limited.
    """
    if len(body) <= _LARGE_BODY_BYTES:
        return True
    statistics = _open_memory_statistics()
    if statistics is None:
        return True
    resident_pages = int(os.pread(statistics, _STATISTICS_BYTES, 0).split()[1])
    return resident_pages * os.sysconf("SC_PAGE_SIZE") + len(body) <= _MAX_RESIDENT_BYTES


@cache
def _open_memory_statistics() -> int | None:
    """Return the open file with the memory of this process. Opening the file takes five times as long as reading it."""
    try:
        return os.open(_MEMORY_STATISTICS, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _receive_all(chunks: Iterable[bytes]) -> list[bytes]:
    try:
        return list(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


def _send_and_wait(body: list[bytes]) -> Iterator[bytes]:
    """Yield the body, and give Granian the time to send the body before the connection is closed."""
    yield from body
    time.sleep(_SENDING_SECONDS)
