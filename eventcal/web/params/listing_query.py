"""What the query of a listing asks for: as it was typed, so that it can be shown again, and read."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict

from eventcal.events.filter import Filter
from eventcal.kit.catalogue import LANGUAGES
from eventcal.kit.localtime import known_zone, parse_local
from eventcal.kit.refusals import Fault, Invalid, Sentence, refuse_faults
from eventcal.kit.values import one_of
from eventcal.web.http.urls import encode_query, with_query
from eventcal.web.params.fields import Commas, Several
from eventcal.web.params.listing_filters import (
    Asked,
    Include,
    Listing,
    ListingArgs,
    canonical_query,
    known_args,
    read_listing,
)

Pairs = tuple[tuple[str, str], ...]

_FIELDS = {field.data_key or name: field for name, field in ListingArgs().load_fields.items()}
_NO_FILTERS = frozenset({"sort", "limit", "cursor"})
FILTERS = tuple(name for name in _FIELDS if name not in _NO_FILTERS)
"""The parameters that say which events or talks are meant."""

SEVERAL = frozenset(name for name, field in _FIELDS.items() if isinstance(field, Several))
"""Those of them that can have more than one value."""

_COMMAS = frozenset(name for name, field in _FIELDS.items() if isinstance(field, Commas))
_OF_TALKS = frozenset({"track", "room", "speaker", "language", "scheduled"})
_OWN = ("view", "month", "show")
_DEFAULTS = frozenset({("view", "list"), ("show", "events"), ("sort", "starts")})


class View(StrEnum):
    """How a listing is laid out."""

    LIST = "list"
    MONTH = "month"


class Show(StrEnum):
    """What a listing has."""

    EVENTS = "events"
    TALKS = "talks"


@dataclass(frozen=True)
class Typed:
    """What somebody asks for, each value on its own, right or wrong; gives the address of every view next to it."""

    pairs: Pairs

    def all_of(self, name: str) -> list[str]:
        """Return the values of a parameter."""
        return [value for known, value in self.pairs if known == name]

    def first_of(self, name: str) -> str:
        """Return the value of a parameter, or ""."""
        return next(iter(self.all_of(name)), "")

    @property
    def filters(self) -> Pairs:
        """Give the pairs that say which events or talks are meant."""
        return tuple(pair for pair in self.pairs if pair[0] in FILTERS)

    def having(self, **changed: str | None) -> "Typed":
        """Return the same from the first page on, with these parameters instead; None takes one away."""
        kept = [(name, value) for name, value in self.pairs if name not in {*changed, "cursor"}]
        return Typed((*kept, *((name, value) for name, value in changed.items() if value is not None)))

    def adding(self, name: str, value: str) -> "Typed":
        """Return the same from the first page on, with one more value of a parameter."""
        return Typed((*self.having().pairs, (name, value)))

    def lacking(self, *pairs: tuple[str, str]) -> "Typed":
        """Return the same from the first page on, without these values."""
        return Typed(tuple(pair for pair in self.having().pairs if pair not in pairs))

    def showing(self, show: Show) -> "Typed":
        """Return the same for events or for talks, without the filters that only the other has."""
        others = {"kind"} if show == Show.TALKS else {"kind", *_OF_TALKS}
        kept = tuple((name, value) for name, value in self.pairs if name not in others)
        return Typed(kept).having(show=show.value)

    @property
    def url(self) -> str:
        """Give the address, relative to the site."""
        return with_query("/", encode_query(sorted(pair for pair in self.pairs if pair not in _DEFAULTS)))


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a listing is asked for. `month` is the first day of the one that is named, if one is."""

    listing: Listing
    view: View = View.LIST
    show: Show = Show.EVENTS
    month: date | None = None

    @property
    def filter(self) -> Filter:
        """Give which events or talks are meant."""
        return self.listing.filter

    @property
    def path(self) -> str:
        """Give the one address of this listing."""
        own = {"view": self.view.value, "show": self.show.value, "month": self.month and f"{self.month:%Y-%m}"}
        pairs = [*parse_qsl(canonical_query(self.listing)), *((name, value) for name, value in own.items() if value)]
        return with_query("/", encode_query(sorted(pair for pair in pairs if pair not in _DEFAULTS)))

    @property
    def feed_query(self) -> str:
        """Give the query of the feed that has the same."""
        return canonical_query(Asked(filter=self.filter, include=(Include(self.show.value),)))


def typed_in(args: MultiDict[str, str]) -> Typed:
    """Return what a query asks for, without what a listing does not know; values joined by commas are taken apart."""
    pairs = [
        (name, part)
        for name, value in known_args(args).items(multi=True)
        if name != "limit"
        for part in (_parts(value) if name in _COMMAS else [value])
    ]
    pairs += [(name, args[name]) for name in _OWN if args.get(name, "").strip()]
    if args.get("lang") in LANGUAGES:
        pairs.append(("lang", args["lang"]))
    if known_zone(args.get("tz", "")):
        pairs.append(("tz", args["tz"]))
    return Typed(tuple(dict.fromkeys(pairs)))


def read_wanted(typed: Typed) -> Wanted:
    """Return what is asked for. Raises Invalid with every fault."""
    faults: list[Fault] = []
    listing = Listing()
    known = MultiDict([pair for pair in typed.pairs if pair[0] in _FIELDS])
    try:
        listing = read_listing(known)
    except Invalid as refusal:
        faults += refusal.faults
    view, show = typed.first_of("view") or View.LIST, typed.first_of("show") or Show.EVENTS
    faults += _unless_one_of("view", view, View) + _unless_one_of("show", show, Show)
    try:
        month = _month(typed.first_of("month"))
    except ValueError:
        month = None
        faults.append(Fault("?month", Sentence("must be a month, as in 2026-12")))
    refuse_faults(faults)
    return Wanted(listing=listing, view=View(view), show=Show(show), month=month)


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _month(text: str) -> date | None:
    if not text:
        return None
    if re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII) is None:
        raise ValueError
    return parse_local(f"{text}-01")


def _unless_one_of(name: str, value: str, words: type[StrEnum]) -> list[Fault]:
    known = [word.value for word in words]
    return [] if value in known else [Fault(f"?{name}", one_of(known))]
