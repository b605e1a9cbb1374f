"""The listing of events and talks, which accepts the same filters as the API and the feeds."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus

from flask import Response, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.kit.errors import Invalid
from eventcal.web.identity.permissions import anonymous
from eventcal.web.pages.public.listing_data import (
    ListingResult,
    filter_bar_context,
    list_public_resources,
    listing_feed_links,
    summarise_recurrence,
)
from eventcal.web.pages.public.month import build_month_page
from eventcal.web.params.listing_query import (
    ItemKind,
    Layout,
    ListingPageQuery,
    RawQuery,
    parse_listing_page_query,
    parse_raw_query,
)
from eventcal.web.rendering.dates import format_long_day, format_month, format_resource_times
from eventcal.web.rendering.labels import country_label, kind_label, parameter_value_label
from eventcal.web.rendering.page import Page, pages, render_page
from eventcal.web.rendering.private_page import page_response
from eventcal.web.request.context import settings
from eventcal.web.schemas.response_schema import Json

_PAGE_SIZE = 25


@pages.get("/")
@anonymous
def listing() -> Response:
    raw_query = parse_raw_query(request.args)

    def build_page(session: Session, now: datetime) -> Page:
        query = parse_listing_page_query(raw_query)
        page = build_month_page if query.view == Layout.MONTH else _build_list_page
        return replace(
            page(session, raw_query, query, now=now),
            feeds=listing_feed_links(query),
            embeddable=query.view == Layout.LIST,
            # Calls for talks can open and close at any time of the day.
            time_dependent=bool(raw_query.get("cfp")),
        )

    try:
        return render_page(build_page)
    except Invalid as error:
        title, bar = (
            _("Some of this cannot be looked for"),
            filter_bar_context(raw_query, ListingResult(), error.errors),
        )
        context = {"bar": bar, "groups": {}, "refused": True, "past": None}
        page = Page(template="pages/listing.html", title=title, indexed=False, context=context)
        return page_response(page, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _build_list_page(session: Session, raw_query: RawQuery, query: ListingPageQuery, *, now: datetime) -> Page:
    today = now.astimezone(UTC).date()
    named_days = query.filter.from_day or query.filter.to_day
    dated_query = query if named_days else replace(query, filter=replace(query.filter, from_day=today))
    paging = replace(query.paging, limit=_PAGE_SIZE)
    result = list_public_resources(session, query.show, dated_query.filter, sort=query.sort, paging=paging, now=now)
    is_past = query.filter.to_day is not None and query.filter.to_day < today
    heading = _list_heading(raw_query, query, is_past=is_past)
    is_unfiltered = not raw_query.filters and query.show == ItemKind.EVENTS
    past = raw_query.with_params(to=(today - timedelta(days=1)).isoformat(), sort=Sort.STARTS_DOWN.value)
    return Page(
        template="pages/listing.html",
        title=settings().name if is_unfiltered and query.path == "/" else heading,
        path=query.path,
        description=_("Events and their talks: to read, to filter and to subscribe to."),
        indexed=len(raw_query.filters) <= 1 and not raw_query.get("q") and not raw_query.get("cursor"),
        context={
            "heading": heading,
            "bar": filter_bar_context(raw_query, result),
            "groups": _group_by_heading(result, raw_query, dated_query, now=now),
            "refused": False,
            "show": query.show.value,
            "next": raw_query.with_params(cursor=result.next).url if result.next else None,
            "first": raw_query.with_params().url if raw_query.get("cursor") else None,
            "past": None if named_days else past.url,
            "upcoming": raw_query.with_params(**{"from": None, "to": None, "sort": None}).url if is_past else None,
            "feed_query": query.feed_query,
        },
    )


def _list_heading(raw_query: RawQuery, query: ListingPageQuery, *, is_past: bool) -> str:
    labels = [parameter_value_label(name, value) for name, value in raw_query.filters if name not in {"from", "to"}]
    if labels:
        about = ", ".join(labels)
        headings = _("Events: %(about)s", about=about), _("Talks: %(about)s", about=about)
    elif is_past:
        headings = _("Past events"), _("Past talks")
    elif query.filter.from_day or query.filter.to_day:
        headings = _("Events"), _("Talks")
    else:
        headings = _("Upcoming events"), _("Upcoming talks")
    return str(headings[query.show == ItemKind.TALKS])


def _group_by_heading(
    result: ListingResult, raw_query: RawQuery, query: ListingPageQuery, *, now: datetime
) -> dict[str, list[Json]]:
    groups: dict[str, list[Json]] = {}
    for resource in result.items:
        if query.show == ItemKind.TALKS:
            event = result.events[resource["event"]]
            item = _talk_card(resource, event, raw_query)
            # A talk without a time is sorted and listed as if it started on the first day of its event.
            times = item["when"]
            heading = format_long_day(times.first_date if times else date.fromisoformat(event.starts[:10]))
        else:
            item = _event_card(resource, raw_query, query.filter, now=now)
            heading = _month_heading(resource, query.filter)
        groups.setdefault(_("Changed last") if query.sort == Sort.UPDATED else heading, []).append(item)
    return groups


def _event_card(event: Json, raw_query: RawQuery, filters: Filter, *, now: datetime) -> Json:
    recurrence = summarise_recurrence(event, filters, now)
    location = event["location"]
    parts = [location["venue"], location["city"], country_label(location["country"]) if location["country"] else None]
    online = _("online") if event["attendance"] != "in_person" else None
    return {
        "url": url_for("pages.event", slug=event["slug"]),
        "title": event["title"],
        "kind": kind_label(event["kind"] or ""),
        "state": recurrence.status if recurrence else event["status"],
        "when": recurrence.next if recurrence else format_resource_times(event, tzid=event["timezone"]),
        "place": ", ".join(filter(None, [*parts, online])),
        "tags": _tag_links(event["tags"], raw_query),
        "repeats": recurrence,
    }


def _month_heading(event: Json, filters: Filter) -> str:
    """Return the month in which an event begins, or the heading for events that began before the selected period."""
    times = format_resource_times(event, tzid=event["timezone"])
    day = times.first_date if times else date.fromisoformat(event["starts"][:10])
    if filters.from_day and day < filters.from_day:
        return str(_("Under way, or again and again"))
    return format_month(day)


def _talk_card(talk: Json, event: Event, raw_query: RawQuery) -> Json:
    return {
        "url": url_for("pages.talk", talk_id=talk["id"]),
        "title": talk["title"],
        "kind": kind_label(talk["kind"]),
        "state": talk["state"],
        "when": format_resource_times(talk, tzid=event.timezone),
        "place": ", ".join(filter(None, [talk["room"], event.city])),
        "tags": _tag_links(talk["tags"], raw_query),
        "event": event,
        "speakers": talk["speakers"],
    }


def _tag_links(tags: Iterable[str], raw_query: RawQuery) -> tuple[tuple[str, str], ...]:
    return tuple(
        (tag, raw_query.url if tag in raw_query.getlist("tag") else raw_query.with_added_value("tag", tag).url)
        for tag in tags
    )
