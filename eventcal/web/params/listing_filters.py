"""Conversion between query strings and filters for the API, pages, embeds and feeds."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, cast

from marshmallow import ValidationError, post_load, validates_schema
from werkzeug.datastructures import MultiDict

from eventcal.events.enums import EventKind, EventStatus, TalkKind
from eventcal.events.filter import NO_FILTER, Filter, Sort
from eventcal.feeds.apply_options import Cancelled
from eventcal.feeds.fetch_counts import hash_feed_url
from eventcal.kit.bounded_cache import bounded_cache
from eventcal.kit.errors import Message
from eventcal.kit.localtime import format_utc
from eventcal.kit.pagination import DEFAULT_LIMIT, PageRequest
from eventcal.kit.validators import LANGUAGE
from eventcal.talks.enums import TalkState
from eventcal.web.http.urls import encode_query
from eventcal.web.params import fields
from eventcal.web.params.fields import ChoiceParam, LineParam, described, pattern_param

_KINDS = sorted({str(kind) for kind in (*EventKind, *TalkKind)})
_STATES = sorted({str(state) for state in (*EventStatus, *TalkState)})
_COUNTRY = pattern_param("[A-Za-z]{2}", described=Message("must be an ISO 3166-1 code of two letters, such as DE"))
_LANGUAGE = pattern_param(LANGUAGE.pattern, described=LANGUAGE.message)


class Include(StrEnum):
    """The kinds of entries that a feed can include."""

    EVENTS = "events"
    TALKS = "talks"
    DEADLINES = "deadlines"


class Profile(StrEnum):
    """The level of detail in .ics entries."""

    PLAIN = "plain"
    RICH = "rich"


@dataclass(frozen=True, kw_only=True)
class ListingQuery:
    """The parsed query string of a paginated list."""

    filter: Filter = NO_FILTER
    sort: Sort = Sort.STARTS
    paging: PageRequest = PageRequest()  # noqa: RUF009 - frozen, so the instance can be shared


@dataclass(frozen=True, kw_only=True)
class FeedQuery:
    """The parsed query string of a feed. If `include` is empty, the feed contains its default kinds of entries."""

    filter: Filter = NO_FILTER
    include: tuple[Include, ...] = ()
    cancelled: Cancelled = Cancelled.KEEP
    utc: bool = False
    profile: Profile = Profile.PLAIN


def _repeatable(name: str, description: str) -> fields.MultiParam:
    return fields.MultiParam(fields.short_line_param(), data_key=name, metadata=described(description))


def _comma_separated(name: str, description: str, values: LineParam | None = None) -> fields.CommaSeparatedParam:
    return fields.CommaSeparatedParam(
        values or fields.short_line_param(), data_key=name, metadata=described(description)
    )


class FilterQuerySchema(fields.QuerySchema):
    """The query parameters that are common to paginated lists and feeds, loaded as an instance of `result_class`."""

    result_class: ClassVar[type[ListingQuery] | type[FeedQuery]] = ListingQuery

    from_day = fields.DateParam(data_key="from", metadata=described("Items that end on or after this day."))
    to_day = fields.DateParam(data_key="to", metadata=described("Items that begin on or before this day."))
    q = fields.SearchParam(
        validate=fields.max_length(fields.LONGEST_TEXT),
        metadata=described("Search terms. All must match the beginning of a word, ignoring case and accents.")
        | {"pattern": fields.LINE_JSON_SCHEMA["pattern"]},
    )
    tags = _repeatable("tag", "Items with all of these tags.")
    kinds = _comma_separated("kind", "Events or talks of any of these kinds.", ChoiceParam(_KINDS))
    countries = _comma_separated("country", "Items in any of these countries (ISO 3166-1 alpha-2).", _COUNTRY)
    cities = _repeatable("city", "Items in any of these cities, spelled exactly as stored.")
    events = _comma_separated("event", "These events, by slug, and their talks.")
    tracks = _repeatable("track", "Talks in any of these tracks.")
    rooms = _repeatable("room", "Talks in any of these rooms.")
    speakers = _comma_separated("speaker", "Talks by any of these speakers, by slug.")
    languages = _comma_separated(
        "language", "Talks in any of these languages, also with a region or script (RFC 4647).", _LANGUAGE
    )
    states = _comma_separated(
        "state", "Events with any of these statuses, or talks in any of these states.", ChoiceParam(_STATES)
    )
    status = _comma_separated("status", "Alias of `state`. The values of both are combined.", ChoiceParam(_STATES))
    series = _repeatable("series", "Events of any of these series, and their talks.")
    call_open = ChoiceParam(
        ["open"], data_key="cfp", metadata=described("Events with an open call for talks, and their talks.")
    )
    scheduled = fields.BoolParam(metadata=described("true: scheduled items only; false: unscheduled items only."))
    updated_since = fields.DateTimeParam(
        metadata=described(
            "Items changed at or after this time: RFC 3339 with an offset (+ is %2B in URLs), or a date in UTC."
        )
        | {"pattern": r"^(19[7-9]\d|2[01]\d\d)-\d\d-\d\d([Tt]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d))?$"}
    )

    @validates_schema(skip_on_field_errors=False)
    def _check_day_order(self, data: Mapping[str, Any], **_: object) -> None:
        if "from_day" in data and "to_day" in data and data["from_day"] > data["to_day"]:
            raise ValidationError(Message("must not be before `from`"), field_name="to")

    @post_load
    def _build_result(self, data: dict[str, Any], **_: object) -> ListingQuery | FeedQuery:
        return self.build_query(data)

    def build_query(self, data: dict[str, Any]) -> ListingQuery | FeedQuery:
        if "limit" in data or "cursor" in data:
            data["paging"] = PageRequest(data.pop("limit", DEFAULT_LIMIT), data.pop("cursor", None))
        own = {attr.name: data.pop(attr.name) for attr in dataclasses.fields(self.result_class) if attr.name in data}
        return self.result_class(filter=_build_filter(**data), **own)


class ListingQuerySchema(FilterQuerySchema):
    """The query parameters of a paginated list."""

    sort = ChoiceParam(Sort, metadata=described("The sort order; by default `starts`."))
    limit = fields.page_size_param(metadata=described(f"The number of items per page; by default {DEFAULT_LIMIT}."))
    cursor = LineParam(metadata=described("The `next` value of the previous page.") | {"pattern": "^[A-Za-z0-9_-]+$"})


class FeedQuerySchema(FilterQuerySchema):
    """The query parameters of a feed."""

    result_class = FeedQuery

    include = _comma_separated("include", "The kinds of entries in the feed.", ChoiceParam(Include))
    cancelled = ChoiceParam(
        Cancelled,
        metadata=described(
            "Cancelled items: keep them as cancelled (default), hide them, or mark them in the title only."
        ),
    )
    utc = ChoiceParam(
        ["utc"], data_key="tz", metadata=described("utc: times in UTC, for clients without time zone support.")
    )
    profile = ChoiceParam(
        Profile, metadata=described("rich: with RFC 9073 components, which some clients do not support.")
    )

    def build_query(self, data: dict[str, Any]) -> ListingQuery | FeedQuery:
        return super().build_query(data | {"utc": "utc" in data})


def _build_filter(
    *,
    q: str = "",
    countries: tuple[str, ...] = (),
    states: tuple[str, ...] = (),
    status: tuple[str, ...] = (),
    call_open: str | None = None,
    **plain: Any,
) -> Filter:
    return Filter(
        q=q or None,
        countries=tuple(sorted({country.upper() for country in countries})),
        states=tuple(sorted({*states, *status})),
        call_open=call_open is not None,
        **plain,
    )


_LISTING_SCHEMA, _FEED_SCHEMA = ListingQuerySchema(), FeedQuerySchema()
# A mapping from filter parameters to Filter attributes. The `status` parameter, an alias of `state`, is excluded.
_FILTER_ATTRIBUTES = {
    field.data_key or name: name for name, field in FilterQuerySchema(exclude=["status"]).load_fields.items()
}


def parse_listing_query(args: MultiDict[str, str]) -> ListingQuery:
    """Parse the query string of a paginated list. Raises Invalid with all errors."""
    return _load_listing_query(tuple(args.items(multi=True)))


def parse_feed_query(args: MultiDict[str, str]) -> FeedQuery:
    """Parse the query string of a feed. Raises Invalid with all errors."""
    return _load_feed_query(tuple(args.items(multi=True)))


# Parsed query strings are cached, because parsing takes longer than sending a 304 response.
@bounded_cache(1_000_000)
def _load_listing_query(pairs: tuple[tuple[str, str], ...]) -> ListingQuery:
    return cast("ListingQuery", fields.load_query(_LISTING_SCHEMA, MultiDict(pairs)))


@bounded_cache(1_000_000)
def _load_feed_query(pairs: tuple[tuple[str, str], ...]) -> FeedQuery:
    return cast("FeedQuery", fields.load_query(_FEED_SCHEMA, MultiDict(pairs)))


def known_listing_args(args: MultiDict[str, str]) -> MultiDict[str, str]:
    return fields.drop_unknown_and_blank(_LISTING_SCHEMA, args)


def known_feed_args(args: MultiDict[str, str]) -> MultiDict[str, str]:
    return fields.drop_unknown_and_blank(_FEED_SCHEMA, args)


def canonical_query(query: ListingQuery | FeedQuery) -> str:
    """Return a canonical query string, in which parameters are sorted and default values are omitted."""
    pairs = {name: _to_param_values(getattr(query.filter, attribute)) for name, attribute in _FILTER_ATTRIBUTES.items()}
    pairs["cfp"] = ["open"] if query.filter.call_open else []
    if isinstance(query, ListingQuery):
        pairs["sort"] = _omit_default(query.sort, Sort.STARTS)
        pairs["limit"] = _omit_default(str(query.paging.limit), str(DEFAULT_LIMIT))
        pairs["cursor"] = _to_param_values(query.paging.cursor)
    else:
        pairs["include"] = query.include
        pairs["cancelled"] = _omit_default(query.cancelled, Cancelled.KEEP)
        pairs["tz"] = ["utc"] if query.utc else []
        pairs["profile"] = _omit_default(query.profile, Profile.PLAIN)
    return encode_query((name, value) for name in sorted(pairs) for value in pairs[name])


def _to_param_values(value: object) -> Sequence[str]:
    match value:
        case None | "":
            return []
        case tuple():
            return value
        case bool():
            return [str(value).lower()]
        case datetime():
            return [format_utc(value)]
        case date():
            return [value.isoformat()]
    return [str(value)]


def _omit_default(value: str, default: str) -> Sequence[str]:
    return [] if value == default else [value]


@bounded_cache(500_000)
def fetch_counter_key(path: str, query: FeedQuery) -> str:
    """Return the key for counting fetches of a public feed. `path` must be percent-decoded."""
    return hash_feed_url(f"{path.rstrip('/')}?{canonical_query(query)}")
