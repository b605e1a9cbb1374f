"""Which feed a view stands for: an event's or a speaker's own where that is all of it, else the calendar, filtered."""

from dataclasses import dataclass, replace

from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from eventcal.events.filter import Filter
from eventcal.feeds.feed_titles import get_event_heading
from eventcal.members.caller import VISITOR
from eventcal.speakers.queries import get_speaker
from eventcal.web.http.urls import with_query
from eventcal.web.params.listing_filters import Asked, Include, Listing, canonical_query, known_feed_args
from eventcal.web.request.context import links, settings

USUAL = (Include.EVENTS, Include.TALKS)
"""What a feed holds where nobody says."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The feed that a view stands for.

    path: without suffix; narrowed: what is asked beside it; asked: all of it, as a query to the whole calendar.
    name: what it is called; kinds: whether it can be chosen what it holds.
    """

    path: str
    name: str
    asked: Asked
    narrowed: Asked
    kinds: bool = True

    def url(self) -> str:
        """Return the address to subscribe to."""
        return _url(f"{self.path}.ics", canonical_query(self.narrowed))

    def sisters(self) -> dict[str, str]:
        """Return the same in other forms, by what each is called."""
        everything = canonical_query(self.asked)
        listing = canonical_query(Listing(filter=self.asked.filter))
        event = self.path.startswith("/events/")
        urls = {
            _("Atom, for news readers"): _url(f"{self.path}.atom", canonical_query(self.narrowed))
            if event
            else _url("/calendar.atom", everything),
            _("CSV, for spreadsheets"): _url("/calendar.csv", everything),
        }
        if Include.EVENTS in (self.asked.include or USUAL) and self.kinds:
            urls[_("JSON: the events")] = _url("/api/v1/events", listing)
        if Include.TALKS in (self.asked.include or USUAL):
            urls[_("JSON: the talks")] = _url("/api/v1/talks", listing)
        return urls


def feed_args(args: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return what a feed knows of a page's query and somebody filled in.

    What a listing shows is what its feed holds; a zone that a page writes its times in is none of the feed's.
    """
    known = [pair for pair in known_feed_args(args).items(multi=True) if pair[0] != "tz" or pair[1] == "utc"]
    shown = args.get("show")
    if shown in USUAL and not any(name == "include" for name, _value in known):
        known.append(("include", str(shown)))
    return MultiDict(known)


def target_of(session: Session, asked: Asked) -> Target:
    """Return the feed for what is asked: an event's or a speaker's own where that is all; refuses unknown ones."""
    only = asked.filter
    if len(only.events) == 1 and only == Filter(events=only.events):
        slug = only.events[0]
        title = get_event_heading(session, slug).title
        return Target(path=f"/events/{slug}", name=title, asked=asked, narrowed=replace(asked, filter=Filter()))
    if len(only.speakers) == 1 and only == Filter(speakers=only.speakers):
        row = get_speaker(session, only.speakers[0], VISITOR)
        talks = replace(asked, filter=Filter(speakers=(row.slug,)), include=(Include.TALKS,))
        return Target(
            path=f"/speakers/{row.slug}",
            name=_("Talks by %(name)s", name=row.name),
            asked=talks,
            narrowed=replace(talks, filter=Filter(), include=()),
            kinds=False,
        )
    return Target(path="/calendar", name=settings().name, asked=asked, narrowed=asked)


def settled(asked: Asked) -> Asked:
    """Return what is asked without what every feed does by itself, so that its address is short."""
    return replace(asked, include=()) if set(asked.include) == set(USUAL) else asked


def _url(path: str, query: str) -> str:
    return with_query(f"{links().base}{path}", query)
