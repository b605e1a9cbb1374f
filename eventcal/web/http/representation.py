"""Finished bodies with all that is said of them, and their content codings (RFC 9110, 8.4 and 12.5.3)."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Protocol

import brotli
import deflate
import zstandard

IDENTITY = "identity"
"""The name of a body that is in no coding."""

# The first wins where the caller likes several alike. Somebody waits for brotli: higher levels take many times as long
# and save a few hundredths. libdeflate takes half as long as zlib does for gzip, and says it shorter.
_COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=5),
    "zstd": lambda body: zstandard.ZstdCompressor(level=9).compress(body),
    "gzip": lambda body: bytes(deflate.gzip_compress(body, 9)),
}
_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)


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
                self.encodings[coding] = _COMPRESSORS[coding](self.body)
            return self.encodings[coding]

    def weight(self) -> int:
        """Return about how many bytes this holds by now."""
        bodies = [self.body, *self.encodings.values()]
        return sum(len(body) for body in bodies) + (self.origin.weight() if self.origin else 0)


@lru_cache(1024)
def acceptable_codings(header: str | None) -> tuple[str, ...]:
    """Return the codings that an Accept-Encoding takes, best first; never none (RFC 9110, 12.5.3).

    Without the header, that is identity. Identity comes last unless it is named with a weight of its own; where
    the caller refuses everything, identity it is all the same: better than no calendar at all.
    """
    if header is None:
        return (IDENTITY,)
    weights = _weights(header)
    others = weights.get("*")
    liked = {coding: weights.get(coding, others or 0.0) for coding in _COMPRESSORS}
    # Below every weight that can be written (0.001), and yet acceptable.
    unnamed = 0.0005 if others is None else others
    liked[IDENTITY] = weights.get(IDENTITY, unnamed)
    return tuple(sorted((c for c, weight in liked.items() if weight > 0), key=lambda c: -liked[c])) or (IDENTITY,)


def _weights(header: str) -> dict[str, float]:
    """Return the weight of each coding that is named; a malformed member is left out."""
    weights: dict[str, float] = {}
    for member in header.split(","):
        name, *parameters = (part.strip().lower() for part in member.split(";"))
        weight = "1"
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.rstrip() == "q":
                weight = value.lstrip()
        if name and _WEIGHT.fullmatch(weight):
            # RFC 9110, 8.4.1.3: an old name of the same.
            weights["gzip" if name == "x-gzip" else name] = float(weight)
    return weights
