"""The listing as a frame: HTML without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter
from eventcal.events.models import Event
from eventcal.events.queries import list_events
from eventcal.events.words import Attendance, EventStatus
from eventcal.kit.refusals import Invalid, NotFound, Refusal
from eventcal.members.caller import VISITOR
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, list_talks
from eventcal.web.embeds.embed import Embed, read_embed, theme_of
from eventcal.web.http.errors import status_of
from eventcal.web.i18n.messages import in_words, refusal_in_words
from eventcal.web.identity.permissions import feed
from eventcal.web.params.listing_query import Show
from eventcal.web.rendering.dates import When, when
from eventcal.web.rendering.labels import country_in_words
from eventcal.web.rendering.page import Page, show
from eventcal.web.rendering.private_page import answer_invalid
from eventcal.web.request.context import links
from eventcal.web.schemas.events import event_json, with_occurrences
from eventcal.web.schemas.talks import talk_json

Json = dict[str, Any]

embeds = Blueprint("embeds", __name__)

_TEMPLATE = "embeds/listing.html"
# Any site may show the page in a frame; otherwise it may do less than others.
_POLICY = "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors *"


@dataclass(frozen=True, kw_only=True)
class Item:
    """An event or a talk in the frame; `event` is the title of a talk's."""

    id: str
    url: str
    title: str
    state: str
    when: When | None
    place: str
    event: str | None = None
    speakers: Sequence[Json] = ()


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
            "theme": asked.theme.value,
            "refusal": None,
        },
    )


def _items(session: Session, asked: Embed, moment: datetime) -> tuple[list[Item], bool]:
    """Return what is shown, and whether there is more of it."""
    if asked.talk is not None:
        return [_talk_item(get_talk(session, asked.talk, VISITOR))], False
    today = moment.astimezone(UTC).date()
    wanted = asked.filter_on(today)
    paged: Json = {"sort": asked.sort, "paging": asked.paging, "now": moment}
    if asked.show == Show.TALKS:
        talks = list_talks(session, wanted, **paged)
        return [_talk_item(talk) for talk in talks.items], talks.next is not None
    # Where no days are asked for, what happens again and again is shown as it is next.
    days = wanted if wanted.from_day or wanted.to_day else replace(wanted, from_day=today)
    events = list_events(session, wanted, **paged)
    return [_event_item(event, days) for event in events.items], events.next is not None


def _event_item(event: Event, days: Filter) -> Item:
    shown = with_occurrences(event_json(event, links()), event, days)
    one = next(iter(shown["occurrences"] or ()), None)
    at = one or {**shown, "venue": event.venue}
    country = country_in_words(event.country) if event.country else None
    online = _("online") if event.attendance != Attendance.IN_PERSON else None
    return Item(
        id=event.slug,
        url=shown["links"]["html"],
        title=event.title,
        # An occurrence may be less sure than the whole, not surer.
        state=at["status"] if event.status == EventStatus.CONFIRMED else event.status,
        when=when(at, tzid=event.timezone),
        place=_joined(at["venue"], event.city, country, online),
    )


def _talk_item(talk: Talk) -> Item:
    shown = talk_json(talk, links())
    return Item(
        id=talk.id,
        url=shown["links"]["html"],
        title=talk.title,
        state=shown["state"],
        when=when(shown, tzid=talk.event.timezone),
        place=_joined(shown["room"], talk.event.venue, talk.event.city),
        event=talk.event.title,
        speakers=shown["speakers"],
    )


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _in_words(refusal: Refusal) -> dict[str, object]:
    """Return what is refused, and each parameter with what is wrong with it, in the reader's language."""
    faults = [(fault.pointer.removeprefix("?"), in_words(fault.detail)) for fault in refusal.faults]
    return {"said": refusal_in_words(refusal), "faults": faults}


def _refused(refusal: Refusal) -> Response:
    """Return the frame that says in words why there is nothing in it."""
    page = Page(
        template=_TEMPLATE,
        title=_("Nothing to show"),
        path="/",
        indexed=False,
        policy=_POLICY,
        values={"items": [], "refusal": _in_words(refusal), "theme": theme_of(request.args).value},
    )
    return answer_invalid(page, status=status_of(type(refusal)))
