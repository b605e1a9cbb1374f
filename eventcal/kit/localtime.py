"""Local times, time zones and conversion to UTC instants.

Dates and times are entered and stored as local times in the time zone of the event. Time zones are always read from the
tzdata package and not from the operating system, so that all workers use the same rules. Years from 1970 to 2199 are
supported.
"""

import re
from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from eventcal.kit.errors import Message

FIRST_YEAR, LAST_YEAR = 1970, 2199
# GMT is not an alias of UTC in the IANA database, although GMT and UTC have the same offset.
UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal"})

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LOCAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?", re.ASCII)
_WITH_OFFSET = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)

_ANYWHERE_ON_EARTH = timezone(timedelta(hours=-12))
_A_DAY = timedelta(days=1)
_A_SECOND = timedelta(seconds=1)

_NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})


class SkippedTime(ValueError):
    """A local time that is skipped when the clocks go forward. `next_valid` is the first local time after the gap."""

    def __init__(self, local: datetime, tzid: str, next_valid: datetime) -> None:
        self.next_valid = next_valid
        message = Message(
            "%(time)s does not exist in %(zone)s because of a clock change; the next valid time is %(next)s",
            time=format_local(local),
            zone=tzid,
            next=format_local(next_valid),
        )
        super().__init__(message)


@cache
def _zone_names() -> frozenset[str]:
    listed = (resources.files("tzdata") / "zones").read_text("ascii").split()
    return frozenset(name for name in listed if name not in _NO_ZONES and not name.startswith(("posix/", "right/")))


def is_known_zone(name: str) -> bool:
    """Return whether `name` is an IANA time zone name or an alias. Names are case-sensitive."""
    return name in _zone_names()


@cache
def common_zones() -> tuple[str, ...]:
    """Return the time zones for selection lists: the zones in `zone.tab`, and UTC."""
    rows = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines()
    places = {row.split("\t")[2] for row in rows if row and not row.startswith("#")}
    return (*sorted(places & _zone_names()), "UTC")


@cache
def _read_zone(name: str) -> ZoneInfo:
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as tzif:
        return ZoneInfo.from_file(tzif, key=name)


def get_zone(name: str) -> ZoneInfo:
    """Return the cached time zone with this IANA name. Raises ValueError if the name is unknown."""
    if not is_known_zone(name):
        raise ValueError(
            Message("%(name)s is not a time zone; use an IANA name such as Europe/Berlin", name=_quote_excerpt(name))
        )
    return _read_zone(name)


def parse_local(text: str) -> date | datetime:
    """Parse a date (`YYYY-MM-DD`) or a naive datetime (`YYYY-MM-DDTHH:MM[:SS]`) entered by a user.

    Raises ValueError with a user-facing message if the text has another format or the year is out of range.
    """
    if _DATE.fullmatch(text) is None and _LOCAL_TIME.fullmatch(text) is None:
        quoted = _quote_excerpt(text)
        if _WITH_OFFSET.fullmatch(text) is not None:
            message = Message(
                "%(text)s has an offset; use the local time without an offset, such as 2014-06-04T13:30:00", text=quoted
            )
        else:
            message = Message(
                "%(text)s is neither a date (2014-08-18) nor a local date-time (2014-06-04T13:30:00)", text=quoted
            )
        raise ValueError(message)
    moment = _parse_time(text)
    return moment if "T" in text else moment.date()


def _parse_time(text: str) -> datetime:
    _check_year(int(text[:4]))
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(Message("%(text)s is not a valid date or time", text=_quote_excerpt(text))) from error


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        limits = {"first": FIRST_YEAR, "last": LAST_YEAR}
        message = Message(
            "the year %(year)s is out of range; use a year from %(first)s to %(last)s", year=f"{year:04}", **limits
        )
        raise ValueError(message)


def _quote_excerpt(text: str) -> str:
    """Return a quoted ASCII excerpt of the text. Error messages must not contain surrogates."""
    most = 40
    return ascii(text if len(text) <= most else f"{text[:most]}...")


def format_local(value: date | datetime) -> str:
    """Return a date as `2014-08-18` or a naive time as `2014-06-04T13:30:00`, as accepted by `parse_local`."""
    if isinstance(value, datetime):
        _check_naive(value)
        return value.isoformat(timespec="seconds")
    return value.isoformat()


def _check_naive(local: datetime) -> None:
    if local.tzinfo is not None:
        raise ValueError(f"{local.isoformat()} has an offset, but a local time has none")


def local_to_utc_strict(local: datetime, tzid: str) -> datetime:
    """Return the first UTC instant of a naive local time. Raises SkippedTime if the local time does not exist."""
    _check_naive(local)
    _check_year(local.year)
    instant = _find_instant(local, tzid)
    if instant is None:
        raise SkippedTime(local, tzid, _end_of_gap(local, tzid).astimezone(get_zone(tzid)).replace(tzinfo=None))
    return instant


def _find_instant(local: datetime, tzid: str) -> datetime | None:
    here = get_zone(tzid)
    # For a skipped time, `fold=0` selects the offset before the gap, so that the instant is after the gap (PEP 495).
    instant = local.replace(tzinfo=here, fold=0).astimezone(UTC)
    return instant if instant.astimezone(here).replace(tzinfo=None, fold=0) == local.replace(fold=0) else None


def local_to_utc_lenient(local: datetime, tzid: str) -> datetime:
    """Return the UTC instant of a naive local time (RFC 5545, section 3.3.5).

    A skipped time is converted with the offset before the gap. For a repeated time, `fold` selects the instant.
    """
    return local.replace(tzinfo=get_zone(tzid)).astimezone(UTC)


def is_repeated(local: datetime, tzid: str) -> bool:
    """Return whether a naive local time occurs twice because the clocks are set back."""
    here = get_zone(tzid)
    first, second = (local.replace(tzinfo=here, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first < second


def _end_of_gap(local: datetime, tzid: str) -> datetime:
    """Return the instant of the clock change that skips the local time."""
    here = get_zone(tzid)
    before = local.replace(tzinfo=here, fold=1, microsecond=0).astimezone(UTC)
    after = local.replace(tzinfo=here, fold=0, microsecond=0).astimezone(UTC)
    old_offset = before.astimezone(here).utcoffset()

    def is_after(seconds: int) -> bool:
        return (before + timedelta(seconds=seconds)).astimezone(here).utcoffset() != old_offset

    return before + timedelta(seconds=bisect_left(range((after - before) // _A_SECOND), x=True, key=is_after))


def day_start(day: date, tzid: str) -> datetime:
    """Return the UTC instant at which a day begins in the zone.

    A day begins at the first midnight if midnight occurs twice, and at the end of the gap if midnight does not exist.
    Raises ValueError for an unknown zone or a year out of range.
    """
    _check_year(day.year)
    return _first_instant_of_day(day, tzid)


def day_end(day: date, tzid: str) -> datetime:
    """Return the UTC instant at which the day after `day` begins in the zone. Raises the same errors as `day_start`."""
    _check_year(day.year)
    return _first_instant_of_day(day + _A_DAY, tzid)


def _first_instant_of_day(day: date, tzid: str) -> datetime:
    midnight = datetime.combine(day, time())
    return _find_instant(midnight, tzid) or _end_of_gap(midnight, tzid)


def format_with_offset(instant: datetime, tzid: str) -> str:
    """Return an aware instant in RFC 3339 format with the offset of the zone: `2014-06-04T13:30:00-04:00`.

    An offset with seconds, such as the offset of Monrovia until 1972, is rounded to minutes (RFC 3339, section 5.8)
    without changing the instant. Raises ValueError for an unknown zone or a naive time.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no offset, so it is no instant")
    there = instant.astimezone(get_zone(tzid))
    offset = there.utcoffset() or timedelta()
    if offset.seconds % 60:
        there = instant.astimezone(timezone(timedelta(minutes=round(offset / timedelta(minutes=1)))))
    return there.isoformat("T", "seconds")


def format_utc(instant: datetime) -> str:
    """Return an aware instant in RFC 3339 format in UTC, without fractions of a second: `2014-06-04T17:30:00Z`."""
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat('T', 'seconds')}Z"


def parse_call_time(text: str, tzid: str, *, anywhere_on_earth: bool) -> datetime:
    """Return the start or end of a call for talks as a UTC instant, truncated to the second.

    `text` is a local time in the zone, or an RFC 3339 time with an offset or Z. If `anywhere_on_earth` is true, `text`
    must be a date, and the result is the end of that day at UTC-12. Raises ValueError with a user-facing message.
    """
    if anywhere_on_earth:
        if _DATE.fullmatch(text) is None:
            message = Message(
                "%(text)s is not a date, which `anywhere_on_earth` requires; use a date such as 2014-05-02, or omit "
                "`anywhere_on_earth`",
                text=_quote_excerpt(text),
            )
            raise ValueError(message)
        midnight = _parse_time(f"{text}T00:00").replace(tzinfo=_ANYWHERE_ON_EARTH)
        return (midnight + _A_DAY).astimezone(UTC)
    if _WITH_OFFSET.fullmatch(text) is not None:
        return _parse_time(text.upper()).astimezone(UTC).replace(microsecond=0)
    if _LOCAL_TIME.fullmatch(text) is not None:
        return local_to_utc_strict(_parse_time(text), tzid)
    if _DATE.fullmatch(text) is not None:
        message = Message(
            "%(text)s has no time of day; add one (%(text)sT23:59:00), or set `anywhere_on_earth` to true for the "
            "end of the day at UTC-12",
            text=text,
        )
    else:
        message = Message(
            "%(text)s is not a date-time; use a local time in %(zone)s (2014-05-02T23:59:00) or a time with an "
            "offset (2014-05-02T23:59:00+02:00)",
            text=_quote_excerpt(text),
            zone=tzid,
        )
    raise ValueError(message)
