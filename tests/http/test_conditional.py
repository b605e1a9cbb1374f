"""Public GETs: encodings, validators, 304, and the If-Match of a change (RFC 9110)."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import brotli
import pytest
import zstandard
from flask import Flask, Response, request
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.http import http_date, parse_date
from werkzeug.test import TestResponse

from eventcal.kit.refusals import Stale
from eventcal.web.conditional import (
    PUBLIC,
    Rendition,
    RenditionCache,
    RenditionKey,
    check_etag,
    check_revision,
    etag_of,
    matches_revision,
    revision_etag,
    serve,
    unchanged,
)
from eventcal.web.encodings import acceptable_codings
from eventcal.web.errors import PreconditionRequired

NOW = datetime(2014, 8, 18, 12, 0, 0, 500_000, tzinfo=UTC)
AN_HOUR_AGO = NOW - timedelta(hours=1)
TALKS = Rendition(
    body=b"BEGIN:VCALENDAR\r\n" * 100,
    media_type="text/calendar; charset=utf-8",
    etag="abc",
    last_modified=AN_HOUR_AGO,
    cache_control=PUBLIC,
    filename="calendar.ics",
)
DECODE: dict[str | None, Callable[[bytes], bytes]] = {
    None: lambda body: body,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body),
}


def fetch(
    rendition: Rendition = TALKS, headers: dict[str, str] | None = None, *, now: datetime = NOW, method: str = "GET"
) -> TestResponse:
    """Return what a client is sent for a rendition, by way of a whole app."""
    app = Flask(__name__)
    app.add_url_rule("/thing", view_func=lambda: serve(rendition, request, now), endpoint="thing")
    return app.test_client().open("/thing", method=method, headers=headers)


def test_a_plain_answer_has_its_validators_and_may_be_kept_by_anybody() -> None:
    answer = fetch()
    assert (answer.status_code, answer.data) == (200, TALKS.body)
    assert dict(answer.headers) == {
        "Content-Type": "text/calendar; charset=utf-8",
        "Content-Length": "1700",
        "Content-Disposition": 'inline; filename="calendar.ics"',
        "ETag": '"abc"',
        "Last-Modified": "Mon, 18 Aug 2014 11:00:00 GMT",
        "Cache-Control": "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400",
        "Vary": "Accept-Encoding",
        "Accept-Ranges": "none",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "ETag, Last-Modified, Link, Content-Disposition",
    }


def test_a_304_has_the_same_validators_and_nothing_of_a_body() -> None:
    answer = fetch(headers={"If-None-Match": '"abc"'})
    assert (answer.status_code, answer.data) == (304, b"")
    assert dict(answer.headers) == {
        "ETag": '"abc"',
        "Last-Modified": "Mon, 18 Aug 2014 11:00:00 GMT",
        "Cache-Control": "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400",
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "ETag, Last-Modified, Link, Content-Disposition",
    }


@pytest.mark.parametrize("headers", [{}, {"Accept-Encoding": "br"}, {"If-None-Match": '"abc"'}])
def test_head_is_get_without_the_body(headers: dict[str, str]) -> None:
    whole, head = fetch(headers=headers), fetch(headers=headers, method="HEAD")
    assert (head.status_code, dict(head.headers), head.data) == (whole.status_code, dict(whole.headers), b"")


def test_a_range_is_not_served() -> None:
    answer = fetch(headers={"Range": "bytes=0-4"})
    assert (answer.status_code, len(answer.data)) == (200, 1700)


def test_a_page_of_a_list_links_to_the_next() -> None:
    link = '<https://example.org/api/v1/talks?cursor=W10>; rel="next"'
    assert fetch(replace(TALKS, link=link)).headers["Link"] == link


@pytest.mark.parametrize(
    ("filename", "sent"),
    [
        ('a"; b\r\nX: y.ics', "a-b-X-y.ics"),
        ("../../köln.ics", "k-ln.ics"),
        ("…", "download"),
    ],
)
def test_a_filename_is_sent_in_safe_letters_only(filename: str, sent: str) -> None:
    answer = fetch(replace(TALKS, filename=filename))
    assert answer.headers["Content-Disposition"] == f'inline; filename="{sent}"'


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_every_encoding_has_its_own_tag_and_the_same_content(coding: str) -> None:
    answer = fetch(headers={"Accept-Encoding": coding})
    assert answer.headers["Content-Encoding"] == coding
    assert answer.headers["ETag"] == f'"abc-{coding}"'
    assert int(answer.headers["Content-Length"]) == len(answer.data) < len(TALKS.body)
    assert DECODE[coding](answer.data) == TALKS.body


def test_the_same_body_is_the_same_bytes_in_every_encoding() -> None:
    one, other = replace(TALKS), replace(TALKS)
    for coding in ("br", "zstd", "gzip"):
        assert one.encoded(coding) == other.encoded(coding)


def test_each_encoding_is_made_once() -> None:
    rendition = replace(TALKS)
    assert rendition.encoded("gzip") is rendition.encoded("gzip")


def test_a_small_body_stays_as_it_is_unless_the_caller_refuses_that() -> None:
    small = replace(TALKS, body=b"x" * 199)
    plain = fetch(small, {"Accept-Encoding": "gzip, br"})
    assert (plain.headers["ETag"], plain.headers.get("Content-Encoding"), plain.data) == ('"abc"', None, b"x" * 199)
    forced = fetch(small, {"Accept-Encoding": "gzip, identity;q=0"})
    assert (forced.headers["ETag"], forced.headers.get("Content-Encoding")) == ('"abc-gzip"', "gzip")


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        (None, ("identity",)),
        ("", ("identity",)),
        ("gzip", ("gzip", "identity")),
        ("GZIP", ("gzip", "identity")),
        ("x-gzip", ("gzip", "identity")),
        ("gzip, deflate, br, zstd", ("br", "zstd", "gzip", "identity")),
        ("gzip;q=1.0, br;q=0.5, zstd;q=0.8", ("gzip", "zstd", "br", "identity")),
        ("gzip ; q = 0.5 , br;q=0.7", ("br", "gzip", "identity")),
        ("gzip;q=0", ("identity",)),
        ("*", ("br", "zstd", "gzip", "identity")),
        ("*;q=0.5, gzip", ("gzip", "br", "zstd", "identity")),
        ("*, br;q=0", ("zstd", "gzip", "identity")),
        ("gzip;q=0.5, identity", ("identity", "gzip")),
        ("identity;q=0.5, gzip;q=0.5", ("gzip", "identity")),
        ("identity;q=0, gzip;q=0.001", ("gzip",)),
        ("*;q=0, gzip", ("gzip",)),
        ("*;q=0, identity;q=0.1", ("identity",)),
        # Nothing would do; a body as it is does better than none.
        ("*;q=0", ("identity",)),
        ("identity;q=0, deflate", ("identity",)),
        # Malformed members say nothing.
        ("gzip;q=2, br;q=x, zstd;q=0.1234", ("identity",)),
        (",;q=1,,gzip", ("gzip", "identity")),
    ],
)
def test_accept_encoding_is_read_as_rfc_9110_says(header: str | None, codings: tuple[str, ...]) -> None:
    assert acceptable_codings(header) == codings


WEIGHTS = st.none() | st.sampled_from(["0", "0.000", "0.001", "0.5", "0.999", "1", "1.000"])
NAMED = st.dictionaries(st.sampled_from(["br", "zstd", "gzip", "identity", "deflate", "*"]), WEIGHTS)


@given(NAMED)
@settings(max_examples=200)
def test_whatever_is_sent_is_acceptable_and_nothing_acceptable_is_liked_better(named: dict[str, str | None]) -> None:
    header = ", ".join(name if weight is None else f"{name};q={weight}" for name, weight in named.items())
    liked = {name: 1.0 if weight is None else float(weight) for name, weight in named.items()}

    def weight_of(coding: str) -> float:
        # RFC 9110, 12.5.3: identity is acceptable unless it is refused by name or by "*".
        return liked.get(coding, liked.get("*", 0.0005 if coding == "identity" else 0.0))

    answer = fetch(headers={"Accept-Encoding": header})
    sent = answer.headers.get("Content-Encoding", "identity")
    best = max(map(weight_of, ["br", "zstd", "gzip", "identity"]))
    assert answer.status_code == 200
    assert weight_of(sent) == best or (best == 0 and sent == "identity")
    assert DECODE[None if sent == "identity" else sent](answer.data) == TALKS.body


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
@settings(max_examples=100)
def test_no_accept_encoding_at_all_is_a_406_or_a_failure(header: str) -> None:
    assert fetch(headers={"Accept-Encoding": header}).status_code == 200


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ('"abc"', 304),
        ('W/"abc"', 304),
        ('"x", "abc"', 304),
        ('"x",W/"abc" ,"y"', 304),
        ('"a,b", "abc"', 304),
        ("*", 304),
        (' "abc" ', 304),
        ('"abd"', 200),
        ('"abc-gzip"', 200),
        ('"ABC"', 200),
        ("abc", 200),
        ("", 200),
        ('"abc', 200),
    ],
)
def test_if_none_match_takes_lists_weak_tags_and_any(header: str, status: int) -> None:
    assert fetch(headers={"If-None-Match": header}).status_code == status


@pytest.mark.parametrize(
    ("accepted", "known", "status"),
    [("gzip", '"abc-gzip"', 304), ("gzip", '"abc"', 200), ("br", '"abc-gzip"', 200), ("br", 'W/"abc-br"', 304)],
)
def test_a_tag_is_that_of_one_encoding(accepted: str, known: str, status: int) -> None:
    assert fetch(headers={"Accept-Encoding": accepted, "If-None-Match": known}).status_code == status


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Mon, 18 Aug 2014 11:00:00 GMT", 304),
        ("Mon, 18 Aug 2014 11:59:59 GMT", 304),
        ("Mon, 18 Aug 2014 10:59:59 GMT", 200),
        # The two old forms that a recipient must read (RFC 9110, 5.6.7).
        ("Monday, 18-Aug-14 11:00:00 GMT", 304),
        ("Mon Aug 18 11:00:00 2014", 304),
        # Only a wrong clock has a date to come.
        ("Mon, 18 Aug 2014 12:00:01 GMT", 200),
        ("Tue, 18 Aug 2015 11:00:00 GMT", 200),
        ("2014-08-18T11:00:00Z", 200),
        ("Mon, 18 Aug 2014 11:00:00 +0000", 200),
        ("Mon, 18 Aug 2014 11:00:00 GMT, Mon, 18 Aug 2014 11:00:00 GMT", 200),
        ("Mon, 99 Aug 2014 11:00:00 GMT", 200),
        ("Mon, 18 Xyz 2014 11:00:00 GMT", 200),
        ("", 200),
    ],
)
def test_if_modified_since_is_taken_only_as_a_date_of_the_past(since: str, status: int) -> None:
    assert fetch(headers={"If-Modified-Since": since}).status_code == status


def test_without_a_last_modified_no_date_is_compared() -> None:
    answer = fetch(replace(TALKS, last_modified=None), {"If-Modified-Since": http_date(NOW)})
    assert answer.status_code == 200
    assert "Last-Modified" not in answer.headers


TAGS = st.sampled_from(['"abc"', 'W/"abc"', '"abc-br"', 'W/"abc-gzip"', '"x"', 'W/"y"', '""', '"a,b"'])
MATCHES = st.none() | st.just("*") | st.lists(TAGS, max_size=4).map(", ".join)
SECONDS = st.integers(-7200, 7200).map(lambda seconds: http_date(NOW + timedelta(seconds=seconds)))


@given(match=MATCHES, since=st.none() | SECONDS | st.just("yesterday"), accepted=st.sampled_from([None, "gzip", "br"]))
@settings(max_examples=200)
def test_if_none_match_wins_over_if_modified_since(match: str | None, since: str | None, accepted: str | None) -> None:
    given_headers = {"If-None-Match": match, "If-Modified-Since": since, "Accept-Encoding": accepted}
    answer = fetch(headers={name: value for name, value in given_headers.items() if value is not None})
    tag = f'"abc-{accepted}"' if accepted else '"abc"'
    if match is not None:
        current = match == "*" or tag in match.replace("W/", "").split(", ")
    else:
        moment = parse_date(since)
        current = moment is not None and AN_HOUR_AGO.replace(microsecond=0) <= moment <= NOW
    assert (answer.status_code, answer.headers["ETag"]) == (304 if current else 200, tag)


MOMENTS = st.integers(0, 4_000).map(lambda ms: NOW.replace(microsecond=0) + timedelta(milliseconds=ms))


@given(st.lists(MOMENTS, min_size=1, max_size=6), st.lists(MOMENTS, min_size=2, max_size=6))
@settings(max_examples=200)
def test_who_goes_by_dates_alone_misses_no_change_and_never_sees_one_go_back(
    changes: list[datetime], fetches: list[datetime]
) -> None:
    changes = sorted({NOW - timedelta(days=1), *changes})
    seen, since = b"", ""
    for now in sorted(fetches):
        done = [change for change in changes if change <= now]
        body = str(len(done)).encode()
        rendition = replace(TALKS, body=body, etag=etag_of(body), last_modified=done[-1])
        answer = fetch(rendition, {"If-Modified-Since": since}, now=now)
        seen = answer.data if answer.status_code == 200 else seen
        assert seen == body
        before, since = since, answer.headers["Last-Modified"]
        assert (parse_date(before) or AN_HOUR_AGO - timedelta(days=2)) <= (parse_date(since) or NOW)


def test_what_changed_in_this_very_second_was_last_modified_before_it() -> None:
    assert fetch(replace(TALKS, last_modified=NOW)).headers["Last-Modified"] == "Mon, 18 Aug 2014 11:59:59 GMT"
    ahead = replace(TALKS, last_modified=NOW + timedelta(hours=1))
    assert fetch(ahead).headers["Last-Modified"] == "Mon, 18 Aug 2014 11:59:59 GMT"


def asked_by_version(headers: dict[str, str]) -> Response | None:
    with Flask(__name__).test_request_context("/thing", headers=headers):
        return unchanged(TALKS.version, request, NOW)


@pytest.mark.parametrize(
    "headers",
    [{"If-None-Match": '"abc"'}, {"If-None-Match": 'W/"x", W/"abc-br"', "Accept-Encoding": "gzip, br"}],
)
def test_a_304_needs_no_body_where_the_version_is_known(headers: dict[str, str]) -> None:
    answer, whole = asked_by_version(headers), fetch(headers=headers)
    assert answer is not None
    assert (answer.status_code, dict(answer.headers)) == (304, {**dict(whole.headers), **dict(answer.headers)})
    assert set(whole.headers) <= set(answer.headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"If-None-Match": '"x"'},
        {"If-None-Match": '"abc"', "Accept-Encoding": "br"},
        {"If-Modified-Since": http_date(NOW)},
        {"If-None-Match": "*"},
    ],
)
def test_where_the_version_alone_shows_nothing_the_body_is_asked_for(headers: dict[str, str]) -> None:
    assert asked_by_version(headers) is None


def test_a_version_is_named_by_its_body_or_by_its_revision_and_renderer() -> None:
    assert etag_of(b"abc") == "cf4ab791c62b8d2b2109c90275287816"
    assert revision_etag(17, "1") == revision_etag(17, "1")
    assert revision_etag(17, "1").startswith("17.")
    assert len({revision_etag(17, "1"), revision_etag(18, "1"), revision_etag(17, "2")}) == 3


@pytest.mark.parametrize("coding", [None, "br", "zstd", "gzip"])
def test_the_tag_that_a_reader_was_given_lets_them_change_the_thing(coding: str | None) -> None:
    resource = replace(TALKS, etag=revision_etag(17, "renderer"))
    tag = fetch(resource, {"Accept-Encoding": coding} if coding else {}).headers["ETag"]
    assert [matches_revision(tag, 17), matches_revision(tag, 18), matches_revision(tag, 1)] == [True, False, False]


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        ("*", True),
        (' "17.ab" ', True),
        ('"16.ab", "17.cd-gzip"', True),
        ('"17"', True),
        # The comparison is strong (RFC 9110, 13.1.1).
        ('W/"17.ab"', False),
        ('W/"17.ab", "16.ab"', False),
        ('"170.ab"', False),
        ('"017.ab"', False),
        ('"x17.ab"', False),
        ("17.ab", False),
        ("", False),
    ],
)
def test_if_match_takes_any_encoding_a_list_or_any(header: str, *, matches: bool) -> None:
    assert matches_revision(header, 17) == matches


def test_a_change_without_if_match_is_asked_for_it() -> None:
    with pytest.raises(PreconditionRequired):
        check_revision(None, 17)


def test_a_change_of_another_revision_is_stale() -> None:
    check_revision('"17.ab-br"', 17)
    with pytest.raises(Stale, match="at revision 18 now"):
        check_revision('"17.ab-br"', 18)


@pytest.mark.parametrize("header", ['"abc"', '"abc-gzip"', '"x", "abc-br"', "*"])
def test_a_change_of_these_very_bytes_is_let_through(header: str) -> None:
    check_etag(header, "abc")


@pytest.mark.parametrize("header", ['"abd"', 'W/"abc"', "abc", ""])
def test_a_change_of_other_bytes_is_stale(header: str) -> None:
    with pytest.raises(Stale):
        check_etag(header, "abc")


KEY = RenditionKey("/calendar.ics?tag=arm", 17, date(2014, 8, 18))


def test_a_rendition_is_kept_for_its_generation_and_its_day() -> None:
    cache = RenditionCache(10_000)
    cache.put(KEY, TALKS)
    assert cache.get(KEY) is TALKS
    assert cache.get(KEY._replace(generation=18)) is None
    assert cache.get(KEY._replace(day=date(2014, 8, 19))) is None
    assert cache.get(KEY._replace(url="/calendar.ics")) is None


def test_a_newer_rendition_takes_the_place_of_the_older() -> None:
    cache = RenditionCache(10_000)
    newer = KEY._replace(generation=18)
    cache.put(KEY, TALKS)
    cache.put(newer, TALKS)
    assert (cache.get(KEY), cache.get(newer)) == (None, TALKS)


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    cache = RenditionCache(10_000)
    keys = [KEY._replace(url=f"/{number}") for number in range(3)]
    for key in keys:
        cache.put(key, replace(TALKS, body=b"x" * 3_000))
        cache.get(keys[0])
    assert [cache.get(key) is not None for key in keys] == [True, False, True]


def test_encodings_count_once_they_are_made() -> None:
    cache = RenditionCache(10_000)
    old, new = KEY._replace(url="/old"), KEY._replace(url="/new")
    incompressible = b"".join(etag_of(str(number).encode()).encode() for number in range(100))
    rendition = replace(TALKS, body=incompressible)
    cache.put(old, replace(TALKS, body=b"x" * 2_000))
    cache.put(new, rendition)
    assert cache.get(old) is not None
    for coding in ("br", "zstd", "gzip"):
        rendition.encoded(coding)
    assert cache.get(new) is rendition
    assert cache.get(old) is None


def test_what_is_larger_than_the_bound_is_not_kept() -> None:
    cache = RenditionCache(10_000)
    cache.put(KEY, replace(TALKS, body=b"x" * 10_000))
    assert cache.get(KEY) is None
