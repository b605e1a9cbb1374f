"""The query string of a listing page: raw values, so that the form can show them again, and parsed values."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import cast
from urllib.parse import parse_qsl

from marshmallow import ValidationError, fields
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

from eventcal.kit.catalogue import LANGUAGES
from eventcal.kit.localtime import is_known_zone, parse_local
from eventcal.kit.refusals import Invalid, Message
from eventcal.web.http.urls import encode_query, with_query
from eventcal.web.params.fields import Commas, Once, Word, load_query
from eventcal.web.params.listing_filters import (
    Asked,
    Include,
    ListingQuery,
    ListingQuerySchema,
    canonical_query,
    known_args,
)

Pairs = tuple[tuple[str, str], ...]

_LIST = ListingQuerySchema()
_FIELDS = {field.data_key or name: field for name, field in _LIST.load_fields.items()}
_NO_FILTERS = frozenset({"sort", "limit", "cursor"})
FILTERS = tuple(name for name in _FIELDS if name not in _NO_FILTERS)
"""The names of the parameters that filter events or talks."""

COMMAS = frozenset(name for name, field in _FIELDS.items() if isinstance(field, Commas))
"""The names of the parameters that accept comma-separated lists."""

_OF_TALKS = frozenset({"track", "room", "speaker", "language", "scheduled"})
_OWN = ("view", "month", "show")
_DEFAULTS = frozenset({("view", "list"), ("show", "events"), ("sort", "starts")})


class View(StrEnum):
    """The layout of a listing."""

    LIST = "list"
    MONTH = "month"


class Show(StrEnum):
    """The kind of items in a listing."""

    EVENTS = "events"
    TALKS = "talks"


class Typed(ImmutableMultiDict[str, str]):
    """The raw query of a listing, one pair per value, valid or not. Its methods derive related queries."""

    @property
    def pairs(self) -> Pairs:
        """The pairs of parameter name and value."""
        return tuple(self.items(multi=True))

    @property
    def filters(self) -> Pairs:
        """The pairs that filter events or talks."""
        return tuple(pair for pair in self.pairs if pair[0] in FILTERS)

    def having(self, **changed: str | None) -> "Typed":
        """Return the query with these parameters replaced, or removed if None, starting at the first page."""
        kept = [pair for pair in self.pairs if pair[0] not in {*changed, "cursor"}]
        return Typed([*kept, *((name, value) for name, value in changed.items() if value is not None)])

    def adding(self, name: str, value: str) -> "Typed":
        """Return the query with an additional value of a parameter, starting at the first page."""
        return Typed([*self.having().pairs, (name, value)])

    def lacking(self, *pairs: tuple[str, str]) -> "Typed":
        """Return the query without these pairs, starting at the first page."""
        return Typed([pair for pair in self.having().pairs if pair not in pairs])

    def showing(self, show: Show) -> "Typed":
        """Return the query for events or talks, without filters that apply only to the other kind."""
        others = {"kind"} if show == Show.TALKS else {"kind", *_OF_TALKS}
        return Typed([pair for pair in self.pairs if pair[0] not in others]).having(show=show.value)

    @property
    def url(self) -> str:
        """The URL, relative to the site."""
        return _url(self.pairs)


@dataclass(frozen=True, kw_only=True)
class Wanted(ListingQuery):
    """The parsed query of a listing page. `month` is the first day of the requested month, or None."""

    view: View = View.LIST
    show: Show = Show.EVENTS
    month: date | None = None

    @property
    def path(self) -> str:
        """The canonical URL of this listing, relative to the site."""
        month = [("month", f"{self.month:%Y-%m}")] if self.month else []
        return _url([*parse_qsl(canonical_query(self)), ("view", self.view), ("show", self.show), *month])

    @property
    def feed_query(self) -> str:
        """The query string of the feed with the same filter."""
        return canonical_query(Asked(filter=self.filter, include=(Include(self.show.value),)))


class _Month(Once, fields.Date):
    def read(self, text: str) -> date:
        try:
            return parse_local(f"{text}-01")
        except ValueError as error:
            raise ValidationError(Message("must be a month, as in 2026-12")) from error


class _PageArgs(ListingQuerySchema):
    result = Wanted

    view = Word(View)
    show = Word(Show)
    month = _Month()


_PAGE = _PageArgs()


def typed_in(args: MultiDict[str, str]) -> Typed:
    """Return the raw query of a listing, ignoring unknown parameters and splitting comma-separated values."""
    pairs = [
        (name, part)
        for name, value in known_args(args).items(multi=True)
        if name != "limit"
        for part in (_parts(value) if name in COMMAS else [value])
    ]
    pairs += [(name, args[name]) for name in _OWN if args.get(name, "").strip()]
    if args.get("lang") in LANGUAGES:
        pairs.append(("lang", args["lang"]))
    if is_known_zone(args.get("tz", "")):
        pairs.append(("tz", args["tz"]))
    return Typed(list(dict.fromkeys(pairs)))


def read_wanted(typed: Typed) -> Wanted:
    """Return the parsed query. Raises Invalid with every field error."""
    return cast("Wanted", read_shown(_PAGE, typed))


def read_shown(schema: ListingQuerySchema, args: MultiDict[str, str]) -> ListingQuery:
    """Load a query with a schema that extends ListingQuerySchema, ignoring unknown parameters.

    Raises Invalid with every field error: first those of the list, then those of the added fields, in field order.
    """
    try:
        return cast("ListingQuery", load_query(schema, args, unknown="ignore"))
    except Invalid as refusal:
        added = [f"?{name}" for name in schema.load_fields if name not in _LIST.load_fields]
        places = {pointer: place for place, pointer in enumerate(added, start=1)}
        raise Invalid(errors=sorted(refusal.errors, key=lambda fault: places.get(fault.pointer, 0))) from refusal


def _url(pairs: Iterable[tuple[str, str]]) -> str:
    return with_query("/", encode_query(sorted(pair for pair in pairs if pair not in _DEFAULTS)))


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
