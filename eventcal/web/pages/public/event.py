"""An event's page."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency
from flask import Response
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.events.words import PUBLIC_STATUSES, Attendance
from eventcal.feeds.formats import atom
from eventcal.feeds.frab.json_format import JSON_MEDIA_TYPE
from eventcal.feeds.frab.xml import XML_MEDIA_TYPE
from eventcal.kit.markdown import to_plain
from eventcal.members.caller import VISITOR
from eventcal.sponsors.queries import confirmed_sponsors
from eventcal.web.i18n.locale import locale
from eventcal.web.identity.permissions import feed
from eventcal.web.media import own_path
from eventcal.web.pages.public.call_for_talks import call_of, turns_today
from eventcal.web.pages.public.json_ld import event_structured
from eventcal.web.pages.public.programme import read_programme
from eventcal.web.rendering.dates import when
from eventcal.web.rendering.labels import country_in_words, short
from eventcal.web.rendering.page import FeedLink, Page, pages, show
from eventcal.web.rendering.recurrence_text import recurring
from eventcal.web.request.context import links
from eventcal.web.schemas.events import event_json

Json = dict[str, Any]

# How many talks the page names; the schedule has all.
_MOST = 50


@pages.get("/events/<slug>")
@feed
def event(slug: str) -> Response:
    """Show an event."""

    def make(session: Session, moment: datetime) -> Page:
        row = get_event(session, slug, VISITOR)
        shown = event_json(row, links())
        return Page(
            template="pages/event.html",
            title=row.title,
            path=f"/events/{row.slug}",
            description=short(row.summary or to_plain(row.description or "")),
            feeds=event_feeds(row),
            embeddable=True,
            structured=event_structured(row, links()),
            changes_by_itself=turns_today(row, moment),
            values={
                "event": shown,
                "when": when(shown, tzid=row.timezone),
                "recurring": recurring(row, moment),
                "place": _place(row),
                "map": _map(row),
                "attendance": _attendance(row),
                "price": _price(row.price_amount, row.price_currency),
                "call": call_of(row, moment),
                "neighbours": _neighbours(row),
                "programme": read_programme(session, row, most=_MOST, now=moment),
                "tiers": _tiers(session, row),
            },
        )

    return show(make)


def event_feeds(row: Event) -> tuple[FeedLink, ...]:
    """Return the feeds of an event, the calendar first."""
    page = links().event_page(row.slug)
    return (
        FeedLink(url=links().event_feed(row.slug), type="text/calendar", title=row.title),
        FeedLink(url=f"{page}.atom", type=_bare(atom.MEDIA_TYPE), title=_("News of %(event)s", event=row.title)),
        FeedLink(
            url=f"{page}/schedule.xml",
            type=_bare(XML_MEDIA_TYPE),
            title=_("Schedule of %(event)s (XML)", event=row.title),
        ),
        FeedLink(
            url=f"{page}/schedule.json", type=JSON_MEDIA_TYPE, title=_("Schedule of %(event)s (JSON)", event=row.title)
        ),
    )


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0]


def _place(row: Event) -> str:
    country = country_in_words(row.country) if row.country else None
    return ", ".join(filter(None, [row.venue, row.address, row.city, row.region, country]))


def _map(row: Event) -> str | None:
    """Return where OpenStreetMap shows the place, if it is known."""
    if row.latitude is None or row.longitude is None:
        return None
    there = f"{row.latitude:.6f}", f"{row.longitude:.6f}"
    return f"https://www.openstreetmap.org/?mlat={there[0]}&mlon={there[1]}#map=17/{there[0]}/{there[1]}"


def _attendance(row: Event) -> str:
    words = {
        Attendance.IN_PERSON: _("In person"),
        Attendance.ONLINE: _("Online"),
        Attendance.HYBRID: _("In person and online"),
    }
    return str(words[row.attendance])


def _price(amount: Decimal | None, currency: str | None) -> str | None:
    if amount is None or currency is None:
        return None
    if amount == 0:
        return str(_("free of charge"))
    return str(format_currency(amount, currency, locale=locale()))


def _neighbours(row: Event) -> list[Json]:
    others = [neighbour.other for neighbour in row.neighbours if neighbour.other.status in PUBLIC_STATUSES]
    return [{"slug": other.slug, "title": other.title} for other in others]


def _tiers(session: Session, row: Event) -> list[Json]:
    return [
        {
            "name": tier.name,
            "sponsors": [{"name": one.name, "url": one.url, "logo": own_path(one.logo_url)} for one in sponsors],
        }
        for tier, sponsors in confirmed_sponsors(session, row)
        if sponsors
    ]
