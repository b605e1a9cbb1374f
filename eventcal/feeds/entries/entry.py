"""The data model of calendar entries, which is the only input of the format serializers."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from eventcal.kit.localtime import UTC_NAMES, is_repeated


class EntryKind(StrEnum):
    """The kind of object that an entry represents."""

    EVENT = "event"
    TALK = "talk"
    # Entries for the opening and the closing of a call for talks.
    OPENING = "opening"
    CLOSING = "closing"


class Status(StrEnum):
    """The status of an entry (RFC 5545, section 3.8.1.11)."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


class Relation(StrEnum):
    """The type of a relationship between entries (RFC 5545, section 3.2.15)."""

    PARENT = "PARENT"
    SIBLING = "SIBLING"


class ParticipantType(StrEnum):
    """The type of a participant in an entry (RFC 9073, section 6.2)."""

    SPEAKER = "SPEAKER"
    SPONSOR = "SPONSOR"


@dataclass(frozen=True, kw_only=True)
class Participant:
    """A speaker or a sponsor. `about` contains the job title and affiliation of a speaker, or the tier of a sponsor."""

    part: ParticipantType
    key: str
    name: str
    about: str | None = None
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class TalkFacts:
    """Talk data for the schedule and CSV formats. `event` is the slug of the event, and `abstract` is plain text."""

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
    """An event, a talk or a deadline as subscribers see it.

    `starts` and `ends` are either dates or naive local times in `zone`. The value of `ends` is exclusive. The `fold`
    attribute of a datetime distinguishes the two instants of an ambiguous local time (PEP 495). `excluded` contains the
    original starts of the occurrences that are cancelled or skipped. `url` is the page of the entry in this calendar,
    and `website` the event's own website.
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
    website: str | None = None
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
        return not isinstance(self.starts, datetime)

    @property
    def needs_zone(self) -> bool:
        """Whether the times of the entry are written with a TZID, which requires a VTIMEZONE."""
        moments = [moment for moment in (self.starts, self.ends) if isinstance(moment, datetime)]
        if not moments or self.zone in UTC_NAMES:
            return False
        # Apps disagree on which of the two instants an ambiguous local time means, so it is written in UTC.
        # A recurrence rule requires local times. Its occurrences at ambiguous local times are overrides.
        return self.recurrence is not None or not any(is_repeated(moment, self.zone) for moment in moments)


@dataclass(frozen=True, kw_only=True)
class Override:
    """An occurrence with its own VEVENT: one that differs from its recurring entry, or at a change of the clocks.

    `occurrence` is the original start of the occurrence.
    """

    occurrence: date | datetime
    entry: CalendarEntry


@dataclass(frozen=True, kw_only=True)
class Stamps:
    """An entry's SEQUENCE and the time of its last change (UTC, in whole seconds), which never decrease."""

    sequence: int
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class StoredEntry:
    """An entry from the feed index. `number` permanently identifies the entry."""

    entry: CalendarEntry
    stamps: Stamps
    number: int


@dataclass(frozen=True, kw_only=True)
class FeedHead:
    """The properties of a feed as a whole (RFC 7986, section 5). `source` is None for feeds with a secret URL."""

    uid: str
    name: str
    description: str
    zone: str
    url: str
    source: str | None
    changed_at: datetime | None
