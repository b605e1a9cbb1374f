"""The listing: what is coming up, as a list or as a month, filtered as lists and feeds are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import find_events_by_slug, narrowed
from eventcal.feeds.resources import event_resources, talk_resources
from eventcal.kit.refusals import Invalid
from eventcal.web.i18n.locale import language
from eventcal.web.identity.permissions import feed
from eventcal.web.pages.public.filter_bar import Seen, bar_of, feeds_of
from eventcal.web.pages.public.month import month_page
from eventcal.web.pages.public.recurring import Repeats, repeats
from eventcal.web.params.listing_filters import Listing
from eventcal.web.params.listing_query import Show, Typed, View, Wanted, read_wanted, typed_in
from eventcal.web.rendering.dates import When, long_day, month_of, when
from eventcal.web.rendering.labels import country_in_words, kind_in_words, value_in_words
from eventcal.web.rendering.page import MEDIA_TYPE, Page, guarded, pages, render, show
from eventcal.web.request.context import settings

Json = dict[str, Any]

_PAGE = 25
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Item:
    """An event or a talk in the list. `event`: a talk's, with its title and slug. `repeats`: a recurring event's."""

    url: str
    title: str
    kind: str
    state: str
    when: When | None
    place: str
    tags: tuple[tuple[str, str], ...]
    event: Json | None = None
    speakers: Sequence[Json] = ()
    repeats: Repeats | None = None


@dataclass(frozen=True, kw_only=True)
class Group:
    """What stands under one heading."""

    heading: str
    items: list[Item]


@pages.get("/")
@feed
def listing() -> Response:
    """Show what is coming up; where what is asked for cannot be read, show what was typed and what is wrong."""
    typed = typed_in(request.args)

    def make(session: Session, moment: datetime) -> Page:
        wanted = read_wanted(typed)
        page = month_page if wanted.view == View.MONTH else _list_page
        return replace(
            page(session, typed, wanted, moment),
            feeds=feeds_of(wanted),
            embeddable=wanted.view == View.LIST,
            # Calls open and close by the clock.
            changes_by_itself=bool(typed.first_of("cfp")),
        )

    try:
        return show(make)
    except Invalid as refusal:
        return _sent_back(typed, refusal)


def _sent_back(typed: Typed, refusal: Invalid) -> Response:
    page = Page(
        template="pages/listing.html",
        title=_("Some of this cannot be looked for"),
        path="/",
        indexed=False,
        values={"bar": bar_of(typed, Seen(), refusal.faults), "groups": [], "refused": True, "past": None},
    )
    answer = guarded(Response(render(page), HTTPStatus.UNPROCESSABLE_ENTITY, content_type=MEDIA_TYPE))
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Language"] = language()
    return answer


def _list_page(session: Session, typed: Typed, wanted: Wanted, moment: datetime) -> Page:
    today = moment.astimezone(UTC).date()
    asked = _from_today(wanted.filter, today)
    read = _talks if wanted.show == Show.TALKS else _events
    paging = replace(wanted.listing.paging, limit=_PAGE)
    groups, seen, cursor = read(session, typed, replace(wanted.listing, filter=asked, paging=paging), moment)
    heading = _heading(typed, wanted, today)
    whole = not typed.filters and wanted.show == Show.EVENTS
    return Page(
        template="pages/listing.html",
        title=settings().name if whole and wanted.path == "/" else heading,
        path=wanted.path,
        description=_("Events and their talks: to read, to filter and to subscribe to."),
        indexed=len(typed.filters) <= 1 and not typed.first_of("q") and not typed.first_of("cursor"),
        values={
            "heading": heading,
            "bar": bar_of(typed, seen),
            "groups": groups,
            "refused": False,
            "show": wanted.show.value,
            "next": typed.having(cursor=cursor).url if cursor else None,
            "first": typed.having().url if typed.first_of("cursor") else None,
            "past": _past(typed, today) if asked != wanted.filter else None,
            "upcoming": _upcoming(typed) if _is_past(wanted, today) else None,
            "feed_query": wanted.feed_query,
        },
    )


def _from_today(asked: Filter, today: date) -> Filter:
    """Return the filter, from today on where it names no days."""
    return replace(asked, from_day=today) if asked.from_day is None and asked.to_day is None else asked


def _is_past(wanted: Wanted, today: date) -> bool:
    return wanted.filter.to_day is not None and wanted.filter.to_day < today


def _past(typed: Typed, today: date) -> str:
    return typed.having(to=(today - _A_DAY).isoformat(), sort=Sort.STARTS_DOWN.value).url


def _upcoming(typed: Typed) -> str:
    return typed.having(**{"from": None, "to": None, "sort": None}).url


def _heading(typed: Typed, wanted: Wanted, today: date) -> str:
    named = ", ".join(value_in_words(name, value) for name, value in typed.filters if name not in {"from", "to"})
    if named:
        words = _("Events: %(about)s", about=named), _("Talks: %(about)s", about=named)
    elif _is_past(wanted, today):
        words = _("Past events"), _("Past talks")
    elif wanted.filter.from_day or wanted.filter.to_day:
        words = _("Events"), _("Talks")
    else:
        words = _("Upcoming events"), _("Upcoming talks")
    return str(words[wanted.show == Show.TALKS])


def _events(session: Session, typed: Typed, listing: Listing, moment: datetime) -> tuple[list[Group], Seen, str | None]:
    asked = listing.filter
    exactly = narrowed(session, asked)
    page = event_resources(session, exactly, sort=listing.sort, paging=listing.paging, now=moment)
    shown = [orjson.loads(text) for text in page.items]
    grouped = [
        (_month_heading(event, asked, listing.sort), _event_item(event, typed, asked, moment)) for event in shown
    ]
    seen = Seen(
        tags=[tag for event in shown for tag in event["tags"]],
        kinds=[event["kind"] for event in shown if event["kind"]],
        countries=[event["location"]["country"] for event in shown if event["location"]["country"]],
    )
    return _groups(grouped), seen, page.next


def _event_item(event: Json, typed: Typed, asked: Filter, moment: datetime) -> Item:
    again = repeats(event, asked, moment)
    place = event["location"]
    where = [place["venue"], place["city"], country_in_words(place["country"]) if place["country"] else None]
    if event["attendance"] != "in_person":
        where.append(_("online"))
    return Item(
        url=f"/events/{event['slug']}",
        title=event["title"],
        kind=kind_in_words(event["kind"] or ""),
        state=again.status if again else event["status"],
        when=again.next if again else when(event, tzid=event["timezone"]),
        place=", ".join(part for part in where if part),
        tags=_tags(event["tags"], typed),
        repeats=again,
    )


def _month_heading(event: Json, asked: Filter, sort: Sort) -> str:
    """Return what an event stands under: its month; what began before the days asked for comes first, as it is sorted.

    A recurring event stands where its series begins.
    """
    if sort == Sort.UPDATED:
        return str(_("Changed last"))
    begins = when(event, tzid=event["timezone"])
    day = begins.on if begins else date.fromisoformat(event["starts"][:10])
    if asked.from_day and day < asked.from_day:
        return str(_("Under way, or again and again"))
    return month_of(day)


def _talks(session: Session, typed: Typed, listing: Listing, moment: datetime) -> tuple[list[Group], Seen, str | None]:
    asked = listing.filter
    page = talk_resources(session, asked, sort=listing.sort, paging=listing.paging, now=moment)
    shown = [orjson.loads(text) for text in page.items]
    events = find_events_by_slug(session, {talk["event"] for talk in shown})
    grouped = [_under_its_day(talk, events[talk["event"]], typed, listing.sort) for talk in shown]
    seen = Seen(
        tags=[tag for talk in shown for tag in talk["tags"]],
        kinds=[talk["kind"] for talk in shown],
        countries=[country for talk in shown if (country := events[talk["event"]].country)],
    )
    return _groups(grouped), seen, page.next


def _under_its_day(talk: Json, event: Event, typed: Typed, sort: Sort) -> tuple[str, Item]:
    item = _talk_item(talk, event, typed)
    return _day_heading(item, event, sort), item


def _talk_item(talk: Json, event: Event, typed: Typed) -> Item:
    return Item(
        url=f"/talks/{talk['id']}",
        title=talk["title"],
        kind=kind_in_words(talk["kind"]),
        state=talk["state"],
        when=when(talk, tzid=event.timezone),
        place=", ".join(part for part in (talk["room"], event.city) if part),
        tags=_tags(talk["tags"], typed),
        event={"title": event.title, "slug": event.slug},
        speakers=talk["speakers"],
    )


def _day_heading(item: Item, event: Event, sort: Sort) -> str:
    """Return what a talk stands under: its day; one without a time comes where its event begins, as it is sorted."""
    if sort == Sort.UPDATED:
        return str(_("Changed last"))
    return long_day(item.when.on if item.when else date.fromisoformat(event.starts[:10]))


def _groups(items: Iterable[tuple[str, Item]]) -> list[Group]:
    groups: dict[str, Group] = {}
    for heading, item in items:
        groups.setdefault(heading, Group(heading=heading, items=[])).items.append(item)
    return list(groups.values())


def _tags(tags: Sequence[str], typed: Typed) -> tuple[tuple[str, str], ...]:
    """Return tags, each with the address of this listing filtered by it too."""
    return tuple((tag, typed.url if tag in typed.all_of("tag") else typed.adding("tag", tag).url) for tag in tags)
