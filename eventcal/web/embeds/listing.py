"""The listing as a frame: HTML without scripts."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.models import Event
from eventcal.events.queries import list_events
from eventcal.events.recurrence.occurrences import AHEAD, closed_days, occurrences_between
from eventcal.events.words import Attendance, EventStatus
from eventcal.kit.refusals import Invalid, NotFound, Refusal
from eventcal.members.caller import VISITOR
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, list_talks
from eventcal.web.embeds.embed import Embed, Theme, read_embed
from eventcal.web.http.errors import status_of
from eventcal.web.i18n.messages import faults_in_words, refusal_in_words
from eventcal.web.identity.permissions import feed
from eventcal.web.params.listing_query import Show
from eventcal.web.rendering.dates import event_when, talk_when
from eventcal.web.rendering.labels import country_in_words
from eventcal.web.rendering.page import Page, show
from eventcal.web.rendering.private_page import answer_invalid
from eventcal.web.rendering.recurrence_text import occurrence_when
from eventcal.web.request.context import links

Json = dict[str, Any]

embeds = Blueprint("embeds", __name__)

_TEMPLATE = "embeds/listing.html"
# Any site may show the page in a frame; otherwise it may do less than others.
_POLICY = "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors *"


@embeds.get("/embed/listing")
@feed
def listing() -> Response:
    """Show events or talks in a frame on anybody's site; what is wrong with the query is said there too."""
    try:
        asked = read_embed(request.args)
        return show(lambda session, moment: _page(session, asked, moment))
    except (Invalid, NotFound) as refusal:
        return _refused(refusal)


def _page(session: Session, asked: Embed, moment: datetime) -> Page:
    items, more = _items(session, asked, moment)
    return Page(
        template=_TEMPLATE,
        title=_("Talks") if asked.show == Show.TALKS or asked.talk else _("Events"),
        path=asked.page,
        changes_by_itself=asked.filter.call_open,
        indexed=False,
        policy=_POLICY,
        values={
            "items": items,
            "more": f"{links().base}{asked.page}" if more else None,
            "subscribe": f"{links().base}{asked.subscribe}" if asked.talk is None else None,
            "theme": asked.theme,
        },
    )


def _items(session: Session, asked: Embed, moment: datetime) -> tuple[list[Json], bool]:
    """Return what is shown, and whether there is more of it."""
    if asked.talk is not None:
        return [_talk_item(get_talk(session, asked.talk, VISITOR))], False
    today = moment.astimezone(UTC).date()
    wanted = replace(asked.filter, from_day=today) if asked.upcoming else asked.filter
    paged: Json = {"sort": asked.sort, "paging": asked.paging, "now": moment}
    if asked.show == Show.TALKS:
        talks = list_talks(session, wanted, **paged)
        return [_talk_item(talk) for talk in talks.items], talks.next is not None
    events = list_events(session, wanted, **paged)
    # Where no days are asked for, what happens again and again is shown as it is next.
    days = closed_days(wanted.from_day, wanted.to_day) or (today, today + AHEAD)
    return [_event_item(event, *days) for event in events.items], events.next is not None


def _event_item(event: Event, first: date, last: date) -> Json:
    """Return what is shown of an event; of a recurring one, its first occurrence in these days."""
    found = occurrences_between(event, first, last, limit=1) if event.recurrence is not None else []
    one = found[0] if found else None
    country = country_in_words(event.country) if event.country else None
    online = _("online") if event.attendance != Attendance.IN_PERSON else None
    return {
        "id": event.slug,
        "url": links().event_page(event.slug),
        "title": event.title,
        # An occurrence may be less sure than the whole, not surer.
        "state": one.status if one is not None and event.status == EventStatus.CONFIRMED else event.status,
        "when": occurrence_when(one, event.timezone) if one is not None else event_when(event),
        "place": _joined(one.venue if one is not None else event.venue, event.city, country, online),
    }


def _talk_item(talk: Talk) -> Json:
    """Return what is shown of a talk; `event` is the title of its event."""
    return {
        "id": talk.id,
        "url": links().talk_page(talk.id),
        "title": talk.title,
        "state": talk.shown_state,
        "when": talk_when(talk),
        "place": _joined(talk.room.name if talk.room else None, talk.event.venue, talk.event.city),
        "event": talk.event.title,
        "speakers": talk.speakers,
    }


def _joined(*parts: str | None) -> str:
    return ", ".join(filter(None, parts))


def _refused(refusal: Refusal) -> Response:
    """Return the frame that says in words why there is nothing in it."""
    theme = request.args.get("theme")
    page = Page(
        template=_TEMPLATE,
        title=_("Nothing to show"),
        path="/",
        indexed=False,
        policy=_POLICY,
        values={
            "refusal": {"said": refusal_in_words(refusal), "faults": faults_in_words(refusal.faults)},
            "theme": theme if theme in list(Theme) else Theme.AUTO,
        },
    )
    return answer_invalid(page, status=status_of(type(refusal)))
