"""What a calendar entry is, in our own words: every format is written from this, and nothing else."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from eventcal.kit.localtime import UTC_NAMES


class EntryKind(StrEnum):
    """What an entry shows."""

    EVENT = "event"
    TALK = "talk"
    # A call for talks opens, and closes.
    OPENING = "opening"
    CLOSING = "closing"


class Status(StrEnum):
    """How sure it is (RFC 5545, 3.8.1.11)."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


class Relation(StrEnum):
    """How one entry stands to another (RFC 5545, 3.2.15)."""

    PARENT = "PARENT"
    SIBLING = "SIBLING"


class Part(StrEnum):
    """What somebody is to an entry (RFC 9073, 6.2)."""

    SPEAKER = "SPEAKER"
    SPONSOR = "SPONSOR"


@dataclass(frozen=True, kw_only=True)
class Participant:
    """Somebody on stage, or an organisation that pays for it.

    key: what names them within the installation, for ever: a slug. about: job title and affiliation, or the tier.
    """

    part: Part
    key: str
    name: str
    about: str | None = None
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class TalkFacts:
    """What a programme says of a talk beside its entry. abstract is plain text; event is a slug."""

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

    starts, ends: both dates or both naive local times in `zone`; `ends` is exclusive. An hour that the zone shows
    twice is told apart by `fold`, as Python does.
    description is plain text, html the same as safe HTML. categories keep their order. related holds UIDs.
    excluded: occurrences of the recurrence that there are not, each as `starts` is.
    overrides: occurrences that are otherwise than the recurrence has them, in their order.
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
        """Say whether this lasts whole days."""
        return not isinstance(self.starts, datetime)

    @property
    def needs_zone(self) -> bool:
        """Say whether its times are written with TZID, so that a VTIMEZONE has to be there."""
        moments = [moment for moment in (self.starts, self.ends) if isinstance(moment, datetime)]
        # UTC is written with a Z, and so is the second of two same times: TZID names the first (RFC 5545, 3.3.5).
        return bool(moments) and self.zone not in UTC_NAMES and not any(moment.fold for moment in moments)


@dataclass(frozen=True, kw_only=True)
class Override:
    """One occurrence of a recurring entry as it really is.

    occurrence: when the recurrence has it, as the recurring entry's `starts`. entry: whole, without a recurrence,
    with the same uid.
    """

    occurrence: date | datetime
    entry: CalendarEntry


@dataclass(frozen=True, kw_only=True)
class Stamps:
    """The numbers that only rise: SEQUENCE, and when the entry last changed (whole seconds, UTC)."""

    sequence: int
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class KeptEntry:
    """An entry as the ledger keeps it: with its stamps, and a whole number that is its own for ever."""

    entry: CalendarEntry
    stamps: Stamps
    number: int


@dataclass(frozen=True, kw_only=True)
class FeedHead:
    """What stands above a feed's entries (RFC 7986, 5): names, where it is found, when it last changed.

    `source` is None for a feed whose address is a secret.
    """

    uid: str
    name: str
    description: str
    zone: str
    url: str
    source: str | None
    changed_at: datetime | None
