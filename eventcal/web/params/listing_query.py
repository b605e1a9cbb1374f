"""The query string of a listing page, as raw values for redisplaying a form and as parsed values."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import cast
from urllib.parse import parse_qsl

from marshmallow import ValidationError, fields
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

from eventcal.kit.errors import Invalid, Message
from eventcal.kit.localtime import is_known_zone, parse_local
from eventcal.kit.translations import LANGUAGES
from eventcal.web.http.urls import encode_query, with_query
from eventcal.web.params import listing_filters
from eventcal.web.params.fields import ChoiceParam, CommaSeparatedParam, SingleParam, load_query
from eventcal.web.params.listing_filters import ListingQuery, ListingQuerySchema, canonical_query

QueryPairs = tuple[tuple[str, str], ...]

_LISTING_SCHEMA = ListingQuerySchema()
_FIELDS = {field.data_key or name: field for name, field in _LISTING_SCHEMA.load_fields.items()}
_PAGING_PARAMS = frozenset({"sort", "limit", "cursor"})
FILTER_PARAMS = tuple(name for name in _FIELDS if name not in _PAGING_PARAMS)
COMMA_SEPARATED_PARAMS = frozenset(name for name, field in _FIELDS.items() if isinstance(field, CommaSeparatedParam))
_TALK_FILTERS = frozenset({"track", "room", "speaker", "language", "scheduled"})
_PAGE_PARAMS = ("view", "month", "show")
_DEFAULT_PAIRS = frozenset({("view", "list"), ("show", "events"), ("sort", "starts")})


class Layout(StrEnum):
    """The layout of a listing."""

    LIST = "list"
    MONTH = "month"


class ItemKind(StrEnum):
    """The kind of items in a listing."""

    EVENTS = "events"
    TALKS = "talks"


class RawQuery(ImmutableMultiDict[str, str]):
    """The raw, possibly invalid query parameters of a listing page. Modified copies never contain a cursor."""

    @property
    def pairs(self) -> QueryPairs:
        return tuple(self.items(multi=True))

    @property
    def filters(self) -> QueryPairs:
        return tuple(pair for pair in self.pairs if pair[0] in FILTER_PARAMS)

    def with_params(self, **params: str | None) -> "RawQuery":
        """Return a copy in which parameters are replaced or, if their new value is None, removed."""
        kept = [pair for pair in self.pairs if pair[0] not in {*params, "cursor"}]
        return RawQuery([*kept, *((name, value) for name, value in params.items() if value is not None)])

    def with_added_value(self, name: str, value: str) -> "RawQuery":
        return RawQuery([*self.with_params().pairs, (name, value)])

    def without_pairs(self, *pairs: tuple[str, str]) -> "RawQuery":
        return RawQuery([pair for pair in self.with_params().pairs if pair not in pairs])

    def for_kind(self, kind: ItemKind) -> "RawQuery":
        """Return a copy that selects a kind of items, without the filters that do not apply to that kind."""
        others = {"kind"} if kind == ItemKind.TALKS else {"kind", *_TALK_FILTERS}
        return RawQuery([pair for pair in self.pairs if pair[0] not in others]).with_params(show=kind.value)

    @property
    def url(self) -> str:
        return _listing_url(self.pairs)


@dataclass(frozen=True, kw_only=True)
class ListingPageQuery(ListingQuery):
    """The parsed query string of a listing page. `month` is the first day of the requested month, or None."""

    view: Layout = Layout.LIST
    show: ItemKind = ItemKind.EVENTS
    month: date | None = None

    @property
    def path(self) -> str:
        month = [("month", f"{self.month:%Y-%m}")] if self.month else []
        return _listing_url([*parse_qsl(canonical_query(self)), ("view", self.view), ("show", self.show), *month])

    @property
    def feed_query(self) -> str:
        include = (listing_filters.Include(self.show.value),)
        return canonical_query(listing_filters.FeedQuery(filter=self.filter, include=include))


class _MonthParam(SingleParam, fields.Date):
    def parse(self, text: str) -> date:
        try:
            return parse_local(f"{text}-01")
        except ValueError as error:
            raise ValidationError(Message("must be a month such as 2026-12")) from error


class _ListingPageSchema(ListingQuerySchema):
    result_class = ListingPageQuery

    view = ChoiceParam(Layout)
    show = ChoiceParam(ItemKind)
    month = _MonthParam()


_PAGE_SCHEMA = _ListingPageSchema()


def parse_raw_query(args: MultiDict[str, str]) -> RawQuery:
    """Return the raw parameters of a listing, ignoring unknown parameters and splitting comma-separated values."""
    pairs = [
        (name, part)
        for name, value in listing_filters.known_listing_args(args).items(multi=True)
        if name != "limit"
        for part in (map(str.strip, value.split(",")) if name in COMMA_SEPARATED_PARAMS else [value])
        if part
    ]
    pairs += [(name, args[name]) for name in _PAGE_PARAMS if args.get(name, "").strip()]
    if args.get("lang") in LANGUAGES:
        pairs.append(("lang", args["lang"]))
    if is_known_zone(args.get("tz", "")):
        pairs.append(("tz", args["tz"]))
    return RawQuery(list(dict.fromkeys(pairs)))


def parse_listing_page_query(raw_query: RawQuery) -> ListingPageQuery:
    """Parse the query string of a listing page. Raises Invalid with all field errors."""
    return cast("ListingPageQuery", load_listing_query(_PAGE_SCHEMA, raw_query))


def load_listing_query(schema: ListingQuerySchema, args: MultiDict[str, str]) -> ListingQuery:
    """Load a query string, ignoring unknown parameters. Raises Invalid with all field errors."""
    try:
        return cast("ListingQuery", load_query(schema, args, unknown="ignore"))
    except Invalid as error:
        # Errors for fields that a subclass of ListingQuerySchema adds are listed last, in the order of the fields.
        added = [f"?{name}" for name in schema.load_fields if name not in _LISTING_SCHEMA.load_fields]
        places = {pointer: place for place, pointer in enumerate(added, start=1)}
        raise Invalid(errors=sorted(error.errors, key=lambda fault: places.get(fault.pointer, 0))) from error


def _listing_url(pairs: Iterable[tuple[str, str]]) -> str:
    return with_query("/", encode_query(sorted(pair for pair in pairs if pair not in _DEFAULT_PAIRS)))
