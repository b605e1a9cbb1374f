"""Rendered response bodies with their headers."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from eventcal.web.http.content_encoding import COMPRESSORS, IDENTITY


class Origin(Protocol):
    """What a body was made of, kept beside it so that the next one is made from it."""

    def weight(self) -> int:
        """Return about how many bytes this holds."""


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """A finished body and all that is said of it. Each encoding is made once, when somebody first takes it.

    `dataclasses.replace` keeps the encodings: give new ones to another body.

    etag: names the version, without quotes and without a suffix for the encoding.
    last_modified: never goes backwards; None where nobody knows.
    filename: what a download is called, or None; reduced to safe ASCII.
    link: the Link header of a page of a list.
    counted: what fetches of it are counted under; None where nobody counts.
    language: the one that it is in, where others get it in theirs under the same URL.
    extra: headers that go with it, whether it is sent or not.
    compressible: whether it is sent in another coding to a caller who likes that.
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
    compressible: bool = True
    origin: Origin | None = field(default=None, repr=False, compare=False)
    encodings: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def encoded(self, coding: str) -> bytes:
        """Return the body in a coding: br, zstd, gzip or identity."""
        if coding == IDENTITY:
            return self.body
        # Whoever comes while it is being made waits for it: cheaper than making it twice.
        with self.lock:
            if coding not in self.encodings:
                self.encodings[coding] = COMPRESSORS[coding](self.body)
            return self.encodings[coding]

    def weight(self) -> int:
        """Return about how many bytes this holds by now."""
        bodies = [self.body, *self.encodings.values()]
        return sum(len(body) for body in bodies) + (self.origin.weight() if self.origin else 0)
