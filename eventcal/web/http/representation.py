"""Rendered response bodies with their headers."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from eventcal.web.http.content_encoding import COMPRESSORS, IDENTITY


class RenderSource(Protocol):
    """The data needed to render the next version of a response body incrementally."""

    def memory_size(self) -> int:
        """Return the approximate memory size in bytes."""


@dataclass(frozen=True, kw_only=True)
class Representation:
    """A rendered response body with its headers. Encoded bodies are computed on first use and cached.

    `dataclasses.replace` copies the cached encodings, so a new body must be passed together with new `encodings`.

    `etag` is the entity tag without quotes and without the suffix for the content encoding. `last_modified` is None if
    unknown, and never decreases for a given URL. `link` is the Link header of a paginated list. If `fetch_key` is None,
    fetches are not counted. `language` is set only if the URL is served in several languages. `extra_headers` are sent
    with 200 and 304 responses. `route` is the URL rule of a cached representation, for the metrics.
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
    route: str = ""
    compressible: bool = True
    source: RenderSource | None = field(default=None, repr=False, compare=False)
    encodings: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def encoded_body(self, coding: str) -> bytes:
        if coding == IDENTITY:
            return self.body
        # Waiting for another thread is cheaper than compressing the body twice.
        with self.lock:
            if (body := self.encodings.get(coding)) is None:
                body = self.encodings[coding] = COMPRESSORS[coding](self.body)
            return body

    def memory_size(self) -> int:
        bodies = [self.body, *self.encodings.values()]
        return sum(len(body) for body in bodies) + (self.source.memory_size() if self.source else 0)
