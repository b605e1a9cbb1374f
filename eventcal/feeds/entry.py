"""What a calendar entry is, in our own words: every format is written from this, and nothing else."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Status(StrEnum):
    """How sure it is (RFC 5545, 3.8.1.11)."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


class Relation(StrEnum):
    """How one entry stands to another (RFC 5545, 3.2.15)."""

    PARENT = "PARENT"
    SIBLING = "SIBLING"


@dataclass(frozen=True, kw_only=True)
class CalendarEntry:
    """One event or talk as subscribers see it.

    starts, ends: both dates or both naive local times in `zone`; `ends` is exclusive. An hour that the zone shows
    twice is told apart by `fold`, as Python does.
    description is plain text, html the same as safe HTML. categories keep their order. related holds UIDs.
    """

    uid: str
    title: str
    starts: date | datetime
    ends: date | datetime
    zone: str
    status: Status
    transparent: bool
    created_at: datetime
    url: str
    description: str
    html: str
    location: str | None = None
    geo: tuple[float, float] | None = None
    categories: tuple[str, ...] = ()
    conference: str | None = None
    recurrence: str | None = None
    related: tuple[tuple[Relation, str], ...] = ()

    @property
    def all_day(self) -> bool:
        """Say whether this lasts whole days."""
        return not isinstance(self.starts, datetime)

    @property
    def needs_zone(self) -> bool:
        """Say whether its times are written with TZID, so that a VTIMEZONE has to be there."""
        moments = [moment for moment in (self.starts, self.ends) if isinstance(moment, datetime)]
        # TZID can name only the first of two same times (RFC 5545, 3.3.5): the second is written in UTC.
        return bool(moments) and self.zone not in UTC_NAMES and not any(moment.fold for moment in moments)


# UTC is written with a Z and needs no VTIMEZONE.
UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal"})


@dataclass(frozen=True, kw_only=True)
class Stamps:
    """The numbers that only rise: SEQUENCE, and when the entry last changed (whole seconds, UTC)."""

    sequence: int
    changed_at: datetime
