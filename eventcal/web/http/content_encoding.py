"""Compression of response bodies, and negotiation of the content encoding (RFC 9110, sections 8.4 and 12.5.3)."""

import re
from collections.abc import Callable, Mapping

import brotli
import deflate
import zstandard

from eventcal.kit.bounded_cache import bounded_cache
from eventcal.kit.text import truncate_list

IDENTITY = "identity"
# Content codings that a client weights equally are preferred in the order of this mapping.
# Higher Brotli levels take many times as long and reduce the size by only a few percent more.
# For gzip, libdeflate takes half as long as zlib and compresses better.
COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=5),
    "zstd": lambda body: zstandard.ZstdCompressor(level=9).compress(body),
    "gzip": lambda body: bytes(deflate.gzip_compress(body, 9)),
}
_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)
# A longer Accept-Encoding header is truncated.
_MAX_LENGTH = 200


def acceptable_codings(header: str | None) -> tuple[str, ...]:
    """Return the codings accepted by an Accept-Encoding header, in order of preference (RFC 9110, section 12.5.3).

    If the header is missing, only `identity` is accepted. If the header rejects all supported codings, the result is
    `identity`, because calendar apps cannot handle an error response.
    """
    return (IDENTITY,) if header is None else _rank_codings(truncate_list(header, _MAX_LENGTH))


@bounded_cache(100_000)
def _rank_codings(header: str) -> tuple[str, ...]:
    weights = _parse_weights(header)
    ranked = {coding: weights.get(coding, weights.get("*", 0.0)) for coding in COMPRESSORS}
    # The default weight of `identity` is lower than any positive weight that a header can specify.
    ranked[IDENTITY] = weights.get(IDENTITY, weights.get("*", 0.0005))
    return tuple(sorted((c for c, weight in ranked.items() if weight > 0), key=lambda c: -ranked[c])) or (IDENTITY,)


def _parse_weights(header: str) -> dict[str, float]:
    """Return the weight of each coding in an Accept-Encoding header, ignoring malformed list elements."""
    weights: dict[str, float] = {}
    for member in header.split(","):
        name, *parameters = (part.strip().lower() for part in member.split(";"))
        weight = "1"
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.rstrip() == "q":
                weight = value.lstrip()
        if name and _WEIGHT.fullmatch(weight):
            # The coding x-gzip is an alias of gzip (RFC 9110, section 8.4.1.3).
            weights["gzip" if name == "x-gzip" else name] = float(weight)
    return weights
