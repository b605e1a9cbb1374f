"""Conversion between query strings and filters, for the API, pages, embeds and feeds.

The schemas define the parameters and document them in OpenAPI. `read_listing` and `read_feed` cache the results.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar, cast

from marshmallow import ValidationError, post_load, validates_schema
from werkzeug.datastructures import MultiDict

from eventcal.events.filter import NO_FILTER, Filter, Sort
from eventcal.events.words import EventKind, EventStatus, TalkKind
from eventcal.feeds.fetches import public_feed_key
from eventcal.feeds.options import Cancelled
from eventcal.kit.localtime import format_utc
from eventcal.kit.paging import DEFAULT_LIMIT, PageRequest
from eventcal.kit.refusals import Message
from eventcal.kit.values import LANGUAGE
from eventcal.talks.words import TalkState
from eventcal.web.http.urls import encode_query
from eventcal.web.params.fields import (
    LINE_FORM,
    LONGEST_TEXT,
    Commas,
    Day,
    Flag,
    Query,
    Search,
    Several,
    Since,
    Text,
    Word,
    at_most,
    filled_in,
    form,
    load_query,
    page_size,
    says,
    text,
)

_KINDS = sorted({str(kind) for kind in (*EventKind, *TalkKind)})
_STATES = sorted({str(state) for state in (*EventStatus, *TalkState)})


class Include(StrEnum):
    """The kinds of entries that a feed can include."""

    EVENTS = "events"
    TALKS = "talks"
    DEADLINES = "deadlines"


class Profile(StrEnum):
    """The level of detail of .ics entries."""

    PLAIN = "plain"
    RICH = "rich"


@dataclass(frozen=True, kw_only=True)
class ListingQuery:
    """The query of a list."""

    filter: Filter = NO_FILTER
    sort: Sort = Sort.STARTS
    paging: PageRequest = PageRequest()  # noqa: RUF009 - frozen, so the instance can be shared


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The query of a feed. If `include` is empty, the default of the feed applies."""

    filter: Filter = NO_FILTER
    include: tuple[Include, ...] = ()
    cancelled: Cancelled = Cancelled.KEEP
    utc: bool = False
    profile: Profile = Profile.PLAIN


class FilterArgs(Query):
    """The query parameters that lists and feeds have in common.

    A schema loads a `result`. Parameters that are neither filters nor paging set its attribute of the same name.
    """

    result: ClassVar[type[ListingQuery] | type[Asked]] = ListingQuery

    from_day = Day(data_key="from", metadata=says("Items that end on or after this day."))
    to_day = Day(data_key="to", metadata=says("Items that begin on or before this day."))
    q = Search(
        validate=at_most(LONGEST_TEXT),
        metadata=says("Search terms. All must match the beginning of a word, ignoring case and accents.")
        | {"pattern": LINE_FORM["pattern"]},
    )
    tags = Several(text(), data_key="tag", metadata=says("Items with all of these tags."))
    kinds = Commas(Word(_KINDS), data_key="kind", metadata=says("Events or talks of any of these kinds."))
    countries = Commas(
        form("[A-Za-z]{2}", says=Message("must be an ISO 3166-1 code of two letters, such as DE")),
        data_key="country",
        metadata=says("Items in any of these countries (ISO 3166-1 alpha-2)."),
    )
    cities = Several(text(), data_key="city", metadata=says("Items in any of these cities, spelled exactly as stored."))
    events = Commas(text(), data_key="event", metadata=says("These events, by slug, and their talks."))
    tracks = Several(text(), data_key="track", metadata=says("Talks in any of these tracks."))
    rooms = Several(text(), data_key="room", metadata=says("Talks in any of these rooms."))
    speakers = Commas(text(), data_key="speaker", metadata=says("Talks by any of these speakers, by slug."))
    languages = Commas(
        form(LANGUAGE.pattern, says=LANGUAGE.message),
        data_key="language",
        metadata=says("Talks in any of these languages (BCP 47)."),
    )
    states = Commas(
        Word(_STATES),
        data_key="state",
        metadata=says("Events with any of these statuses, or talks in any of these states."),
    )
    status = Commas(Word(_STATES), metadata=says("Alias of `state`. The values of both are combined."))
    series = Several(text(), metadata=says("Events of any of these series, and their talks."))
    call_open = Word(["open"], data_key="cfp", metadata=says("Events with an open call for talks, and their talks."))
    scheduled = Flag(metadata=says("true: scheduled items only; false: unscheduled items only."))
    updated_since = Since(
        metadata=says(
            "Items changed at or after this time: RFC 3339 with an offset (+ is %2B in URLs), or a date in UTC."
        )
        | {"pattern": r"^(19[7-9]\d|2[01]\d\d)-\d\d-\d\d([Tt]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d))?$"}
    )

    @validates_schema(skip_on_field_errors=False)
    def _check_days(self, data: Mapping[str, Any], **_: object) -> None:
        if "from_day" in data and "to_day" in data and data["from_day"] > data["to_day"]:
            raise ValidationError(Message("must not be before from"), field_name="to")

    @post_load
    def _make(self, data: dict[str, Any], **_: object) -> ListingQuery | Asked:
        return self.make(data)

    def make(self, data: dict[str, Any]) -> ListingQuery | Asked:
        """Return the result with these parameters."""
        if "limit" in data or "cursor" in data:
            data["paging"] = PageRequest(data.pop("limit", DEFAULT_LIMIT), data.pop("cursor", None))
        own = {field.name: data.pop(field.name) for field in dataclasses.fields(self.result) if field.name in data}
        return self.result(filter=_filter(**data), **own)


class ListingQuerySchema(FilterArgs):
    """The query parameters of a list."""

    sort = Word(Sort, metadata=says("The sort order; by default `starts`."))
    limit = page_size(metadata=says(f"The number of items per page; by default {DEFAULT_LIMIT}."))
    cursor = Text(metadata=says("The `next` value of the previous page.") | {"pattern": "^[A-Za-z0-9_-]+$"})


class FeedArgs(FilterArgs):
    """The query parameters of a feed."""

    result = Asked

    include = Commas(Word(Include), metadata=says("The kinds of entries in the feed."))
    cancelled = Word(
        Cancelled,
        metadata=says("Cancelled items: keep them as cancelled (default), hide them, or mark them in the title only."),
    )
    utc = Word(["utc"], data_key="tz", metadata=says("utc: times in UTC, for clients without time zone support."))
    profile = Word(Profile, metadata=says("rich: with RFC 9073 components, which some clients do not support."))

    def make(self, data: dict[str, Any]) -> ListingQuery | Asked:
        """Return the result with these parameters."""
        return super().make(data | {"utc": "utc" in data})


def _filter(
    *,
    q: str = "",
    countries: tuple[str, ...] = (),
    states: tuple[str, ...] = (),
    status: tuple[str, ...] = (),
    call_open: str | None = None,
    **plain: Any,  # noqa: ANN401 - fields with the names and types of those of the Filter
) -> Filter:
    return Filter(
        q=q or None,
        countries=tuple(sorted({country.upper() for country in countries})),
        states=tuple(sorted({*states, *status})),
        call_open=call_open is not None,
        **plain,
    )


_LISTING, _FEED = ListingQuerySchema(), FeedArgs()
# Maps filter parameters to attributes of the Filter; `status` is an alias of `state`.
_ATTRIBUTES = {field.data_key or name: name for name, field in FilterArgs(exclude=["status"]).load_fields.items()}


def read_listing(args: MultiDict[str, str]) -> ListingQuery:
    """Return the query of a list.

    The result is cached, because parsing costs more than a 304 response. Raises Invalid with every field error:
    unknown, malformed and contradictory parameters.
    """
    return cast("ListingQuery", _load(_LISTING, tuple(args.items(multi=True))))


def read_feed(args: MultiDict[str, str]) -> Asked:
    """Return the query of a feed, like `read_listing` but without paging and sorting."""
    return cast("Asked", _load(_FEED, tuple(args.items(multi=True))))


@lru_cache(2048)
def _load(schema: FilterArgs, pairs: tuple[tuple[str, str], ...]) -> ListingQuery | Asked:
    return cast("ListingQuery | Asked", load_query(schema, MultiDict(pairs)))


def known_args(args: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return the parameters of a query string that `read_listing` supports and that are not blank."""
    return filled_in(_LISTING, args)


def known_feed_args(args: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return the parameters of a query string that `read_feed` supports and that are not blank."""
    return filled_in(_FEED, args)


def canonical_query(asked: ListingQuery | Asked) -> str:
    """Return the canonical query string: sorted and without defaults. Parsing it gives an equal value.

    For a link to the next page, set the cursor in `paging` first.
    """
    pairs = {name: _written(getattr(asked.filter, attribute)) for name, attribute in _ATTRIBUTES.items()}
    pairs["cfp"] = ["open"] if asked.filter.call_open else []
    if isinstance(asked, ListingQuery):
        pairs["sort"] = _unless(asked.sort, Sort.STARTS)
        pairs["limit"] = _unless(str(asked.paging.limit), str(DEFAULT_LIMIT))
        pairs["cursor"] = _written(asked.paging.cursor)
    else:
        pairs["include"] = asked.include
        pairs["cancelled"] = _unless(asked.cancelled, Cancelled.KEEP)
        pairs["tz"] = ["utc"] if asked.utc else []
        pairs["profile"] = _unless(asked.profile, Profile.PLAIN)
    return encode_query((name, value) for name in sorted(pairs) for value in pairs[name])


def _written(value: object) -> Sequence[str]:
    """Return the values of a query parameter for the value of a Filter attribute."""
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


def _unless(value: str, default: str) -> Sequence[str]:
    return [] if value == default else [value]


@lru_cache(4096)
def feed_key(path: str, asked: Asked) -> str:
    """Return the key for counting fetches of a public feed, from its decoded path and its query."""
    return public_feed_key(f"{path.rstrip('/')}?{canonical_query(asked)}")
