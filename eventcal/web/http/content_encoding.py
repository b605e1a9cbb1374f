"""Content encodings: compressors, and the choice among them by Accept-Encoding (RFC 9110, 8.4 and 12.5.3)."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

import brotli
import deflate
import zstandard

IDENTITY = "identity"
"""The name of a body that is in no coding."""

# The first wins where the caller likes several alike. Somebody waits for brotli: higher levels take many times as long
# and save a few hundredths. libdeflate takes half as long as zlib does for gzip, and says it shorter.
COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=5),
    "zstd": lambda body: zstandard.ZstdCompressor(level=9).compress(body),
    "gzip": lambda body: bytes(deflate.gzip_compress(body, 9)),
}
_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)


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
    liked = {coding: weights.get(coding, others or 0.0) for coding in COMPRESSORS}
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
