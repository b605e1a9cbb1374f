"""Rendered response bodies with their headers."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from eventcal.web.http.content_encoding import COMPRESSORS, IDENTITY


class RenderSource(Protocol):
    """The source of a rendered body, from which the next version can be rendered incrementally."""

    def memory_size(self) -> int:
        """Return the approximate size in bytes."""


@dataclass(frozen=True, kw_only=True)
class Representation:
    """A rendered response body with its headers. Each content encoding is computed once, when it is first requested.

    `dataclasses.replace` keeps the encodings, so pass new ones together with another body.

    etag: the version, without quotes and without the suffix for the content encoding.
    last_modified: never decreases for a URL; None if unknown.
    filename: the file name for downloads, or None; reduced to safe ASCII characters when sent.
    link: the Link header of a page of a list.
    fetch_key: the key under which fetches are counted, or None if they are not counted.
    language: the language of the body if the URL is served in several languages, otherwise None.
    extra_headers: additional headers, sent with 200 and 304 responses.
    compressible: whether the body may be sent compressed.
    """

    body: bytes
    media_type: str
    etag: str
    last_modified: datetime | None
    cache_control: str
    filename: str | None = None
    link: str | None = None
    fetch_key: str | None = None
    language: str | None = None
    extra_headers: tuple[tuple[str, str], ...] = ()
    compressible: bool = True
    source: RenderSource | None = field(default=None, repr=False, compare=False)
    encodings: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def encoded_body(self, coding: str) -> bytes:
        """Return the body in a content encoding: br, zstd, gzip or identity."""
        if coding == IDENTITY:
            return self.body
        # Concurrent requests wait for the first one, which is cheaper than compressing twice.
        with self.lock:
            if coding not in self.encodings:
                self.encodings[coding] = COMPRESSORS[coding](self.body)
            return self.encodings[coding]

    def memory_size(self) -> int:
        """Return the approximate size in bytes, including the encodings computed so far."""
        bodies = [self.body, *self.encodings.values()]
        return sum(len(body) for body in bodies) + (self.source.memory_size() if self.source else 0)
