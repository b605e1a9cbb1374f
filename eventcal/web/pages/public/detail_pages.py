"""The pages that show an event, a talk or a speaker."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency
from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.enums import ACTIVE_STATUSES, PUBLIC_STATUSES, Attendance
from eventcal.events.filter import Filter, Sort
from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.events.rules import is_accepting_talks, is_over
from eventcal.kit.errors import Message
from eventcal.kit.markdown import to_plain_text
from eventcal.members.caller import ANONYMOUS
from eventcal.speakers.service import get_speaker
from eventcal.sponsors.queries import list_confirmed_sponsors_by_tier
from eventcal.sponsors.rules import has_free_place
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, list_talks
from eventcal.web.i18n import current_locale, translate
from eventcal.web.identity.permissions import anonymous
from eventcal.web.media import find_uploaded_path
from eventcal.web.pages.public.json_ld import event_json_ld, speaker_json_ld, talk_json_ld
from eventcal.web.pages.public.listing_data import iter_all_rows
from eventcal.web.pages.public.schedule import event_feed_links, load_event_programme
from eventcal.web.rendering.dates import format_instant, format_resource_times, format_time_left, recurrence_context
from eventcal.web.rendering.labels import country_label, kind_label, shorten_for_preview
from eventcal.web.rendering.page import FeedLink, Page, page_view, pages
from eventcal.web.request.context import links
from eventcal.web.schemas.events import event_json
from eventcal.web.schemas.response_schema import Json
from eventcal.web.schemas.speakers import speaker_json
from eventcal.web.schemas.talks import talk_json

# The maximum number of talks on an event page. The schedule page lists all talks.
_MAX_TALKS = 50
_ATTENDANCE_LABELS = {
    Attendance.IN_PERSON: Message("In person"),
    Attendance.ONLINE: Message("Online"),
    Attendance.HYBRID: Message("In person and online"),
}


@pages.get("/events/<slug>")
@anonymous
@page_view
def event(session: Session, now: datetime, slug: str) -> Page:
    row = get_event(session, slug, ANONYMOUS)
    resource = event_json(row, links())
    country = country_label(row.country) if row.country else None
    return Page(
        template="pages/event.html",
        title=row.title,
        description=shorten_for_preview(row.summary or to_plain_text(row.description or "")),
        feeds=event_feed_links(row),
        embeddable=True,
        json_ld=event_json_ld(row, links()),
        time_dependent=_may_call_change_today(row, now),
        context={
            "event": resource,
            "when": format_resource_times(resource, tzid=row.timezone),
            "recurring": recurrence_context(row, now),
            "place": ", ".join(filter(None, [row.venue, row.address, row.city, row.region, country])),
            "map": _map_url(row),
            "attendance": translate(_ATTENDANCE_LABELS[row.attendance]),
            "price": _price_label(row.price_amount, row.price_currency),
            "call": _call_for_talks_context(row, now),
            "neighbours": [link.other for link in row.neighbours if link.other.status in PUBLIC_STATUSES],
            "programme": load_event_programme(session, row, max_talks=_MAX_TALKS, now=now),
            "tiers": _sponsor_tier_rows(session, row, now=now),
        },
    )


def _map_url(row: Event) -> str | None:
    if row.latitude is None or row.longitude is None:
        return None
    latitude, longitude = f"{row.latitude:.6f}", f"{row.longitude:.6f}"
    return f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=17/{latitude}/{longitude}"


def _price_label(amount: Decimal | None, currency: str | None) -> str | None:
    if amount is None or currency is None:
        return None
    if amount == 0:
        return str(_("free of charge"))
    return str(format_currency(amount, currency, locale=current_locale()))


def _sponsor_tier_rows(session: Session, row: Event, *, now: datetime) -> list[Json]:
    """Return the tiers with their sponsors. Once sponsors are no longer sought, tiers without sponsors are omitted."""
    is_sought = row.status in ACTIVE_STATUSES and not is_over(row.last_ends_at, now=now)
    return [
        {
            "name": tier.name,
            "price": _price_label(tier.price_amount, tier.price_currency),
            "benefits": tier.benefits,
            "is_sold_out": not has_free_place(tier.capacity, len(sponsors)),
            "sponsors": [
                {"name": sponsor.name, "url": sponsor.url, "logo": find_uploaded_path(sponsor.logo_url)}
                for sponsor in sponsors
            ],
        }
        for tier, sponsors in list_confirmed_sponsors_by_tier(session, row)
        if sponsors or is_sought
    ]


def _call_for_talks_context(event: Event, now: datetime) -> Mapping[str, object] | None:
    """Return the template variables for the call for talks, or None if the event has no call and accepts no talks."""
    is_open = is_accepting_talks(event, now=now)
    call = event.call
    if call is None:
        return {"is_open": True} if is_open else None
    closes = call.closes_at or event.starts_at
    opens = call.opens_at if not is_open and call.opens_at is not None and now < call.opens_at else None
    return {
        "is_open": is_open,
        "opens": format_instant(opens, tzid=event.timezone) if opens else None,
        "closes": format_instant(closes, tzid=event.timezone),
        "last_day": call.closes if call.anywhere_on_earth else None,
        "left": format_time_left(closes, now) if is_open else None,
        "kinds": [kind_label(kind) for kind in call.kinds],
        "note": call.note,
    }


def _may_call_change_today(event: Event, now: datetime) -> bool:
    """Return whether the call for talks can open or close on the current UTC day."""
    times = [event.starts_at, event.last_ends_at]
    if event.call is not None:
        times += [event.call.opens_at, event.call.closes_at]
    return any(time.astimezone(UTC).date() == now.astimezone(UTC).date() for time in times if time is not None)


@pages.get("/talks/<talk_id>")
@anonymous
@page_view
def talk(session: Session, _now: datetime, talk_id: str) -> Page:
    row = get_talk(session, talk_id, ANONYMOUS)
    portraits = [(speaker, find_uploaded_path(speaker.photo_url)) for speaker in row.speaker_rows]
    return Page(
        template="pages/talk.html",
        title=row.title,
        description=shorten_for_preview(to_plain_text(row.abstract or "")),
        feeds=(FeedLink(url=links().talk_feed(row.id), title=row.title),),
        embeddable=True,
        json_ld=talk_json_ld(row, links()),
        context={"talk": _talk_context(row), "portraits": [pair for pair in portraits if pair[1]]},
    )


@pages.get("/speakers/<slug>")
@anonymous
@page_view
def speaker(session: Session, now: datetime, slug: str) -> Page:
    row = get_speaker(session, slug, ANONYMOUS)
    photo = find_uploaded_path(row.photo_url)
    # Only the UTC date determines whether a talk is past, because pages are cached until the end of the UTC day.
    today = now.astimezone(UTC).date().isoformat()
    filters = Filter(speakers=(row.slug,))
    talks = list(iter_all_rows(lambda paging: list_talks(session, filters, sort=Sort.STARTS, paging=paging, now=now)))
    return Page(
        template="pages/speaker.html",
        title=row.name,
        # The canonical path of a merged speaker's page contains the slug of the remaining speaker.
        path=url_for("pages.speaker", slug=row.slug),
        description=shorten_for_preview(to_plain_text(row.bio or "")),
        image=links().image(photo),
        feeds=(FeedLink(url=links().speaker_feed(row.slug), title=_("Talks by %(name)s", name=row.name)),),
        json_ld=speaker_json_ld(row, links()),
        context={
            "speaker": speaker_json(row, links()),
            "photo": photo,
            "upcoming": [_talk_context(talk) for talk in talks if talk.last_day >= today],
            "past": [_talk_context(talk) for talk in reversed(talks) if talk.last_day < today],
        },
    )


def _talk_context(row: Talk) -> dict[str, Any]:
    resource = talk_json(row, links())
    return {**resource, "event": row.event, "when": format_resource_times(resource, tzid=row.event.timezone)}
