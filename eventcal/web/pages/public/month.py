"""The month view of the listing: a table of weeks and days."""

from calendar import THURSDAY, Calendar
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import func
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.kit.localtime import FIRST_YEAR, LAST_YEAR
from eventcal.kit.paging import PageRequest
from eventcal.talks.queries import select_public_talks
from eventcal.web.i18n import current_locale
from eventcal.web.pages.public.listing_parts import bar_of, find_resources, occurrences_in
from eventcal.web.params.listing_query import ItemKind, ListingPageQuery, RawQuery
from eventcal.web.rendering.dates import When, month_of, occurrence_when, readers_zone, short_day, weekday, when
from eventcal.web.rendering.page import Page
from eventcal.web.schemas.out import Json

_A_DAY = timedelta(days=1)
# The maximum number of events or talks, more than any month is expected to have.
_MOST = 500
_MOST_OCCURRENCES = 40


Placed = tuple[date, Json]


def month_page(session: Session, typed: RawQuery, wanted: ListingPageQuery, moment: datetime) -> Page:
    """Return the page of a month: that of `month`, else of the filter's first day, else the current month."""
    today = moment.astimezone(UTC).date()
    first = (wanted.month or wanted.filter.from_day or today).replace(day=1)
    asked = _around(wanted.filter, first)
    if wanted.show == ItemKind.TALKS and asked.scheduled is None:
        asked = replace(asked, scheduled=True)
    found = find_resources(session, wanted.show, asked, sort=Sort.STARTS, paging=PageRequest(_MOST), moment=moment)
    if wanted.show == ItemKind.TALKS:
        placed = [one for talk in found.items for one in _talk_pieces(talk, found.events[talk["event"]])]
    else:
        counts = _talks_by_event(session, [event["slug"] for event in found.items], asked, moment)
        placed = [one for event in found.items for one in _event_pieces(event, asked, counts.get(event["slug"], 0))]
    by_day: dict[date, list[Json]] = defaultdict(list)
    for day, piece in placed:
        by_day[day].append(piece)
    calendar = Calendar(current_locale().first_week_day)
    weeks = [_week(week, first, today, by_day) for week in calendar.monthdatescalendar(first.year, first.month)]
    anything = any(day["pieces"] for _number, days in weeks for day in days)
    name = month_of(first)
    is_talks = wanted.show == ItemKind.TALKS
    title = _("Talks in %(month)s", month=name) if is_talks else _("Events in %(month)s", month=name)
    return Page(
        template="pages/month.html",
        title=title,
        path=replace(wanted, month=first).path,
        description=_("Events and their talks: to read, to filter and to subscribe to."),
        indexed=not typed.filters and anything,
        values={
            "bar": bar_of(typed.with_params(month=f"{first:%Y-%m}"), found),
            "month": name,
            "weeks": weeks,
            "weekdays": [(weekday(number), weekday(number, short=True)) for number in calendar.iterweekdays()],
            "anything": anything,
            "whole": found.next is None,
            "as_list": typed.with_params(view=None, month=None, **{"from": first.isoformat(), "to": None}).url,
            "before": _beside(typed, first - _A_DAY),
            "after": _beside(typed, _next_month(first)),
            "zone": readers_zone(),
            "feed_query": wanted.feed_query,
        },
    )


def _beside(typed: RawQuery, day: date) -> tuple[str, str] | None:
    """Return the URL and the name of the month of a day, or None if its year is not supported."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None
    return typed.with_params(month=f"{day:%Y-%m}").url, month_of(day)


def _next_month(first: date) -> date:
    return (first + 31 * _A_DAY).replace(day=1)


def _around(asked: Filter, first: date) -> Filter:
    """Return the filter for a month, with one more day on either side for events in other time zones."""
    start, end = first - _A_DAY, _next_month(first)
    return replace(asked, from_day=max(asked.from_day or start, start), to_day=min(asked.to_day or end, end))


def _talks_by_event(session: Session, slugs: Sequence[str], asked: Filter, moment: datetime) -> dict[str, int]:
    theirs = Filter(events=tuple(slugs), from_day=asked.from_day, to_day=asked.to_day)
    count = select_public_talks(theirs, now=moment).with_only_columns(Event.slug, func.count()).group_by(Event.slug)
    return {slug: int(number) for slug, number in session.execute(count)} if slugs else {}


def _event_pieces(event: Json, asked: Filter, talks: int) -> Iterator[Placed]:
    url, tzid = url_for("pages.event", slug=event["slug"]), event["timezone"]
    if event["recurrence"] is None:
        talks_url = f"{url_for('pages.listing')}?event={event['slug']}&show=talks"
        shown = {"url": url, "title": event["title"], "state": event["status"], "talks_url": talks_url}
        yield from _pieces(when(event, tzid=tzid), talks=talks, **shown)
    elif asked.from_day is not None:
        for one in occurrences_in(event, asked.from_day, asked.to_day, limit=_MOST_OCCURRENCES):
            yield from _pieces(occurrence_when(one, tzid), url=url, title=one.title, state=one.status.value)


def _talk_pieces(talk: Json, event: Event) -> Iterator[Placed]:
    url = url_for("pages.talk", talk_id=talk["id"])
    return _pieces(when(talk, tzid=event.timezone), url=url, title=talk["title"], state=talk["state"])


def _pieces(said: When | None, *, talks: int = 0, **piece: str) -> Iterator[Placed]:
    """Yield the piece of an event or talk for each of its days (`number` of `of`). Only the first shows the hours."""
    if said is None:
        return
    days = _days_of(said)
    for number in range(1, days + 1):
        is_first = number == 1
        shown = {
            "hours": said.hours if is_first else None,
            "number": number,
            "of": days,
            "talks": talks if is_first else 0,
            # Continued and all-day events come before events with a time.
            "order": (is_first and said.hours is not None, said.starts),
        }
        yield said.on + (number - 1) * _A_DAY, {**piece, **shown}


def _days_of(said: When) -> int:
    """Return the number of days on which an event or talk takes place. An end at 00:00 does not begin another day."""
    if said.hours is None:
        return (date.fromisoformat(said.ends) - said.on).days + 1
    end = datetime.fromisoformat(said.ends)
    last = (end - timedelta(seconds=1)).date() if end > datetime.fromisoformat(said.starts) else end.date()
    return max((last - said.on).days, 0) + 1


def _week(
    days: Sequence[date], first: date, today: date, by_day: Mapping[date, Sequence[Json]]
) -> tuple[int, Sequence[Json]]:
    cells = []
    for on in days:
        inside = on.month == first.month
        pieces = sorted(by_day.get(on, ()), key=lambda piece: piece["order"]) if inside else ()
        cells.append({"on": on, "name": short_day(on), "inside": inside, "today": on == today, "pieces": pieces})
    # The Thursday of a week determines its year and number (ISO 8601).
    return next(on for on in days if on.weekday() == THURSDAY).isocalendar().week, cells
