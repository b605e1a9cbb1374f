"""What the query of a listing asks for: as it was typed, so that it can be shown again, and read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import cast
from urllib.parse import parse_qsl

from marshmallow import ValidationError, fields
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

from eventcal.kit.catalogue import LANGUAGES
from eventcal.kit.localtime import known_zone, parse_local
from eventcal.kit.refusals import Invalid, Sentence
from eventcal.web.http.urls import encode_query, with_query
from eventcal.web.params.fields import Commas, Once, Word, load_query
from eventcal.web.params.listing_filters import Asked, Include, Listing, ListingArgs, canonical_query, known_args

Pairs = tuple[tuple[str, str], ...]

_LIST = ListingArgs()
_FIELDS = {field.data_key or name: field for name, field in _LIST.load_fields.items()}
_NO_FILTERS = frozenset({"sort", "limit", "cursor"})
FILTERS = tuple(name for name in _FIELDS if name not in _NO_FILTERS)
"""The parameters that say which events or talks are meant."""

COMMAS = frozenset(name for name, field in _FIELDS.items() if isinstance(field, Commas))
"""Those of them whose values may be joined by commas."""

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


class Typed(ImmutableMultiDict[str, str]):
    """What somebody asks for, each value on its own, right or wrong; gives the address of every view next to it."""

    @property
    def pairs(self) -> Pairs:
        """Give each value with the name of its parameter."""
        return tuple(self.items(multi=True))

    @property
    def filters(self) -> Pairs:
        """Give the pairs that say which events or talks are meant."""
        return tuple(pair for pair in self.pairs if pair[0] in FILTERS)

    def having(self, **changed: str | None) -> "Typed":
        """Return the same from the first page on, with these parameters instead; None takes one away."""
        kept = [pair for pair in self.pairs if pair[0] not in {*changed, "cursor"}]
        return Typed([*kept, *((name, value) for name, value in changed.items() if value is not None)])

    def adding(self, name: str, value: str) -> "Typed":
        """Return the same from the first page on, with one more value of a parameter."""
        return Typed([*self.having().pairs, (name, value)])

    def lacking(self, *pairs: tuple[str, str]) -> "Typed":
        """Return the same from the first page on, without these values."""
        return Typed([pair for pair in self.having().pairs if pair not in pairs])

    def showing(self, show: Show) -> "Typed":
        """Return the same for events or for talks, without the filters that only the other has."""
        others = {"kind"} if show == Show.TALKS else {"kind", *_OF_TALKS}
        return Typed([pair for pair in self.pairs if pair[0] not in others]).having(show=show.value)

    @property
    def url(self) -> str:
        """Give the address, relative to the site."""
        return _url(self.pairs)


@dataclass(frozen=True, kw_only=True)
class Wanted(Listing):
    """What a listing is asked for. `month` is the first day of the one that is named, if one is."""

    view: View = View.LIST
    show: Show = Show.EVENTS
    month: date | None = None

    @property
    def path(self) -> str:
        """Give the one address of this listing."""
        month = [("month", f"{self.month:%Y-%m}")] if self.month else []
        return _url([*parse_qsl(canonical_query(self)), ("view", self.view), ("show", self.show), *month])

    @property
    def feed_query(self) -> str:
        """Give the query of the feed that has the same."""
        return canonical_query(Asked(filter=self.filter, include=(Include(self.show.value),)))


class _Month(Once, fields.Date):
    def read(self, text: str) -> date:
        try:
            return parse_local(f"{text}-01")
        except ValueError as error:
            raise ValidationError(Sentence("must be a month, as in 2026-12")) from error


class _PageArgs(ListingArgs):
    result = Wanted

    view = Word(View)
    show = Word(Show)
    month = _Month()


_PAGE = _PageArgs()


def typed_in(args: MultiDict[str, str]) -> Typed:
    """Return what a query asks for, without what a listing does not know; values joined by commas are taken apart."""
    pairs = [
        (name, part)
        for name, value in known_args(args).items(multi=True)
        if name != "limit"
        for part in (_parts(value) if name in COMMAS else [value])
    ]
    pairs += [(name, args[name]) for name in _OWN if args.get(name, "").strip()]
    if args.get("lang") in LANGUAGES:
        pairs.append(("lang", args["lang"]))
    if known_zone(args.get("tz", "")):
        pairs.append(("tz", args["tz"]))
    return Typed(list(dict.fromkeys(pairs)))


def read_wanted(typed: Typed) -> Wanted:
    """Return what is asked for. Raises Invalid with every fault."""
    return cast("Wanted", read_shown(_PAGE, typed))


def read_shown(schema: ListingArgs, args: MultiDict[str, str]) -> Listing:
    """Return what is asked for as a schema loads it that adds parameters to a list's; others are ignored.

    Raises Invalid with every fault: those of the list first, then those of what was added, in the order of its fields.
    """
    try:
        return cast("Listing", load_query(schema, args, unknown="ignore"))
    except Invalid as refusal:
        added = [f"?{name}" for name in schema.load_fields if name not in _LIST.load_fields]
        places = {pointer: place for place, pointer in enumerate(added, start=1)}
        raise Invalid(faults=sorted(refusal.faults, key=lambda fault: places.get(fault.pointer, 0))) from refusal


def _url(pairs: Iterable[tuple[str, str]]) -> str:
    return with_query("/", encode_query(sorted(pair for pair in pairs if pair not in _DEFAULTS)))


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
