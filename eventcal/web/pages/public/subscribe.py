"""The subscribe page: offers any selection as a feed, with instructions and facts for each calendar app."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from eventcal.events.filter import NO_FILTER, Filter
from eventcal.feeds.clients import CLIENTS, ClientKind
from eventcal.feeds.feed_titles import get_event_title
from eventcal.feeds.options import Cancelled
from eventcal.kit.refusals import Invalid
from eventcal.members.caller import ANONYMOUS
from eventcal.speakers.service import get_speaker
from eventcal.web.http.urls import with_query
from eventcal.web.i18n import translate_field_errors
from eventcal.web.identity.permissions import anonymous
from eventcal.web.params.fields import supported_language_arg
from eventcal.web.params.listing_filters import (
    FeedQuery,
    Include,
    ListingQuery,
    canonical_query,
    known_feed_args,
    parse_feed_query,
)
from eventcal.web.rendering.dates import long_day
from eventcal.web.rendering.labels import value_in_words, word_for
from eventcal.web.rendering.page import FeedLink, Page, pages, render_page
from eventcal.web.rendering.private_page import answer_invalid
from eventcal.web.request.context import links, settings

# The default content of a feed.
_USUAL = (Include.EVENTS, Include.TALKS)
# Parameters that have fields of their own in the form.
_CHOICES = frozenset({"include", "cancelled"})

_Pairs = Iterable[tuple[str, str]]

# Calendar apps that have their own buttons or instructions on the page.
_SHOWN = (ClientKind.APPLE, ClientKind.GOOGLE, ClientKind.MICROSOFT365, ClientKind.OUTLOOK, ClientKind.THUNDERBIRD)
# Clients that fetch feeds but are not calendar apps.
_NO_CALENDARS = frozenset(
    {ClientKind.MONITOR, ClientKind.ROBOT, ClientKind.SCRIPT, ClientKind.BROWSER, ClientKind.OTHER}
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """The feed for a selection: the feed of one event or speaker if it selects all of it, else the calendar feed.

    base: its URL without suffix. asked: the selection as a query of the calendar feed; narrowed: the parameters that
    remain for the URL of this feed. name: its title. of: "event", "speaker" or "calendar".
    """

    base: str
    name: str
    asked: FeedQuery
    narrowed: FeedQuery
    of: str = "calendar"

    @property
    def included(self) -> Sequence[Include]:
        """The kinds of entries in the feed."""
        return self.asked.include or _USUAL

    def sisters(self) -> dict[str, str]:
        """Return the URLs of the same selection in other formats, by the display name of the format."""
        listing = canonical_query(ListingQuery(filter=self.asked.filter))
        everything = canonical_query(self.asked)
        calendar = links().calendar_feed("")
        news = (self.base, canonical_query(self.narrowed)) if self.of == "event" else (calendar, everything)
        urls = {
            _("Atom, for news readers"): with_query(f"{news[0]}.atom", news[1]),
            _("CSV, for spreadsheets"): with_query(f"{calendar}.csv", everything),
        }
        if Include.EVENTS in self.included and self.of != "speaker":
            urls[_("JSON: the events")] = with_query(links().api("/events"), listing)
        if Include.TALKS in self.included:
            urls[_("JSON: the talks")] = with_query(links().api("/talks"), listing)
        return urls


@pages.get("/subscribe")
@anonymous
def subscribe() -> Response:
    """Show the feed for the selection in the query. For an invalid query, return the form with its errors (422)."""
    args = _feed_args(request.args)
    try:
        asked = parse_feed_query(args)
    except Invalid as refusal:
        return answer_invalid(_faulty(args, refusal))
    # Omit the default content, to keep the URL short.
    short = replace(asked, include=()) if set(asked.include) == set(_USUAL) else asked
    return render_page(lambda session, _moment: _offer(_target_of(session, short)))


def _feed_args(args: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return the non-empty parameters of a page's query that apply to feeds.

    The kind of items that a listing shows becomes the content of the feed. A page's display time zone is dropped.
    """
    known = [pair for pair in known_feed_args(args).items(multi=True) if pair[0] != "tz" or pair[1] == "utc"]
    shown = args.get("show")
    if shown in _USUAL and not any(name == "include" for name, _value in known):
        known.append(("include", str(shown)))
    return MultiDict(known)


def _target_of(session: Session, asked: FeedQuery) -> Target:
    """Return the feed for a selection. Raises NotFound if its event or speaker does not exist."""
    only = asked.filter
    narrowed = replace(asked, filter=NO_FILTER)
    if len(only.events) == 1 and only == Filter(events=only.events):
        slug = only.events[0]
        title = get_event_title(session, slug).title
        return Target(base=links().event_page(slug), name=title, asked=asked, narrowed=narrowed, of="event")
    if len(only.speakers) == 1 and only == Filter(speakers=only.speakers):
        row = get_speaker(session, only.speakers[0], ANONYMOUS)
        return Target(
            base=links().speaker_page(row.slug),
            name=_("Talks by %(name)s", name=row.name),
            asked=replace(asked, filter=Filter(speakers=(row.slug,)), include=(Include.TALKS,)),
            narrowed=replace(narrowed, include=()),
            of="speaker",
        )
    return Target(base=links().calendar_feed(""), name=settings().name, asked=asked, narrowed=asked)


def _offer(target: Target) -> Page:
    url = with_query(f"{target.base}.ics", canonical_query(target.narrowed))
    whole = target.asked == FeedQuery()
    if whole:
        title = _("Subscribe")
    elif target.of == "calendar":
        title = _("Subscribe to this selection")
    else:
        title = _("Subscribe: %(name)s", name=target.name)
    return Page(
        template="pages/subscribe.html",
        title=title,
        path=with_query(request.path.rstrip("/"), canonical_query(target.asked)),
        description=_("Events and talks in your own calendar, always up to date."),
        feeds=(FeedLink(url=url, title=target.name),),
        indexed=whole,
        values={
            "name": target.name,
            **ways_in(url, target.name),
            "sisters": target.sisters(),
            "holds": _holds(target),
            "form": _form(_pairs(target.asked), target.included, target.asked.cancelled, kinds=target.of != "speaker"),
        },
    )


def _holds(target: Target) -> Sequence[tuple[str, str]]:
    kinds = {
        Include.EVENTS: _("Events"),
        Include.TALKS: _("Talks"),
        Include.DEADLINES: _("When calls for talks open and close"),
    }
    days = {"from": target.asked.filter.from_day, "to": target.asked.filter.to_day}
    said = [(_("Holds"), ", ".join(kinds[one] for one in kinds if one in target.included))]
    for name, value in _pairs(target.narrowed):
        day = days.get(name)
        said.append((word_for(name), long_day(day) if day is not None else value_in_words(name, value)))
    if target.of == "calendar" and not any(days.values()):
        said.append((_("Days"), _("The last weeks, and more than a year ahead")))
    return said


def _pairs(asked: FeedQuery) -> list[tuple[str, str]]:
    """Return the parameters of a selection that have no fields in the form."""
    return parse_qsl(canonical_query(replace(asked, include=(), cancelled=Cancelled.KEEP)))


def _faulty(args: MultiDict[str, str], refusal: Invalid) -> Page:
    """Return the page with fields for the invalid parameters, each with its errors."""
    faults = dict(reversed(translate_field_errors(refusal.errors)))
    given = [(name, value) for name, value in args.items(multi=True) if name not in _CHOICES]
    included = [one for value in args.getlist("include") for one in value.split(",")]
    form = _form(
        ((name, value) for name, value in given if name not in faults),
        included or _USUAL,
        args.get("cancelled", Cancelled.KEEP),
    )
    form |= {"fields": [(name, word_for(name), value) for name, value in given if name in faults], "faults": faults}
    return Page(
        template="pages/subscribe.html", title=_("Subscribe"), indexed=False, values={"url": None, "form": form}
    )


def _form(hidden: _Pairs, include: Sequence[str], cancelled: str, *, kinds: bool = True) -> dict[str, object]:
    lang = supported_language_arg(request.args)
    return {
        "hidden": [*hidden, *([("lang", lang)] if lang else [])],
        "kinds": kinds,
        "include": include,
        "cancelled": cancelled,
        "fields": [],
        "faults": {},
    }


def ways_in(url: str, name: str) -> dict[str, object]:
    """Return the variables of pages/programs.html for a feed: its URL, and links and facts for each calendar app."""
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
        "facts": {kind.value: CLIENTS[kind] for kind in _SHOWN},
        "others": [facts for kind, facts in CLIENTS.items() if kind not in _NO_CALENDARS.union(_SHOWN)],
    }
