"""Finished bodies with all that is said of them, and what of them a worker keeps."""

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from eventcal.web.http.content_encoding import IDENTITY, encode


class Origin(Protocol):
    """What a body was made of, kept beside it so that the next one is made from it."""

    def weight(self) -> int:
        """Return about how many bytes this holds."""


class Encodings:
    """One body's encodings, made as they are asked for. `size` is how many bytes were made."""

    def __init__(self) -> None:
        self.size = 0
        self._made: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def take(self, body: bytes, coding: str) -> bytes:
        """Return the body in a coding: br, zstd or gzip."""
        # Whoever comes while it is being made waits for it: cheaper than making it twice.
        with self._lock:
            if coding not in self._made:
                self._made[coding] = encode(body, coding)
                self.size += len(self._made[coding])
            return self._made[coding]


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """A finished body and all that is said of it. Each encoding is made once, when somebody first takes it.

    etag: names the version, without quotes and without a suffix for the encoding.
    last_modified: never goes backwards; None where nobody knows.
    filename: what a download is called, or None; reduced to safe ASCII.
    link: the Link header of a page of a list.
    counted: what fetches of it are counted under; None where nobody counts.
    language: the one that it is in, where others get it in theirs under the same URL.
    extra: headers that go with it, whether it is sent or not.
    """

    body: bytes
    media_type: str
    etag: str
    last_modified: datetime | None
    cache_control: str
    filename: str | None = None
    link: str | None = None
    counted: str | None = None
    language: str | None = None
    extra: tuple[tuple[str, str], ...] = ()
    origin: Origin | None = field(default=None, repr=False, compare=False)
    encodings: Encodings = field(default_factory=Encodings, init=False, repr=False, compare=False)

    def encoded(self, coding: str) -> bytes:
        """Return the body in a coding: br, zstd, gzip or identity."""
        return self.body if coding == IDENTITY else self.encodings.take(self.body, coding)

    def weight(self) -> int:
        """Return about how many bytes this holds by now."""
        return len(self.body) + self.encodings.size + (self.origin.weight() if self.origin else 0)

    def again(self, *, last_modified: datetime | None, origin: Origin | None) -> "Rendition":
        """Return the same bytes at another state of the data, with the encodings that were made of them."""
        same = replace(self, last_modified=last_modified, origin=origin)
        object.__setattr__(same, "encodings", self.encodings)
        return same
