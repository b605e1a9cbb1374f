"""Embeds of the listing: their parameters, the page for iframes, and the HTML for embedding."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from typing import cast
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from eventcal.events.enums import Attendance, EventStatus
from eventcal.events.models import Event
from eventcal.events.queries import list_events
from eventcal.events.recurrence.occurrences import DEFAULT_PERIOD, complete_day_range, occurrences_between
from eventcal.kit.errors import Invalid, NotFound
from eventcal.members.caller import ANONYMOUS
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, list_talks
from eventcal.web.http.errors import status_of
from eventcal.web.http.urls import encode_query, with_query
from eventcal.web.i18n import translate_error, translate_field_errors
from eventcal.web.identity.permissions import anonymous
from eventcal.web.params.fields import ChoiceParam, drop_unknown_and_blank, language_arg_or_empty, short_line_param
from eventcal.web.params.listing_filters import ListingQuery, ListingQuerySchema, canonical_query
from eventcal.web.params.listing_query import COMMA_SEPARATED_PARAMS, ItemKind, QueryPairs, load_listing_query
from eventcal.web.rendering.dates import format_occurrence_times, format_times
from eventcal.web.rendering.labels import country_label
from eventcal.web.rendering.page import Page, render_page
from eventcal.web.rendering.private_page import invalid_query_response
from eventcal.web.request.context import links
from eventcal.web.schemas.response_schema import Json

embeds = Blueprint("embeds", __name__)

# The Content-Security-Policy of embeds allows iframes on any site, but is otherwise stricter than that of other pages.
_CSP = "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors *"
_EmbedPage = partial(Page, template="embeds/listing.html", indexed=False, content_security_policy=_CSP)

TODAY = "today"
"""The value of `from` for embeds that always begin with the current day."""

# The separator of values in a web component attribute, for filters whose values can contain commas.
_VALUE_SEPARATOR = "|"


class Theme(StrEnum):
    """The colour scheme of an embed. `AUTO` selects the colour scheme of the reader's system."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, kw_only=True)
class EmbedQuery(ListingQuery):
    """The parameters of an embed. `talk` selects a single talk by its ID. `lang` is empty for the reader's language."""

    show: ItemKind = ItemKind.EVENTS
    theme: Theme = Theme.AUTO
    talk: str | None = None
    upcoming: bool = False
    lang: str = ""

    @property
    def filters(self) -> QueryPairs:
        """The parameters that filter, sort and limit the events or talks."""
        pairs = parse_qsl(canonical_query(self))
        return tuple([("from", TODAY), *pairs] if self.upcoming else pairs)

    @property
    def pairs(self) -> QueryPairs:
        """The parameters whose values differ from their defaults."""
        own = (("lang", self.lang), ("show", self.show.value), ("talk", self.talk or ""), ("theme", self.theme.value))
        return (*self.filters, *(pair for pair in own if pair[1] not in {"", ItemKind.EVENTS, Theme.AUTO}))

    @property
    def iframe_path(self) -> str:
        return with_query(url_for("embeds.listing"), encode_query(self.pairs))

    @property
    def page_path(self) -> str:
        """The URL of the listing page, which shows upcoming items by default, relative to the site root."""
        shown = [("show", self.show.value)] if self.show == ItemKind.TALKS else []
        return with_query(url_for("pages.listing"), encode_query((*self._filters_without("limit"), *shown)))

    @property
    def subscribe_path(self) -> str:
        pairs = (*self._filters_without("limit", "sort"), ("show", self.show.value))
        return with_query(url_for("pages.subscribe"), encode_query(pairs))

    def _filters_without(self, *excluded: str) -> QueryPairs:
        return tuple(pair for pair in self.filters if pair[0] not in excluded and pair != ("from", TODAY))


class _EmbedQuerySchema(ListingQuerySchema):
    result_class = EmbedQuery

    show = ChoiceParam(ItemKind)
    talk = short_line_param()
    theme = ChoiceParam(Theme)


# The `cursor` parameter is excluded, because an embed consists of a single page.
_EMBED_SCHEMA = _EmbedQuerySchema(exclude=["cursor"])


def parse_embed_query(args: MultiDict[str, str]) -> EmbedQuery:
    """Parse the query string of an embed, ignoring unknown parameters. Raises Invalid with all errors."""
    known = drop_unknown_and_blank(_EMBED_SCHEMA, args)
    upcoming = known.getlist("from") == [TODAY]
    if upcoming:
        del known["from"]
    query = cast("EmbedQuery", load_listing_query(_EMBED_SCHEMA, known))
    return replace(query, upcoming=upcoming, lang=language_arg_or_empty(args))


def render_iframe(url: str, *, title: str, width: str, height: str) -> str:
    html = '<iframe src="{}" title="{}" width="{}" height="{}" loading="lazy" style="border:0"></iframe>'
    return str(Markup(html).format(url, title, width, height))  # noqa: S704 - format escapes


def web_component_snippet(query: EmbedQuery, base_url: str) -> str:
    values: dict[str, list[str]] = {"src": [base_url]}
    for name, value in query.pairs:
        values.setdefault(name, []).append(value)
    attributes = Markup(" ").join(
        Markup('{}="{}"').format(name, ("," if name in COMMA_SEPARATED_PARAMS else _VALUE_SEPARATOR).join(several))
        for name, several in values.items()
    )
    html = '<script src="{}/embed.js" async></script>\n<eventcal-listing {}></eventcal-listing>'
    return str(Markup(html).format(base_url, attributes))  # noqa: S704 - format escapes


@embeds.get("/embed/listing")
@anonymous
def listing() -> Response:
    try:
        asked = parse_embed_query(request.args)
        return render_page(lambda session, moment: _embed_page(session, asked, moment))
    except (Invalid, NotFound) as error:
        theme = request.args.get("theme")
        context = {
            "refusal": {"said": translate_error(error), "faults": translate_field_errors(error.errors)},
            "theme": theme if theme in list(Theme) else Theme.AUTO,
        }
        page = _EmbedPage(title=_("Nothing to show"), path="/", context=context)
        return invalid_query_response(page, status=status_of(type(error)))


def _embed_page(session: Session, query: EmbedQuery, now: datetime) -> Page:
    items, more = _list_items(session, query, now)
    return _EmbedPage(
        title=_("Talks") if query.show == ItemKind.TALKS or query.talk else _("Events"),
        path=query.page_path,
        time_dependent=query.filter.call_open,
        context={
            "items": items,
            "more": f"{links().base}{query.page_path}" if more else None,
            "subscribe": f"{links().base}{query.subscribe_path}" if query.talk is None else None,
            "theme": query.theme,
        },
    )


def _list_items(session: Session, query: EmbedQuery, now: datetime) -> tuple[list[Json], bool]:
    """Return the items to show, and whether more items exist."""
    if query.talk is not None:
        return [_talk_row(get_talk(session, query.talk, ANONYMOUS))], False
    today = now.astimezone(UTC).date()
    wanted = replace(query.filter, from_day=today) if query.upcoming else query.filter
    paged: Json = {"sort": query.sort, "paging": query.paging, "now": now}
    if query.show == ItemKind.TALKS:
        talks = list_talks(session, wanted, **paged)
        return [_talk_row(talk) for talk in talks.items], talks.next_cursor is not None
    events = list_events(session, wanted, **paged)
    # A recurring event is shown with its next occurrence if the query string specifies no dates.
    days = complete_day_range(wanted.from_day, wanted.to_day) or (today, today + DEFAULT_PERIOD)
    return [_event_row(event, *days) for event in events.items], events.next_cursor is not None


def _event_row(event: Event, first: date, last: date) -> Json:
    """Return the template variables of an event or, if it recurs, of its first occurrence in the date range."""
    one = next(iter(occurrences_between(event, first, last, limit=1)), None) if event.recurrence is not None else None
    country = country_label(event.country) if event.country else None
    online = _("online") if event.attendance != Attendance.IN_PERSON else None
    return {
        "id": event.slug,
        "url": links().event_page(event.slug),
        "title": event.title,
        # An occurrence cannot be confirmed if its event is not confirmed.
        "state": one.status if one is not None and event.status == EventStatus.CONFIRMED else event.status,
        "when": format_occurrence_times(one, event.timezone) if one is not None else format_times(event),
        "place": _join_nonempty(one.venue if one is not None else event.venue, event.city, country, online),
    }


def _talk_row(talk: Talk) -> Json:
    return {
        "id": talk.id,
        "url": links().talk_page(talk.id),
        "title": talk.title,
        "state": talk.public_state,
        "when": format_times(talk),
        "place": _join_nonempty(talk.room.name if talk.room else None, talk.event.venue, talk.event.city),
        "event": talk.event.title,
        "speakers": talk.speakers,
    }


def _join_nonempty(*parts: str | None) -> str:
    return ", ".join(filter(None, parts))
