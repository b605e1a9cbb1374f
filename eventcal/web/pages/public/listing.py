"""The listing of events and talks, as a list or a month, with the same filters as lists and feeds of the API."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus

from flask import Response, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.kit.refusals import Invalid
from eventcal.web.identity.permissions import anonymous
from eventcal.web.pages.public.listing_parts import Found, bar_of, feeds_of, find_resources, repeats
from eventcal.web.pages.public.month import month_page
from eventcal.web.params.listing_query import (
    ItemKind,
    Layout,
    ListingPageQuery,
    RawQuery,
    parse_listing_page_query,
    parse_raw_query,
)
from eventcal.web.rendering.dates import long_day, month_of, when
from eventcal.web.rendering.labels import country_in_words, kind_in_words, value_in_words
from eventcal.web.rendering.page import Page, pages, render_page
from eventcal.web.rendering.private_page import answer_page
from eventcal.web.request.context import settings
from eventcal.web.schemas.out import Json

_PAGE = 25
_A_DAY = timedelta(days=1)


@pages.get("/")
@anonymous
def listing() -> Response:
    """Show upcoming events or talks, or, if the query is invalid, the filters with their errors."""
    typed = parse_raw_query(request.args)

    def make(session: Session, moment: datetime) -> Page:
        wanted = parse_listing_page_query(typed)
        page = month_page if wanted.view == Layout.MONTH else _list_page
        return replace(
            page(session, typed, wanted, moment),
            feeds=feeds_of(wanted),
            embeddable=wanted.view == Layout.LIST,
            # Calls for talks open and close at any time of the day.
            changes_by_itself=bool(typed.get("cfp")),
        )

    try:
        return render_page(make)
    except Invalid as refusal:
        page = Page(
            template="pages/listing.html",
            title=_("Some of this cannot be looked for"),
            indexed=False,
            values={"bar": bar_of(typed, Found(), refusal.errors), "groups": {}, "refused": True, "past": None},
        )
        return answer_page(page, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _list_page(session: Session, typed: RawQuery, wanted: ListingPageQuery, moment: datetime) -> Page:
    today = moment.astimezone(UTC).date()
    named_days = wanted.filter.from_day or wanted.filter.to_day
    asked = wanted if named_days else replace(wanted, filter=replace(wanted.filter, from_day=today))
    paging = replace(wanted.paging, limit=_PAGE)
    found = find_resources(session, wanted.show, asked.filter, sort=wanted.sort, paging=paging, moment=moment)
    is_past = wanted.filter.to_day is not None and wanted.filter.to_day < today
    heading = _heading(typed, wanted, is_past=is_past)
    whole = not typed.filters and wanted.show == ItemKind.EVENTS
    past = typed.with_params(to=(today - _A_DAY).isoformat(), sort=Sort.STARTS_DOWN.value)
    return Page(
        template="pages/listing.html",
        title=settings().name if whole and wanted.path == "/" else heading,
        path=wanted.path,
        description=_("Events and their talks: to read, to filter and to subscribe to."),
        indexed=len(typed.filters) <= 1 and not typed.get("q") and not typed.get("cursor"),
        values={
            "heading": heading,
            "bar": bar_of(typed, found),
            "groups": _groups(found, typed, asked, moment),
            "refused": False,
            "show": wanted.show.value,
            "next": typed.with_params(cursor=found.next).url if found.next else None,
            "first": typed.with_params().url if typed.get("cursor") else None,
            "past": None if named_days else past.url,
            "upcoming": typed.with_params(**{"from": None, "to": None, "sort": None}).url if is_past else None,
            "feed_query": wanted.feed_query,
        },
    )


def _heading(typed: RawQuery, wanted: ListingPageQuery, *, is_past: bool) -> str:
    named = ", ".join(value_in_words(name, value) for name, value in typed.filters if name not in {"from", "to"})
    if named:
        words = _("Events: %(about)s", about=named), _("Talks: %(about)s", about=named)
    elif is_past:
        words = _("Past events"), _("Past talks")
    elif wanted.filter.from_day or wanted.filter.to_day:
        words = _("Events"), _("Talks")
    else:
        words = _("Upcoming events"), _("Upcoming talks")
    return str(words[wanted.show == ItemKind.TALKS])


def _groups(found: Found, typed: RawQuery, asked: ListingPageQuery, moment: datetime) -> dict[str, list[Json]]:
    groups: dict[str, list[Json]] = {}
    for resource in found.items:
        if asked.show == ItemKind.TALKS:
            event = found.events[resource["event"]]
            item = _talk_item(resource, event, typed)
            # A talk without a time is sorted by the start of its event, and is listed under that day.
            heading = long_day(item["when"].on if item["when"] else date.fromisoformat(event.starts[:10]))
        else:
            item = _event_item(resource, typed, asked.filter, moment)
            heading = _month_heading(resource, asked.filter)
        groups.setdefault(_("Changed last") if asked.sort == Sort.UPDATED else heading, []).append(item)
    return groups


def _event_item(event: Json, typed: RawQuery, asked: Filter, moment: datetime) -> Json:
    again = repeats(event, asked, moment)
    place = event["location"]
    where = [place["venue"], place["city"], country_in_words(place["country"]) if place["country"] else None]
    online = _("online") if event["attendance"] != "in_person" else None
    return {
        "url": url_for("pages.event", slug=event["slug"]),
        "title": event["title"],
        "kind": kind_in_words(event["kind"] or ""),
        "state": again.status if again else event["status"],
        "when": again.next if again else when(event, tzid=event["timezone"]),
        "place": ", ".join(filter(None, [*where, online])),
        "tags": _tags(event["tags"], typed),
        "repeats": again,
    }


def _month_heading(event: Json, asked: Filter) -> str:
    """Return the month under which an event is listed. Events that began before the first day asked for come first.

    Recurring events are listed under the month in which their series begins.
    """
    begins = when(event, tzid=event["timezone"])
    day = begins.on if begins else date.fromisoformat(event["starts"][:10])
    if asked.from_day and day < asked.from_day:
        return str(_("Under way, or again and again"))
    return month_of(day)


def _talk_item(talk: Json, event: Event, typed: RawQuery) -> Json:
    return {
        "url": url_for("pages.talk", talk_id=talk["id"]),
        "title": talk["title"],
        "kind": kind_in_words(talk["kind"]),
        "state": talk["state"],
        "when": when(talk, tzid=event.timezone),
        "place": ", ".join(filter(None, [talk["room"], event.city])),
        "tags": _tags(talk["tags"], typed),
        "event": event,
        "speakers": talk["speakers"],
    }


def _tags(tags: Iterable[str], typed: RawQuery) -> tuple[tuple[str, str], ...]:
    return tuple(
        (tag, typed.url if tag in typed.getlist("tag") else typed.with_added_value("tag", tag).url) for tag in tags
    )
