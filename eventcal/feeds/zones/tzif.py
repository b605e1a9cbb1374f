"""Reader for the offset changes of a zone in the tzdata package (TZif, RFC 9636).

`zoneinfo.ZoneInfo` reads the same files, but does not expose the offset changes and the rule that a VTIMEZONE requires.
"""

import re
import struct
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfoNotFoundError

from eventcal.feeds.zones.posix import (
    FIRST_INSTANT,
    LocalTime,
    OffsetChange,
    PosixRule,
    Span,
    offsets_within,
    parse_tz_string,
)

_MAGIC = b"TZif"
_HEADER = struct.Struct(">4s c 15x 6L")
_LOCAL_TIME = struct.Struct(">l ? B")
_VERSION_1 = b"\0"
# The pattern for zone names also prevents path traversal.
_TZID = re.compile(r"[A-Za-z0-9][\w+-]*(?:/[A-Za-z0-9][\w+-]*)*", re.ASCII)


class _Header(NamedTuple):
    """The header of a data block in a TZif file, with the number of items of each type (RFC 9636, section 3.1)."""

    magic: bytes
    version: bytes
    ut_marks: int
    standard_marks: int
    leap_seconds: int
    changes: int
    local_times: int
    name_octets: int


@dataclass(frozen=True, slots=True)
class Zone:
    """The recorded offset changes of a zone, and the rule that applies after the last recorded change."""

    recorded: tuple[OffsetChange, ...]
    rule: PosixRule | None

    def offsets_within(self, span: Span) -> list[OffsetChange]:
        return offsets_within(self._changes_around(span), span)

    def last_change_before(self, span: Span) -> tuple[LocalTime, int] | None:
        """Return the last change of the offset before a span: the local time before the change, and the instant.

        Returns None if the offset has never changed before the span.
        """
        pairs = pairwise(self._changes_around(span))
        changes = [(old.to, new.at) for old, new in pairs if old.to.offset != new.to.offset and new.at <= span.start]
        return changes[-1] if changes else None

    def _changes_around(self, span: Span) -> list[OffsetChange]:
        """Return the recorded changes, and the changes by the rule in the years of the span, in chronological order."""
        last = self.recorded[-1].at
        ruled = self.rule.changes_in_years(span.years) if self.rule else []
        return [*self.recorded, *(change for change in ruled if change.at > last)]


@cache
def get_zone(tzid: str) -> Zone:
    """Return the zone with the given IANA name or alias. Raises ZoneInfoNotFoundError if the zone is unknown."""
    return parse_tzif(read_tzif(tzid))


def read_tzif(tzid: str) -> bytes:
    """Return the TZif file of a zone in the tzdata package. Raises ZoneInfoNotFoundError if the file does not exist."""
    if _TZID.fullmatch(tzid):
        # The exception for a directory such as "Europe" depends on the platform.
        with suppress(OSError):
            data = files("tzdata.zoneinfo").joinpath(*tzid.split("/")).read_bytes()
            if data.startswith(_MAGIC):
                return data
    raise ZoneInfoNotFoundError(f"tzdata has no zone {tzid!r}")


def parse_tzif(data: bytes) -> Zone:
    """Parse a TZif file of version 2 or later (RFC 9636, section 3). Raises ValueError if the file is invalid."""
    header = _Header(*_HEADER.unpack_from(data))
    if header.magic != _MAGIC or header.version == _VERSION_1:
        raise ValueError("not a TZif file of version 2 or later")
    # The first block contains the same data with 32-bit time values for version 1 readers (RFC 9636, section 3.2).
    block = header.changes * 5 + header.local_times * _LOCAL_TIME.size + header.name_octets
    second = _HEADER.size + block + header.leap_seconds * 8 + header.standard_marks + header.ut_marks
    footer = data.removesuffix(b"\n").rpartition(b"\n")[2].decode("ascii")
    recorded = _parse_changes(data, second + _HEADER.size, _Header(*_HEADER.unpack_from(data, second)))
    return Zone(recorded, parse_tz_string(footer) if footer else None)


def _parse_changes(data: bytes, position: int, header: _Header) -> tuple[OffsetChange, ...]:
    indices = position + header.changes * 8
    local_times = indices + header.changes
    names = local_times + header.local_times * _LOCAL_TIME.size
    octets = data[names : names + header.name_octets]
    kinds = [
        LocalTime(offset, octets[name:].split(b"\0", 1)[0].decode("ascii"))
        for offset, _, name in _LOCAL_TIME.iter_unpack(data[local_times:names])
    ]
    instants = struct.unpack_from(f">{header.changes}q", data, position)
    changes = (OffsetChange(at, kinds[kind]) for at, kind in zip(instants, data[indices:local_times], strict=True))
    # The first local time type applies before the first change (RFC 9636, section 3.2).
    return (OffsetChange(FIRST_INSTANT, kinds[0]), *changes)
