"""What an embed is asked for: the filters of lists, what to show of it, and how it looks; and back, as a query."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict

from eventcal.events.filter import Filter
from eventcal.kit.catalogue import LANGUAGES
from eventcal.kit.refusals import Fault, Invalid, refuse_faults
from eventcal.web.http.urls import encode_query, with_query
from eventcal.web.params.fields import Query, filled_in, load_query, text, word
from eventcal.web.params.listing_filters import Listing, canonical_query, known_args, read_listing
from eventcal.web.params.listing_query import Pairs, Show

TODAY = "today"
"""What `from` may be in an embed, beside a date: one that is pasted once stays up to date."""


class Theme(StrEnum):
    """Whether an embed is dark on light, light on dark, or as the visitor's system has it."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class _LookArgs(Query):
    show = word(Show)
    theme = word(Theme)
    talk = text()


_LOOK = _LookArgs()


@dataclass(frozen=True, kw_only=True)
class Embed:
    """What an embed is asked for.

    listing: as a list is; upcoming: from today on, whatever day that will be. talk: only this one.
    lang: the language of its words, "" for the visitor's.
    """

    listing: Listing = field(default_factory=Listing)
    show: Show = Show.EVENTS
    theme: Theme = Theme.AUTO
    talk: str | None = None
    upcoming: bool = False
    lang: str = ""

    def filter_on(self, day: date) -> Filter:
        """Return which events or talks are meant on a day."""
        return replace(self.listing.filter, from_day=day) if self.upcoming else self.listing.filter

    @property
    def filters(self) -> Pairs:
        """Give the parameters that say which events or talks are meant, and how many."""
        pairs = parse_qsl(canonical_query(self.listing))
        return tuple([("from", TODAY), *pairs] if self.upcoming else pairs)

    @property
    def pairs(self) -> Pairs:
        """Give all parameters but those that change nothing."""
        own = (("lang", self.lang), ("show", self.show.value), ("talk", self.talk or ""), ("theme", self.theme.value))
        return (*self.filters, *((name, value) for name, value in own if value not in {"", Show.EVENTS, Theme.AUTO}))

    @property
    def path(self) -> str:
        """Give the address of the frame, relative to the site."""
        return with_query("/embed/listing", encode_query(self.pairs))

    @property
    def page(self) -> str:
        """Give the address of the page with the same, relative to the site: it begins with today by itself."""
        shown = [("show", self.show.value)] if self.show == Show.TALKS else []
        return with_query("/", encode_query((*self._lasting("limit"), *shown)))

    @property
    def subscribe(self) -> str:
        """Give the address where the same can be subscribed to, relative to the site."""
        pairs = (*self._lasting("limit", "sort"), ("show", self.show.value))
        return with_query("/subscribe", encode_query(pairs))

    def _lasting(self, *apart: str) -> Pairs:
        return tuple(pair for pair in self.filters if pair[0] not in apart and pair != ("from", TODAY))


def read_embed(args: MultiDict[str, str]) -> Embed:
    """Return what a query asks for, without what nobody knows there. Raises Invalid with every fault."""
    faults: list[Fault] = []
    # An embed has one page.
    known = MultiDict([pair for pair in known_args(args).items(multi=True) if pair[0] != "cursor"])
    upcoming = known.getlist("from") == [TODAY]
    if upcoming:
        del known["from"]
    listing, look = Listing(), dict[str, Any]()
    try:
        listing = read_listing(known)
    except Invalid as refusal:
        faults += refusal.faults
    try:
        look = load_query(_LOOK, filled_in(_LOOK, args))
    except Invalid as refusal:
        faults += refusal.faults
    refuse_faults(faults)
    return Embed(
        listing=listing,
        show=Show(look.get("show", Show.EVENTS)),
        theme=Theme(look.get("theme", Theme.AUTO)),
        talk=look.get("talk"),
        upcoming=upcoming,
        lang=args["lang"] if args.get("lang") in LANGUAGES else "",
    )


def theme_of(args: Mapping[str, str]) -> Theme:
    """Return how an embed is to look whose query could not be read."""
    return Theme(args["theme"]) if args.get("theme") in list(Theme) else Theme.AUTO
