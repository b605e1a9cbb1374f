"""An event's call for talks as its page shows it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from eventcal.events.models import Event
from eventcal.events.rules import Window, is_over, takes_talks
from eventcal.events.words import STANDING_STATUSES
from eventcal.web.rendering.dates import When, at, time_left
from eventcal.web.rendering.labels import kind_in_words


@dataclass(frozen=True, kw_only=True)
class Call:
    """What an event takes talks for, and when.

    is_open: now. opens: when it will. closes: when it will, or did; left: how far off that is, in words, while it is
    open. Of what nobody has to be told, there is None.
    """

    is_open: bool
    opens: When | None
    closes: When | None
    left: str | None
    kinds: tuple[str, ...]
    note: str | None


def call_of(event: Event, now: datetime) -> Call | None:
    """Return the call of an event, or None where it has none and takes no talks."""
    is_open = takes_talks_now(event, now)
    call = event.call
    if call is None:
        return Call(is_open=True, opens=None, closes=None, left=None, kinds=(), note=None) if is_open else None
    closes = call.closes_at or event.starts_at
    waits = not is_open and call.opens_at is not None and now < call.opens_at
    return Call(
        is_open=is_open,
        opens=at(call.opens_at, tzid=event.timezone) if waits and call.opens_at else None,
        closes=at(closes, tzid=event.timezone),
        left=time_left(closes, now) if is_open else None,
        kinds=tuple(kind_in_words(kind) for kind in call.kinds),
        note=call.note,
    )


def takes_talks_now(event: Event, now: datetime) -> bool:
    """Say whether anybody may offer a talk to this event at `now`."""
    window = Window(opens_at=event.call.opens_at, closes_at=event.call.closes_at) if event.call else None
    stands = event.status in STANDING_STATUSES and not is_over(event.over_at, now=now)
    return stands and takes_talks(event.programme, window, starts_at=event.starts_at, now=now)


def turns_today(event: Event, now: datetime) -> bool:
    """Say whether a call opens or closes on this very day (UTC), or the event begins or ends, by which it may."""
    moments = [event.starts_at, event.over_at]
    if event.call is not None:
        moments += [event.call.opens_at, event.call.closes_at]
    return any(moment.astimezone(UTC).date() == now.astimezone(UTC).date() for moment in moments if moment is not None)
