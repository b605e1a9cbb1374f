"""Subscribing: any view at hand as a feed, with its address and what each calendar program makes of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from eventcal.events.filter import EVERYTHING, Filter
from eventcal.feeds.clients import CLIENTS, ClientKind
from eventcal.feeds.feed_titles import get_event_heading
from eventcal.feeds.options import Cancelled
from eventcal.kit.refusals import Invalid
from eventcal.members.caller import VISITOR
from eventcal.speakers.service import get_speaker
from eventcal.web.http.urls import with_query
from eventcal.web.i18n import faults_in_words
from eventcal.web.identity.permissions import feed
from eventcal.web.params.fields import chosen_language
from eventcal.web.params.listing_filters import Asked, Include, Listing, canonical_query, known_feed_args, read_feed
from eventcal.web.rendering.dates import long_day
from eventcal.web.rendering.labels import value_in_words, word_for
from eventcal.web.rendering.page import FeedLink, Page, pages, show
from eventcal.web.rendering.private_page import answer_invalid
from eventcal.web.request.context import links, settings

# What a feed holds where nobody says.
_USUAL = (Include.EVENTS, Include.TALKS)
# What the form itself has fields for.
_CHOICES = frozenset({"include", "cancelled"})

_Pairs = Iterable[tuple[str, str]]

# The programs that have buttons or steps of their own on the page.
_SHOWN = (ClientKind.APPLE, ClientKind.GOOGLE, ClientKind.MICROSOFT365, ClientKind.OUTLOOK, ClientKind.THUNDERBIRD)
# What fetches feeds without anybody's subscribing with it.
_NO_CALENDARS = frozenset(
    {ClientKind.MONITOR, ClientKind.ROBOT, ClientKind.SCRIPT, ClientKind.BROWSER, ClientKind.OTHER}
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """The feed that a view stands for: an event's or a speaker's own where that is all of it, else the calendar.

    base: its URL without suffix; narrowed: what is asked beside it; asked: all of it, as a query to the whole calendar.
    name: what it is called; of: whether it is that of an event or of a speaker.
    """

    base: str
    name: str
    asked: Asked
    narrowed: Asked
    of: str = "calendar"

    @property
    def included(self) -> Sequence[Include]:
        """Return what it holds."""
        return self.asked.include or _USUAL

    def sisters(self) -> dict[str, str]:
        """Return the same in other forms, by what each is called."""
        listing = canonical_query(Listing(filter=self.asked.filter))
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
@feed
def subscribe() -> Response:
    """Offer the view that the query describes as a feed; a faulty query is given back with its faults (422)."""
    args = _feed_args(request.args)
    try:
        asked = read_feed(args)
    except Invalid as refusal:
        return answer_invalid(_faulty(args, refusal))
    # What every feed holds by itself is not said, so that its address is short.
    short = replace(asked, include=()) if set(asked.include) == set(_USUAL) else asked
    return show(lambda session, _moment: _offer(_target_of(session, short)))


def _feed_args(args: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return what a feed knows of a page's query and somebody filled in.

    What a listing shows is what its feed holds; a zone that a page writes its times in is none of the feed's.
    """
    known = [pair for pair in known_feed_args(args).items(multi=True) if pair[0] != "tz" or pair[1] == "utc"]
    shown = args.get("show")
    if shown in _USUAL and not any(name == "include" for name, _value in known):
        known.append(("include", str(shown)))
    return MultiDict(known)


def _target_of(session: Session, asked: Asked) -> Target:
    """Return the feed for what is asked. Raises NotFound for an event or a speaker that there is not."""
    only = asked.filter
    narrowed = replace(asked, filter=EVERYTHING)
    if len(only.events) == 1 and only == Filter(events=only.events):
        slug = only.events[0]
        title = get_event_heading(session, slug).title
        return Target(base=links().event_page(slug), name=title, asked=asked, narrowed=narrowed, of="event")
    if len(only.speakers) == 1 and only == Filter(speakers=only.speakers):
        row = get_speaker(session, only.speakers[0], VISITOR)
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
    whole = target.asked == Asked()
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


def _pairs(asked: Asked) -> list[tuple[str, str]]:
    """Return the parameters of what is asked, those apart that the form has fields for."""
    return parse_qsl(canonical_query(replace(asked, include=(), cancelled=Cancelled.KEEP)))


def _faulty(args: MultiDict[str, str], refusal: Invalid) -> Page:
    """Give a query back in fields to be put right, each fault beside its own."""
    faults = dict(reversed(faults_in_words(refusal.faults)))
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
    lang = chosen_language(request.args)
    return {
        "hidden": [*hidden, *([("lang", lang)] if lang else [])],
        "kinds": kinds,
        "include": include,
        "cancelled": cancelled,
        "fields": [],
        "faults": {},
    }


def ways_in(url: str, name: str) -> dict[str, object]:
    """Return what pages/programs.html shows of a feed: its address, and where each program takes it."""
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
