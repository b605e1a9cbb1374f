"""The month view of the listing, which is a table of weeks and days."""

from calendar import THURSDAY, Calendar
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import func
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.kit.localtime import FIRST_YEAR, LAST_YEAR
from eventcal.kit.pagination import PageRequest
from eventcal.talks.queries import select_public_talks
from eventcal.web.i18n import current_locale
from eventcal.web.pages.public.listing_data import filter_bar_context, list_public_resources, list_resource_occurrences
from eventcal.web.params.listing_query import ItemKind, ListingPageQuery, RawQuery
from eventcal.web.rendering.dates import (
    FormattedTimes,
    format_month,
    format_occurrence_times,
    format_resource_times,
    format_short_day,
    requested_timezone,
    weekday_name,
)
from eventcal.web.rendering.page import Page
from eventcal.web.schemas.response_schema import Json

_A_DAY = timedelta(days=1)
_MAX_ITEMS, _MAX_OCCURRENCES = 500, 40

DayEntry = tuple[date, Json]


def build_month_page(session: Session, raw_query: RawQuery, query: ListingPageQuery, *, now: datetime) -> Page:
    """Return the page for the requested month, the first month of the selected period, or the current month."""
    today = now.astimezone(UTC).date()
    first = (query.month or query.filter.from_day or today).replace(day=1)
    filters = _limit_to_month(query.filter, first)
    is_talks = query.show == ItemKind.TALKS
    if is_talks and filters.scheduled is None:
        filters = replace(filters, scheduled=True)
    paging = PageRequest(_MAX_ITEMS)
    result = list_public_resources(session, query.show, filters, sort=Sort.STARTS, paging=paging, now=now)
    if is_talks:
        entries = [_iter_talk_entries(talk, result.events[talk["event"]]) for talk in result.items]
    else:
        counts = _count_talks_by_event(session, [event["slug"] for event in result.items], filters, now=now)
        entries = [_iter_event_entries(event, filters, counts.get(event["slug"], 0)) for event in result.items]
    by_day: dict[date, list[Json]] = defaultdict(list)
    for day, item in chain.from_iterable(entries):
        by_day[day].append(item)
    calendar = Calendar(current_locale().first_week_day)
    dates = calendar.monthdatescalendar(first.year, first.month)
    weeks = [_build_week(week, first, today, by_day=by_day) for week in dates]
    has_entries = any(day["pieces"] for _number, days in weeks for day in days)
    name = format_month(first)
    title = _("Talks in %(month)s", month=name) if is_talks else _("Events in %(month)s", month=name)
    return Page(
        template="pages/month.html",
        title=title,
        path=replace(query, month=first).path,
        description=_("Events and their talks: to read, to filter and to subscribe to."),
        indexed=not raw_query.filters and has_entries,
        context={
            "bar": filter_bar_context(raw_query.with_params(month=f"{first:%Y-%m}"), result),
            "month": name,
            "weeks": weeks,
            "weekdays": [(weekday_name(day), weekday_name(day, short=True)) for day in calendar.iterweekdays()],
            "anything": has_entries,
            "whole": result.next is None,
            "as_list": raw_query.with_params(view=None, month=None, **{"from": first.isoformat(), "to": None}).url,
            "before": _find_month_link(raw_query, first - _A_DAY),
            "after": _find_month_link(raw_query, _next_month(first)),
            "zone": requested_timezone(),
            "feed_query": query.feed_query,
        },
    )


def _find_month_link(raw_query: RawQuery, day: date) -> tuple[str, str] | None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None
    return raw_query.with_params(month=f"{day:%Y-%m}").url, format_month(day)


def _next_month(first: date) -> date:
    return (first + 31 * _A_DAY).replace(day=1)


def _limit_to_month(filters: Filter, first: date) -> Filter:
    """Return the filter for a month and the adjacent days, which can belong to the month in other time zones."""
    start, end = first - _A_DAY, _next_month(first)
    return replace(filters, from_day=max(filters.from_day or start, start), to_day=min(filters.to_day or end, end))


def _count_talks_by_event(session: Session, slugs: Sequence[str], filters: Filter, *, now: datetime) -> dict[str, int]:
    talk_filter = Filter(events=tuple(slugs), from_day=filters.from_day, to_day=filters.to_day)
    count = select_public_talks(talk_filter, now=now).with_only_columns(Event.slug, func.count()).group_by(Event.slug)
    return {slug: int(number) for slug, number in session.execute(count)} if slugs else {}


def _iter_event_entries(event: Json, filters: Filter, talk_count: int) -> Iterator[DayEntry]:
    url, tzid = url_for("pages.event", slug=event["slug"]), event["timezone"]
    if event["recurrence"] is None:
        talks_url = f"{url_for('pages.listing')}?event={event['slug']}&show=talks"
        entry = {"url": url, "title": event["title"], "state": event["status"], "talks_url": talks_url}
        yield from _iter_day_entries(format_resource_times(event, tzid=tzid), talk_count=talk_count, **entry)
    elif filters.from_day is not None:
        for occurrence in list_resource_occurrences(event, filters.from_day, filters.to_day, limit=_MAX_OCCURRENCES):
            times = format_occurrence_times(occurrence, tzid)
            yield from _iter_day_entries(times, url=url, title=occurrence.title, state=occurrence.status.value)


def _iter_talk_entries(talk: Json, event: Event) -> Iterator[DayEntry]:
    url = url_for("pages.talk", talk_id=talk["id"])
    times = format_resource_times(talk, tzid=event.timezone)
    return _iter_day_entries(times, url=url, title=talk["title"], state=talk["state"])


def _iter_day_entries(times: FormattedTimes | None, *, talk_count: int = 0, **entry: str) -> Iterator[DayEntry]:
    """Yield an entry for each day of an event or talk. Only the entry for the first day contains `hours`."""
    if times is None:
        return
    days = _count_days(times)
    for number in range(1, days + 1):
        is_first = number == 1
        details = {
            "hours": times.hours if is_first else None,
            "number": number,
            "of": days,
            "talks": talk_count if is_first else 0,
            # All-day events and events that began on an earlier day are sorted before events with a start time.
            "order": (is_first and times.hours is not None, times.starts),
        }
        yield times.first_date + (number - 1) * _A_DAY, {**entry, **details}


def _count_days(times: FormattedTimes) -> int:
    """Return the number of days on which an event or talk takes place, excluding a day on which it ends at 00:00."""
    if times.hours is None:
        return (date.fromisoformat(times.ends) - times.first_date).days + 1
    end = datetime.fromisoformat(times.ends)
    last = (end - timedelta(seconds=1)).date() if end > datetime.fromisoformat(times.starts) else end.date()
    return max((last - times.first_date).days, 0) + 1


def _build_week(
    days: Sequence[date], first: date, today: date, *, by_day: Mapping[date, Sequence[Json]]
) -> tuple[int, Sequence[Json]]:
    cells = []
    for day in days:
        in_month = day.month == first.month
        entries = sorted(by_day.get(day, ()), key=lambda entry: entry["order"]) if in_month else ()
        cells.append(
            {"on": day, "name": format_short_day(day), "inside": in_month, "today": day == today, "pieces": entries}
        )
    # In ISO 8601, the Thursday of a week determines the year and number of the week.
    return next(day for day in days if day.weekday() == THURSDAY).isocalendar().week, cells
