"""Embeds: their parameters, the listing in an iframe without scripts, and the HTML to copy."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import cast
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from eventcal.events.models import Event
from eventcal.events.queries import list_events
from eventcal.events.recurrence.occurrences import DEFAULT_PERIOD, complete_day_range, occurrences_between
from eventcal.events.words import Attendance, EventStatus
from eventcal.kit.refusals import DomainError, Invalid, NotFound
from eventcal.members.caller import ANONYMOUS
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, list_talks
from eventcal.web.http.errors import status_of
from eventcal.web.http.urls import encode_query, with_query
from eventcal.web.i18n import faults_in_words, refusal_in_words
from eventcal.web.identity.permissions import anonymous
from eventcal.web.params.fields import Word, chosen_language, filled_in, text
from eventcal.web.params.listing_filters import ListingQuery, ListingQuerySchema, canonical_query
from eventcal.web.params.listing_query import COMMAS, Pairs, Show, read_shown
from eventcal.web.rendering.dates import occurrence_when, when_of
from eventcal.web.rendering.labels import country_in_words
from eventcal.web.rendering.page import Page, render_page
from eventcal.web.rendering.private_page import answer_invalid
from eventcal.web.request.context import links
from eventcal.web.schemas.out import Json

embeds = Blueprint("embeds", __name__)

_TEMPLATE = "embeds/listing.html"
# Any site may show the embed in an iframe. Otherwise its policy is stricter than that of other pages.
_POLICY = "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors *"

TODAY = "today"
"""The value of `from`, besides dates, that keeps a pasted embed up to date."""

# Separates several values of a filter in an attribute of the web component, because names may contain commas.
_BETWEEN = "|"


class Theme(StrEnum):
    """The colour scheme of an embed: dark on light, light on dark, or that of the reader's system."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, kw_only=True)
class Embed(ListingQuery):
    """The parameters of an embed.

    upcoming: whether it begins with the current day. talk: the id of the only talk to show.
    lang: the language of its texts, or "" for the reader's language.
    """

    show: Show = Show.EVENTS
    theme: Theme = Theme.AUTO
    talk: str | None = None
    upcoming: bool = False
    lang: str = ""

    @property
    def filters(self) -> Pairs:
        """The parameters that select the events or talks, and how many."""
        pairs = parse_qsl(canonical_query(self))
        return tuple([("from", TODAY), *pairs] if self.upcoming else pairs)

    @property
    def pairs(self) -> Pairs:
        """All parameters except those that have their default value."""
        own = (("lang", self.lang), ("show", self.show.value), ("talk", self.talk or ""), ("theme", self.theme.value))
        return (*self.filters, *((name, value) for name, value in own if value not in {"", Show.EVENTS, Theme.AUTO}))

    @property
    def path(self) -> str:
        """The URL of the iframe's page, relative to the site."""
        return with_query(url_for("embeds.listing"), encode_query(self.pairs))

    @property
    def page(self) -> str:
        """The URL of the page with the same listing, relative to the site. It begins with the current day anyway."""
        shown = [("show", self.show.value)] if self.show == Show.TALKS else []
        return with_query(url_for("pages.listing"), encode_query((*self._lasting("limit"), *shown)))

    @property
    def subscribe(self) -> str:
        """The URL of the page for subscribing to the same selection, relative to the site."""
        pairs = (*self._lasting("limit", "sort"), ("show", self.show.value))
        return with_query(url_for("pages.subscribe"), encode_query(pairs))

    def _lasting(self, *apart: str) -> Pairs:
        return tuple(pair for pair in self.filters if pair[0] not in apart and pair != ("from", TODAY))


class _EmbedArgs(ListingQuerySchema):
    """The parameters of an embed, except its language."""

    result = Embed

    show = Word(Show)
    talk = text()
    theme = Word(Theme)


# An embed has a single page.
_EMBED = _EmbedArgs(exclude=["cursor"])


def read_embed(args: MultiDict[str, str]) -> Embed:
    """Return the embed that a query describes. Unknown parameters are ignored. Raises Invalid with all errors."""
    known = filled_in(_EMBED, args)
    upcoming = known.getlist("from") == [TODAY]
    if upcoming:
        del known["from"]
    return replace(cast("Embed", read_shown(_EMBED, known)), upcoming=upcoming, lang=chosen_language(args))


def iframe(url: str, *, title: str, width: str, height: str) -> str:
    """Return the HTML of an iframe that shows `url`."""
    html = '<iframe src="{}" title="{}" width="{}" height="{}" loading="lazy" style="border:0"></iframe>'
    return str(Markup(html).format(url, title, width, height))  # noqa: S704 - format escapes


def element(embed: Embed, base: str) -> str:
    """Return the HTML of the script and of the web component for an embed of the calendar at `base`."""
    values: dict[str, list[str]] = {"src": [base]}
    for name, value in embed.pairs:
        values.setdefault(name, []).append(value)
    attributes = Markup(" ").join(
        Markup('{}="{}"').format(name, ("," if name in COMMAS else _BETWEEN).join(several))
        for name, several in values.items()
    )
    html = '<script src="{}/embed.js" async></script>\n<eventcal-listing {}></eventcal-listing>'
    return str(Markup(html).format(base, attributes))  # noqa: S704 - format escapes


@embeds.get("/embed/listing")
@anonymous
def listing() -> Response:
    """Show events or talks for an iframe on any site; show the errors if the query is invalid."""
    try:
        asked = read_embed(request.args)
        return render_page(lambda session, moment: _page(session, asked, moment))
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
    """Return the items to show, and whether there are more of them."""
    if asked.talk is not None:
        return [_talk_item(get_talk(session, asked.talk, ANONYMOUS))], False
    today = moment.astimezone(UTC).date()
    wanted = replace(asked.filter, from_day=today) if asked.upcoming else asked.filter
    paged: Json = {"sort": asked.sort, "paging": asked.paging, "now": moment}
    if asked.show == Show.TALKS:
        talks = list_talks(session, wanted, **paged)
        return [_talk_item(talk) for talk in talks.items], talks.next_cursor is not None
    events = list_events(session, wanted, **paged)
    # Without days in the query, a recurring event is shown with its next occurrence.
    days = complete_day_range(wanted.from_day, wanted.to_day) or (today, today + DEFAULT_PERIOD)
    return [_event_item(event, *days) for event in events.items], events.next_cursor is not None


def _event_item(event: Event, first: date, last: date) -> Json:
    """Return the template variables of an event, for a recurring event with its first occurrence in these days."""
    found = occurrences_between(event, first, last, limit=1) if event.recurrence is not None else []
    one = found[0] if found else None
    country = country_in_words(event.country) if event.country else None
    online = _("online") if event.attendance != Attendance.IN_PERSON else None
    return {
        "id": event.slug,
        "url": links().event_page(event.slug),
        "title": event.title,
        # An occurrence may be less certain than its event, but not more certain.
        "state": one.status if one is not None and event.status == EventStatus.CONFIRMED else event.status,
        "when": occurrence_when(one, event.timezone) if one is not None else when_of(event),
        "place": _joined(one.venue if one is not None else event.venue, event.city, country, online),
    }


def _talk_item(talk: Talk) -> Json:
    """Return the template variables of a talk; `event` is the title of its event."""
    return {
        "id": talk.id,
        "url": links().talk_page(talk.id),
        "title": talk.title,
        "state": talk.public_state,
        "when": when_of(talk),
        "place": _joined(talk.room.name if talk.room else None, talk.event.venue, talk.event.city),
        "event": talk.event.title,
        "speakers": talk.speakers,
    }


def _joined(*parts: str | None) -> str:
    return ", ".join(filter(None, parts))


def _refused(refusal: DomainError) -> Response:
    """Return the page of an embed that shows an error."""
    theme = request.args.get("theme")
    page = Page(
        template=_TEMPLATE,
        title=_("Nothing to show"),
        path="/",
        indexed=False,
        policy=_POLICY,
        values={
            "refusal": {"said": refusal_in_words(refusal), "faults": faults_in_words(refusal.errors)},
            "theme": theme if theme in list(Theme) else Theme.AUTO,
        },
    )
    return answer_invalid(page, status=status_of(type(refusal)))
