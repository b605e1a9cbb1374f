"""The subscribe page, which shows the URL of a feed and instructions for calendar apps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import parse_qsl, quote

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from eventcal.events.filter import NO_FILTER, Filter
from eventcal.feeds.apply_options import Cancelled
from eventcal.feeds.clients import CLIENTS, ClientKind
from eventcal.feeds.event_and_talk_titles import get_event_title
from eventcal.kit.errors import Invalid
from eventcal.members.caller import ANONYMOUS
from eventcal.speakers.service import get_speaker
from eventcal.web.http.urls import with_query
from eventcal.web.i18n import translate_field_errors
from eventcal.web.identity.permissions import anonymous
from eventcal.web.params.fields import language_arg_or_empty
from eventcal.web.params.listing_filters import (
    FeedQuery,
    Include,
    ListingQuery,
    canonical_query,
    known_feed_args,
    parse_feed_query,
)
from eventcal.web.rendering.dates import format_long_day
from eventcal.web.rendering.labels import parameter_label, parameter_value_label
from eventcal.web.rendering.page import FeedLink, Page, pages, render_page
from eventcal.web.rendering.private_page import invalid_query_response
from eventcal.web.request.context import links, settings

_DEFAULT_INCLUDE = (Include.EVENTS, Include.TALKS)
# The query parameters that have visible form fields.
_FORM_PARAMETERS = frozenset({"include", "cancelled"})

# The calendar apps that have separate buttons or instructions on the subscribe page.
_MAIN_APPS = (ClientKind.APPLE, ClientKind.GOOGLE, ClientKind.MICROSOFT365, ClientKind.OUTLOOK, ClientKind.THUNDERBIRD)
_NON_CALENDAR_CLIENTS = frozenset(
    {ClientKind.MONITOR, ClientKind.ROBOT, ClientKind.SCRIPT, ClientKind.BROWSER, ClientKind.OTHER}
)


@dataclass(frozen=True, kw_only=True)
class FeedTarget:
    """The feed of the selected event or speaker, or the filtered calendar feed. `base_url` has no format suffix."""

    base_url: str
    name: str
    selection: FeedQuery
    url_query: FeedQuery
    scope: Literal["event", "speaker", "calendar"] = "calendar"

    @property
    def included(self) -> Sequence[Include]:
        return self.selection.include or _DEFAULT_INCLUDE

    def alternate_format_urls(self) -> dict[str, str]:
        """Return the URLs of the selection in formats other than iCalendar, by display name."""
        listing = canonical_query(ListingQuery(filter=self.selection.filter))
        everything = canonical_query(self.selection)
        calendar = links().calendar_feed("")
        news = (self.base_url, canonical_query(self.url_query)) if self.scope == "event" else (calendar, everything)
        urls = {
            _("Atom, for news readers"): with_query(f"{news[0]}.atom", news[1]),
            _("CSV, for spreadsheets"): with_query(f"{calendar}.csv", everything),
        }
        if Include.EVENTS in self.included and self.scope != "speaker":
            urls[_("JSON: the events")] = with_query(links().api("/events"), listing)
        if Include.TALKS in self.included:
            urls[_("JSON: the talks")] = with_query(links().api("/talks"), listing)
        return urls


@pages.get("/subscribe")
@anonymous
def subscribe() -> Response:
    args = _extract_feed_args(request.args)
    try:
        selection = parse_feed_query(args)
    except Invalid as error:
        return invalid_query_response(_build_invalid_query_page(args, error))
    # The default value of `include` is omitted to keep the feed URL short.
    short = replace(selection, include=()) if set(selection.include) == set(_DEFAULT_INCLUDE) else selection
    return render_page(lambda session, _moment: _build_subscribe_page(_get_feed_target(session, short)))


def _extract_feed_args(args: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return the non-empty query parameters that apply to feeds, converting `show` to `include`."""
    known = [pair for pair in known_feed_args(args).items(multi=True) if pair[0] != "tz" or pair[1] == "utc"]
    show = args.get("show")
    if show in _DEFAULT_INCLUDE and not any(name == "include" for name, _value in known):
        known.append(("include", str(show)))
    return MultiDict(known)


def _get_feed_target(session: Session, selection: FeedQuery) -> FeedTarget:
    """Return the feed for a selection, or raise NotFound if the selected event or speaker does not exist."""
    filters = selection.filter
    narrowed = replace(selection, filter=NO_FILTER)
    if len(filters.events) == 1 and filters == Filter(events=filters.events):
        slug = filters.events[0]
        url, title = links().event_page(slug), get_event_title(session, slug).title
        return FeedTarget(base_url=url, name=title, selection=selection, url_query=narrowed, scope="event")
    if len(filters.speakers) == 1 and filters == Filter(speakers=filters.speakers):
        row = get_speaker(session, filters.speakers[0], ANONYMOUS)
        return FeedTarget(
            base_url=links().speaker_page(row.slug),
            name=_("Talks by %(name)s", name=row.name),
            selection=replace(selection, filter=Filter(speakers=(row.slug,)), include=(Include.TALKS,)),
            url_query=replace(narrowed, include=()),
            scope="speaker",
        )
    url = links().calendar_feed("")
    return FeedTarget(base_url=url, name=settings().name, selection=selection, url_query=selection)


def _build_subscribe_page(target: FeedTarget) -> Page:
    url = with_query(f"{target.base_url}.ics", canonical_query(target.url_query))
    hidden = _hidden_parameters(target.selection)
    is_default = target.selection == FeedQuery()
    title = (
        _("Subscribe to this selection") if target.scope == "calendar" else _("Subscribe: %(name)s", name=target.name)
    )
    return Page(
        template="pages/subscribe.html",
        title=_("Subscribe") if is_default else title,
        path=with_query(request.path.rstrip("/"), canonical_query(target.selection)),
        description=_("Events and talks in your own calendar, always up to date."),
        feeds=(FeedLink(url=url, title=target.name),),
        indexed=is_default,
        context={
            "name": target.name,
            **calendar_apps_context(url, target.name),
            "sisters": target.alternate_format_urls(),
            "holds": _feed_summary_rows(target),
            "form": _subscribe_form_context(
                hidden, target.included, target.selection.cancelled, show_kinds=target.scope != "speaker"
            ),
        },
    )


def _feed_summary_rows(target: FeedTarget) -> Sequence[tuple[str, str]]:
    kinds = {
        Include.EVENTS: _("Events"),
        Include.TALKS: _("Talks"),
        Include.DEADLINES: _("When calls for talks open and close"),
    }
    days = {"from": target.selection.filter.from_day, "to": target.selection.filter.to_day}
    rows = [(_("Holds"), ", ".join(kinds[kind] for kind in kinds if kind in target.included))]
    for name, value in _hidden_parameters(target.url_query):
        day = days.get(name)
        rows.append((parameter_label(name), format_long_day(day) if day else parameter_value_label(name, value)))
    if target.scope == "calendar" and not any(days.values()):
        rows.append((_("Days"), _("The last weeks, and more than a year ahead")))
    return rows


def _hidden_parameters(selection: FeedQuery) -> list[tuple[str, str]]:
    return parse_qsl(canonical_query(replace(selection, include=(), cancelled=Cancelled.KEEP)))


def _build_invalid_query_page(args: MultiDict[str, str], error: Invalid) -> Page:
    errors = dict(reversed(translate_field_errors(error.errors)))
    visible = [(name, value) for name, value in args.items(multi=True) if name not in _FORM_PARAMETERS]
    included = [kind for value in args.getlist("include") for kind in value.split(",")]
    form = _subscribe_form_context(
        ((name, value) for name, value in visible if name not in errors),
        included or _DEFAULT_INCLUDE,
        args.get("cancelled", Cancelled.KEEP),
    )
    fields = [(name, parameter_label(name), value) for name, value in visible if name in errors]
    context = {"url": None, "form": {**form, "fields": fields, "faults": errors}}
    return Page(template="pages/subscribe.html", title=_("Subscribe"), indexed=False, context=context)


def _subscribe_form_context(
    hidden: Iterable[tuple[str, str]], include: Sequence[str], cancelled: str, *, show_kinds: bool = True
) -> dict[str, object]:
    lang = language_arg_or_empty(request.args)
    return {
        "hidden": [*hidden, *([("lang", lang)] if lang else [])],
        "kinds": show_kinds,
        "include": include,
        "cancelled": cancelled,
        "fields": [],
        "faults": {},
    }


def calendar_apps_context(url: str, name: str) -> dict[str, object]:
    """Return the variables for the template pages/programs.html, which describes how to subscribe to a feed."""
    webcal = f"webcal{url[url.index(':') :]}"
    outlook = f"calendar/0/addfromweb?url={quote(url, safe='')}&name={quote(name, safe='')}"
    return {
        "url": url,
        "buttons": {
            "webcal": webcal,
            "google": f"https://calendar.google.com/calendar/render?cid={quote(webcal, safe='')}",
            "google_form": "https://calendar.google.com/calendar/r/settings/addbyurl",
            "outlook": f"https://outlook.live.com/{outlook}",
            "office": f"https://outlook.office.com/{outlook}",
        },
        "facts": {kind.value: CLIENTS[kind] for kind in _MAIN_APPS},
        "others": [facts for kind, facts in CLIENTS.items() if kind not in _NON_CALENDAR_CLIENTS.union(_MAIN_APPS)],
    }
