"""Parsing of query strings, their errors and their canonical form."""

from dataclasses import replace
from datetime import UTC, date, datetime
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema
from werkzeug.datastructures import MultiDict

from eventcal.events.enums import EventKind, EventStatus, TalkKind
from eventcal.events.filter import Filter, Sort
from eventcal.feeds.apply_options import Cancelled
from eventcal.kit.errors import FieldError, Invalid
from eventcal.kit.pagination import PageRequest
from eventcal.kit.text import single_line_error
from eventcal.talks.enums import TalkState
from eventcal.web.params.listing_filters import (
    FeedQuery,
    FeedQuerySchema,
    Include,
    ListingQuery,
    ListingQuerySchema,
    Profile,
    canonical_query,
    known_listing_args,
    parse_feed_query,
    parse_listing_query,
)


def parse_args(query: str) -> MultiDict[str, str]:
    return MultiDict(parse_qsl(query, keep_blank_values=True))


def parse_listing(query: str) -> ListingQuery:
    return parse_listing_query(parse_args(query))


def listing_errors(query: str) -> tuple[FieldError, ...]:
    with pytest.raises(Invalid) as refusal:
        parse_listing(query)
    return refusal.value.errors


def test_empty_query_selects_everything() -> None:
    assert parse_listing("") == ListingQuery(filter=Filter(), sort=Sort.STARTS, paging=PageRequest(50, None))


def test_every_parameter_sets_its_filter_field() -> None:
    query = (
        "from=2014-08-18&to=2014-08-20&q=arm%20on%20xen&tag=arm&tag=xen&kind=talk&country=de&city=Berlin&event=xpds-14"
        "&track=Core&room=A&speaker=jane-doe&language=pt-BR&state=confirmed&series=XPDS&cfp=open&scheduled=true"
        "&updated_since=2014-06-04T13:30:00Z&sort=-starts&limit=7&cursor=WzFd"
    )
    assert parse_listing(query) == ListingQuery(
        filter=Filter(
            from_day=date(2014, 8, 18),
            to_day=date(2014, 8, 20),
            q="arm on xen",
            tags=("arm", "xen"),
            kinds=("talk",),
            countries=("DE",),
            cities=("Berlin",),
            events=("xpds-14",),
            tracks=("Core",),
            rooms=("A",),
            speakers=("jane-doe",),
            languages=("pt-BR",),
            states=("confirmed",),
            series=("XPDS",),
            call_open=True,
            scheduled=True,
            updated_since=datetime(2014, 6, 4, 13, 30, tzinfo=UTC),
        ),
        sort=Sort.STARTS_DOWN,
        paging=PageRequest(7, "WzFd"),
    )


def test_values_may_be_repeated_or_separated_by_commas() -> None:
    assert parse_listing("kind=talk,meetup&kind=bof") == parse_listing("kind=bof&kind=meetup&kind=talk&kind=talk")


def test_status_and_state_are_combined() -> None:
    assert parse_listing("status=cancelled&state=confirmed,accepted").filter.states == (
        "accepted",
        "cancelled",
        "confirmed",
    )


def test_comma_in_a_name_does_not_separate_values() -> None:
    assert parse_listing("track=Tools, Toolstack&city=a,b&tag=x,y").filter == Filter(
        tracks=("Tools, Toolstack",), cities=("a,b",), tags=("x,y",)
    )


def test_blank_search_selects_everything() -> None:
    assert parse_listing("q=") == parse_listing("q=%20%20") == parse_listing("")


@pytest.mark.parametrize(
    ("since", "moment"),
    [
        ("2014-06-04", datetime(2014, 6, 4, tzinfo=UTC)),
        ("2014-06-04T13:30:00Z", datetime(2014, 6, 4, 13, 30, tzinfo=UTC)),
        ("2014-06-04T13:30:00.999-04:00", datetime(2014, 6, 4, 17, 30, tzinfo=UTC)),
        ("2014-06-04T13:30:00%2B02:00", datetime(2014, 6, 4, 11, 30, tzinfo=UTC)),
        # An unescaped plus sign.
        ("2014-06-04T13:30:00+02:00", datetime(2014, 6, 4, 11, 30, tzinfo=UTC)),
    ],
)
def test_updated_since_accepts_a_time_with_offset_or_a_date_in_utc(since: str, moment: datetime) -> None:
    assert parse_listing(f"updated_since={since}").filter == Filter(updated_since=moment)


@pytest.mark.parametrize(
    ("query", "parameter", "detail"),
    [
        (
            "from=18.8.2014",
            "from",
            "'18.8.2014' is neither a date (2014-08-18) nor a local date-time (2014-06-04T13:30:00)",
        ),
        ("from=", "from", "'' is neither a date (2014-08-18) nor a local date-time"),
        ("to=2014-02-30", "to", "'2014-02-30' is not a valid date or time"),
        ("to=2014-02-03T10:00", "to", "must be a date such as 2014-08-18"),
        ("from=2014-08-20&to=2014-08-18", "to", "must not be before `from`"),
        ("from=0001-01-01", "from", "the year 0001 is out of range; use a year from 1970 to 2199"),
        ("q=" + "x" * 201, "q", "must have at most 200 characters"),
        ("tag=" + "x" * 201, "tag", "must have at most 200 characters"),
        ("tag=", "tag", "must not be blank"),
        ("kind=talk,,bof", "kind", "must not be blank"),
        ("kind=party", "kind", "must be one of: bof, conference, hackathon, keynote, lightning, meetup, panel,"),
        ("country=DEU", "country", "must be an ISO 3166-1 code of two letters, such as DE"),
        ("country=de%0A", "country", "contains a line break (U+000A) at position 3"),
        ("language=english_us", "language", "must be a language tag such as en or pt-BR"),
        ("state=open", "state", "must be one of: accepted, cancelled, confirmed, draft, pending,"),
        ("status=open", "status", "must be one of: accepted, cancelled, confirmed, draft, pending,"),
        ("cfp=closed", "cfp", "must be one of: open"),
        ("scheduled=1", "scheduled", "must be true or false"),
        ("updated_since=2014-06-04T13:30:00", "updated_since", "must have an offset, such as 2014-06-04T13:30:00Z"),
        (
            "updated_since=yesterday",
            "updated_since",
            "must be a date-time with an offset, such as 2014-06-04T13:30:00Z, or",
        ),
        ("sort=name", "sort", "must be one of: starts, -starts, updated"),
        ("limit=0", "limit", "must be between 1 and 200"),
        ("limit=201", "limit", "must be between 1 and 200"),
        ("limit=1_0", "limit", "must be an integer"),
        ("limit=%D9%A1", "limit", "must be an integer"),
        ("cursor=", "cursor", "must not be blank"),
        ("limit=1&limit=2", "limit", "must not be repeated"),
        ("q=a&q=b", "q", "must not be repeated"),
        ("from=2014-08-18&from=2014-08-18", "from", "must not be repeated"),
        ("tag=" + "&tag=".join(map(str, range(51))), "tag", "must have at most 50 values"),
        ("event=" + "a," * 50, "event", "must have at most 50 values"),
        ("tags=arm", "tags", "is an unknown parameter; remove it"),
        ("utm_source=x", "utm_source", "is an unknown parameter; remove it"),
        ("include=events", "include", "is an unknown parameter; remove it"),
    ],
)
def test_malformed_parameter_error_names_the_parameter_and_the_valid_form(
    query: str, parameter: str, detail: str
) -> None:
    (fault,) = listing_errors(query)
    assert fault.pointer == f"?{parameter}"
    assert fault.detail.startswith(detail)


def test_all_query_errors_are_reported_together() -> None:
    assert listing_errors("limit=0&from=2014-08-20&to=2014-08-18&sort=x&bogus=1&kind=talk,party,gala&q=a%00b") == (
        FieldError("?bogus", "is an unknown parameter; remove it"),
        FieldError(
            "?kind",
            "must be one of: bof, conference, hackathon, keynote, lightning, meetup, panel, poster, talk, tutorial, "
            "webinar, workshop",
        ),
        FieldError("?limit", "must be between 1 and 200"),
        FieldError("?q", "contains a control character (U+0000) at position 2; remove it"),
        FieldError("?sort", "must be one of: starts, -starts, updated"),
        FieldError("?to", "must not be before `from`"),
    )


@pytest.mark.parametrize("schema", [ListingQuerySchema(), FeedQuerySchema()])
@pytest.mark.parametrize("control", ["%00", "%1B", "%C2%9F"])
def test_every_parameter_rejects_control_characters(schema: Schema, control: str) -> None:
    read = parse_listing_query if isinstance(schema, ListingQuerySchema) else parse_feed_query
    for name, field in schema.load_fields.items():
        with pytest.raises(Invalid) as refusal:
            read(parse_args(f"{field.data_key or name}=a{control}"))
        assert {fault.pointer for fault in refusal.value.errors} == {f"?{field.data_key or name}"}


def test_every_parameter_is_documented() -> None:
    documented = {**ListingQuerySchema().load_fields, **FeedQuerySchema().load_fields}
    assert [name for name, field in documented.items() if not field.metadata.get("description")] == []


def test_repeated_query_returns_the_cached_filter() -> None:
    assert parse_listing("tag=arm&limit=3").filter is parse_listing("tag=arm&limit=3").filter


def test_feed_query_accepts_feed_parameters() -> None:
    query = "include=talks,deadlines&cancelled=mark&tz=utc&profile=rich&tag=arm"
    assert parse_feed_query(parse_args(query)) == FeedQuery(
        filter=Filter(tags=("arm",)),
        include=(Include.DEADLINES, Include.TALKS),
        cancelled=Cancelled.MARK,
        utc=True,
        profile=Profile.RICH,
    )


def test_empty_feed_query_keeps_cancelled_entries_and_time_zones() -> None:
    assert parse_feed_query(parse_args("")) == FeedQuery(
        filter=Filter(), include=(), cancelled=Cancelled.KEEP, utc=False, profile=Profile.PLAIN
    )


def test_feed_query_rejects_paging_and_sorting() -> None:
    with pytest.raises(Invalid) as refusal:
        parse_feed_query(parse_args("limit=1&cursor=x&sort=starts&tz=Europe/Berlin&include=sponsors"))
    assert refusal.value.errors == (
        FieldError("?cursor", "is an unknown parameter; remove it"),
        FieldError("?include", "must be one of: events, talks, deadlines"),
        FieldError("?limit", "is an unknown parameter; remove it"),
        FieldError("?sort", "is an unknown parameter; remove it"),
        FieldError("?tz", "must be one of: utc"),
    )


def test_page_query_drops_unknown_and_blank_parameters() -> None:
    query = "utm_source=x&q=&tag=arm&tag=&view=month&from=%20&city=Berlin"
    assert known_listing_args(parse_args(query)) == parse_args("tag=arm&city=Berlin")


def test_canonical_query_is_sorted_and_omits_defaults() -> None:
    query = "tag=xen&limit=50&city=K%C3%B6ln%20am%20Rhein&tag=arm&sort=starts&country=de&status=draft&scheduled=false"
    assert canonical_query(parse_listing(query)) == (
        "city=K%C3%B6ln%20am%20Rhein&country=DE&scheduled=false&state=draft&tag=arm&tag=xen"
    )


def test_next_page_query_adds_only_the_cursor() -> None:
    asked = parse_listing("tag=xen&limit=2")
    after = replace(asked, paging=replace(asked.paging, cursor="WzFd-_"))
    assert canonical_query(after) == "cursor=WzFd-_&limit=2&tag=xen"


LINES = st.text(max_size=12).filter(lambda line: single_line_error(line) is None)
SLUGS = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)?", fullmatch=True)


def sorted_tuples(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sets(values, max_size=3).map(lambda some: tuple(sorted(some)))


FILTERS = st.builds(
    Filter,
    from_day=st.none() | st.dates(date(1970, 1, 1), date(2014, 1, 1)),
    to_day=st.none() | st.dates(date(2014, 1, 1), date(2199, 12, 31)),
    q=st.none() | LINES,
    tags=sorted_tuples(LINES),
    kinds=sorted_tuples(st.sampled_from([*EventKind, *TalkKind])),
    countries=sorted_tuples(st.sampled_from(["DE", "FR", "US"])),
    cities=sorted_tuples(LINES),
    events=sorted_tuples(SLUGS),
    tracks=sorted_tuples(LINES),
    rooms=sorted_tuples(LINES),
    speakers=sorted_tuples(SLUGS),
    languages=sorted_tuples(st.sampled_from(["en", "pt-BR", "zh-Hant"])),
    states=sorted_tuples(st.sampled_from([*EventStatus, *TalkState])),
    series=sorted_tuples(LINES),
    call_open=st.booleans(),
    scheduled=st.none() | st.booleans(),
    updated_since=st.none()
    | st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001 - with a zone
        lambda moment: moment.replace(microsecond=0)
    ),
)
LISTING_QUERIES = st.builds(
    ListingQuery,
    filter=FILTERS,
    sort=st.sampled_from(Sort),
    paging=st.builds(
        PageRequest, limit=st.integers(1, 200), cursor=st.none() | st.from_regex("[A-Za-z0-9_-]+", fullmatch=True)
    ),
)
FEED_QUERIES = st.builds(
    FeedQuery,
    filter=FILTERS,
    include=sorted_tuples(st.sampled_from(Include)),
    cancelled=st.sampled_from(Cancelled),
    utc=st.booleans(),
    profile=st.sampled_from(Profile),
)


@given(LISTING_QUERIES)
@settings(max_examples=100)
def test_canonical_listing_query_round_trips(asked: ListingQuery) -> None:
    assert parse_listing(canonical_query(asked)) == asked


@given(FEED_QUERIES)
@settings(max_examples=50)
def test_canonical_feed_query_round_trips(asked: FeedQuery) -> None:
    assert parse_feed_query(parse_args(canonical_query(asked))) == asked


@given(st.lists(st.tuples(st.sampled_from(["q", "tag", "from", "limit", "cursor", "updated_since", "x"]), st.text())))
@settings(max_examples=200)
def test_arbitrary_query_is_parsed_or_rejected(pairs: list[tuple[str, str]]) -> None:
    try:
        parse_listing_query(MultiDict(pairs))
    except Invalid as refusal:
        assert refusal.errors != ()  # noqa: PT017 - both outcomes are valid
