"""Reading request bodies within a time limit.

WSGI servers such as Granian start the app before the body has arrived, and reading the body blocks without a time
limit. The body is therefore read in another thread, and the thread of the request waits for a limited time.
"""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from io import BytesIO
from time import monotonic
from typing import IO
from wsgiref.types import WSGIEnvironment

from werkzeug.exceptions import ClientDisconnected, RequestTimeout

from eventcal.kit.concurrency import ConcurrencyLimiter

_UNFINISHED_READ_KEY = "eventcal.unfinished_read"
_PIECE_BYTES = 16 * 1024
# Reads that have been given up end when their connections are closed, so there can be more reads than requests.
_MAX_READS = 64


@dataclass(frozen=True, kw_only=True)
class ReadTimeouts:
    """The time limits for a body in seconds.

    A body that arrives within `arrived` seconds needs no slot. After that, at least one piece of 16 KiB has to arrive
    every `stall` seconds, and the entire body within `total` seconds plus one second for `bytes_per_second` bytes.
    """

    arrived: float = 0.03
    stall: float = 5.0
    total: float = 10.0
    bytes_per_second: int = 50_000


@dataclass(frozen=True)
class BodyReader:
    """Reads request bodies. Bodies that arrive slowly need a slot of the limiter, with the client address as key."""

    limiter: ConcurrencyLimiter
    timeouts: ReadTimeouts = field(default_factory=ReadTimeouts)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_MAX_READS, thread_name_prefix="body"), repr=False
    )

    def read(
        self, source: IO[bytes], environ: WSGIEnvironment, *, client: str, length: int | None, max_length: int
    ) -> BytesIO:
        """Return the body. `length` is the declared length in bytes, or None if the body is sent in chunks.

        If the read is given up, `has_unfinished_read(environ)` is true.

        Raises:
            ClientDisconnected: the body is shorter than declared
            Overloaded: too many bodies arrive slowly
            RequestTimeout: the body arrives too slowly
        """
        started = monotonic()
        body = _IncomingBody(source, length)
        reading = self._threads.submit(body.read)
        try:
            if not _is_done(reading, self.timeouts.arrived):
                # The slot is released when the read ends, which can be after the end of the request.
                slot = self.limiter.acquire(client)
                reading.add_done_callback(lambda _: slot.close())
                expected = max_length if length is None else length
                deadline = started + self.timeouts.total + expected / self.timeouts.bytes_per_second
                self._wait(reading, body, deadline)
        finally:
            if not reading.done():
                body.is_abandoned = True
                environ[_UNFINISHED_READ_KEY] = reading
        reading.result()
        if length is not None and body.received.tell() < length:
            raise ClientDisconnected
        body.received.seek(0)
        return body.received

    def _wait(self, reading: Future[None], body: "_IncomingBody", deadline: float) -> None:
        before = body.received.tell()
        while not _is_done(reading, min(self.timeouts.stall, max(deadline - monotonic(), 0))):
            if body.received.tell() == before or monotonic() >= deadline:
                raise RequestTimeout
            before = body.received.tell()


def has_unfinished_read(environ: WSGIEnvironment) -> bool:
    """Return whether a response is sent although a thread is still waiting for the body of the request."""
    return _UNFINISHED_READ_KEY in environ


class _IncomingBody:
    """A body of which a part has been received."""

    def __init__(self, source: IO[bytes], length: int | None) -> None:
        self.received = BytesIO()
        self.is_abandoned = False
        self._source, self._length = source, length

    def read(self) -> None:
        missing = self._length
        while not self.is_abandoned and missing != 0:
            piece = self._source.read(_PIECE_BYTES if missing is None else min(missing, _PIECE_BYTES))
            if not piece:
                return
            self.received.write(piece)
            missing = None if missing is None else missing - len(piece)


def _is_done(reading: Future[None], timeout: float) -> bool:
    return bool(wait([reading], timeout).done)
