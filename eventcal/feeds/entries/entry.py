"""The data model of a calendar entry, the only input of the format serializers."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from eventcal.kit.localtime import UTC_NAMES


class EntryKind(StrEnum):
    """The subject of an entry."""

    EVENT = "event"
    TALK = "talk"
    # The opening and the closing of a call for talks.
    OPENING = "opening"
    CLOSING = "closing"


class Status(StrEnum):
    """The status of an entry (RFC 5545, 3.8.1.11)."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


class Relation(StrEnum):
    """A relationship type between entries (RFC 5545, 3.2.15)."""

    PARENT = "PARENT"
    SIBLING = "SIBLING"


class ParticipantType(StrEnum):
    """A participant's role in an entry (RFC 9073, 6.2)."""

    SPEAKER = "SPEAKER"
    SPONSOR = "SPONSOR"


@dataclass(frozen=True, kw_only=True)
class Participant:
    """A speaker or a sponsor.

    key: a slug that permanently identifies them in this installation. about: job title and affiliation, or the tier.
    """

    part: ParticipantType
    key: str
    name: str
    about: str | None = None
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class TalkFacts:
    """Data of a talk that only schedules show. abstract is plain text; event is a slug."""

    event: str
    kind: str
    abstract: str
    language: str | None = None
    track: str | None = None
    room: str | None = None
    slides_url: str | None = None
    recording_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class CalendarEntry:
    """One event, talk or deadline as subscribers see it.

    starts, ends: both dates, or both naive local times in `zone`; `ends` is exclusive. `fold` distinguishes the two
    occurrences of an ambiguous local time, as in Python.
    description is plain text, html the same as safe HTML. categories keep their order. related holds UIDs.
    excluded: cancelled or skipped occurrences of the recurrence, in the form of `starts`.
    overrides: occurrences that differ from the recurrence, in order.
    """

    uid: str
    kind: EntryKind
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
    excluded: tuple[date | datetime, ...] = ()
    overrides: tuple["Override", ...] = ()
    related: tuple[tuple[Relation, str], ...] = ()
    participants: tuple[Participant, ...] = ()
    talk: TalkFacts | None = None

    @property
    def all_day(self) -> bool:
        """Whether the entry lasts whole days."""
        return not isinstance(self.starts, datetime)

    @property
    def needs_zone(self) -> bool:
        """Whether the times are written with TZID, so that a VTIMEZONE is required."""
        moments = [moment for moment in (self.starts, self.ends) if isinstance(moment, datetime)]
        # UTC times have a Z, and so does the second of two ambiguous times, as TZID means the first (RFC 5545, 3.3.5).
        return bool(moments) and self.zone not in UTC_NAMES and not any(moment.fold for moment in moments)


@dataclass(frozen=True, kw_only=True)
class Override:
    """An occurrence that differs from its recurring entry.

    occurrence: the original start, in the form of the recurring entry's `starts`. entry: the complete entry of the
    occurrence, without a recurrence and with the same uid.
    """

    occurrence: date | datetime
    entry: CalendarEntry


@dataclass(frozen=True, kw_only=True)
class Stamps:
    """SEQUENCE, and the time of the entry's last change (whole seconds, UTC). Both only increase."""

    sequence: int
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class StoredEntry:
    """An entry from the feed index, with its stamps and its permanent number."""

    entry: CalendarEntry
    stamps: Stamps
    number: int


@dataclass(frozen=True, kw_only=True)
class FeedHead:
    """The properties of a feed as a whole (RFC 7986, 5): names, URLs, and the time of the last change.

    `source` is None for a feed with a secret URL.
    """

    uid: str
    name: str
    description: str
    zone: str
    url: str
    source: str | None
    changed_at: datetime | None
