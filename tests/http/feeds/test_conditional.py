"""Public GETs: encodings, validators and 304 (RFC 9110)."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.http import http_date, parse_date

from eventcal.web.http.conditional import etag_of
from eventcal.web.http.content_encoding import acceptable_codings
from tests.representations import AN_HOUR_AGO, CALENDAR, DECODERS, NOW, fetch_representation, make_representation


def test_plain_response_has_validators_and_is_publicly_cacheable() -> None:
    answer = fetch_representation()
    assert (answer.status_code, answer.data) == (200, CALENDAR.body)
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


def test_304_response_has_the_same_validators_and_no_body() -> None:
    answer = fetch_representation(headers={"If-None-Match": '"abc"'})
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
def test_head_returns_the_headers_of_get_without_the_body(headers: dict[str, str]) -> None:
    whole, head = fetch_representation(headers=headers), fetch_representation(headers=headers, method="HEAD")
    assert (head.status_code, dict(head.headers), head.data) == (whole.status_code, dict(whole.headers), b"")


def test_range_request_returns_the_whole_body() -> None:
    answer = fetch_representation(headers={"Range": "bytes=0-4"})
    assert (answer.status_code, len(answer.data)) == (200, 1700)


def test_list_page_links_to_the_next_page() -> None:
    link = '<https://example.org/api/v1/talks?cursor=W10>; rel="next"'
    assert fetch_representation(make_representation(link=link)).headers["Link"] == link


@pytest.mark.parametrize(
    ("filename", "sent"),
    [
        ('a"; b\r\nX: y.ics', "a-b-X-y.ics"),
        ("../../köln.ics", "k-ln.ics"),
        ("…", "download"),
    ],
)
def test_filename_is_sent_in_safe_ascii_characters(filename: str, sent: str) -> None:
    answer = fetch_representation(make_representation(filename=filename))
    assert answer.headers["Content-Disposition"] == f'inline; filename="{sent}"'


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_each_encoding_has_its_own_etag_and_the_same_content(coding: str) -> None:
    answer = fetch_representation(headers={"Accept-Encoding": coding})
    assert answer.headers["Content-Encoding"] == coding
    assert answer.headers["ETag"] == f'"abc-{coding}"'
    assert int(answer.headers["Content-Length"]) == len(answer.data) < len(CALENDAR.body)
    assert DECODERS[coding](answer.data) == CALENDAR.body


def test_small_body_is_not_compressed_unless_identity_is_rejected() -> None:
    small = make_representation(body=b"x" * 199)
    plain = fetch_representation(small, {"Accept-Encoding": "gzip, br"})
    assert (plain.headers["ETag"], plain.headers.get("Content-Encoding"), plain.data) == ('"abc"', None, b"x" * 199)
    forced = fetch_representation(small, {"Accept-Encoding": "gzip, identity;q=0"})
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
        # No coding is acceptable; an unencoded body is better than an error.
        ("*;q=0", ("identity",)),
        ("identity;q=0, deflate", ("identity",)),
        # Malformed members are ignored.
        ("gzip;q=2, br;q=x, zstd;q=0.1234", ("identity",)),
        (",;q=1,,gzip", ("gzip", "identity")),
    ],
)
def test_accept_encoding_is_parsed_according_to_rfc_9110(header: str | None, codings: tuple[str, ...]) -> None:
    assert acceptable_codings(header) == codings


QVALUES = st.none() | st.sampled_from(["0", "0.000", "0.001", "0.5", "0.999", "1", "1.000"])
CODING_QVALUES = st.dictionaries(st.sampled_from(["br", "zstd", "gzip", "identity", "deflate", "*"]), QVALUES)


@given(CODING_QVALUES)
@settings(max_examples=200)
def test_response_uses_the_most_preferred_acceptable_encoding(named: dict[str, str | None]) -> None:
    header = ", ".join(name if weight is None else f"{name};q={weight}" for name, weight in named.items())
    liked = {name: 1.0 if weight is None else float(weight) for name, weight in named.items()}

    def weight_of(coding: str) -> float:
        # RFC 9110, 12.5.3: identity is acceptable unless it is excluded by name or by "*".
        return liked.get(coding, liked.get("*", 0.0005 if coding == "identity" else 0.0))

    answer = fetch_representation(headers={"Accept-Encoding": header})
    sent = answer.headers.get("Content-Encoding", "identity")
    best = max(map(weight_of, ["br", "zstd", "gzip", "identity"]))
    assert answer.status_code == 200
    assert weight_of(sent) == best or (best == 0 and sent == "identity")
    assert DECODERS[sent](answer.data) == CALENDAR.body


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
@settings(max_examples=100)
def test_no_accept_encoding_header_causes_an_error(header: str) -> None:
    assert fetch_representation(headers={"Accept-Encoding": header}).status_code == 200


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
def test_if_none_match_accepts_lists_weak_etags_and_a_wildcard(header: str, status: int) -> None:
    assert fetch_representation(headers={"If-None-Match": header}).status_code == status


@pytest.mark.parametrize(
    ("accepted", "known", "status"),
    [("gzip", '"abc-gzip"', 304), ("gzip", '"abc"', 200), ("br", '"abc-gzip"', 200), ("br", 'W/"abc-br"', 304)],
)
def test_if_none_match_compares_the_etag_of_the_selected_encoding(accepted: str, known: str, status: int) -> None:
    assert fetch_representation(headers={"Accept-Encoding": accepted, "If-None-Match": known}).status_code == status


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Mon, 18 Aug 2014 11:00:00 GMT", 304),
        ("Mon, 18 Aug 2014 11:59:58 GMT", 304),
        ("Mon, 18 Aug 2014 10:59:59 GMT", 200),
        # The two obsolete date formats that a recipient must accept (RFC 9110, section 5.6.7).
        ("Monday, 18-Aug-14 11:00:00 GMT", 304),
        ("Mon Aug 18 11:00:00 2014", 304),
        # A date in the future comes from a wrong clock.
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
def test_if_modified_since_accepts_only_valid_dates_in_the_past(since: str, status: int) -> None:
    assert fetch_representation(headers={"If-Modified-Since": since}).status_code == status


def test_if_modified_since_is_ignored_without_last_modified() -> None:
    answer = fetch_representation(make_representation(last_modified=None), {"If-Modified-Since": http_date(NOW)})
    assert answer.status_code == 200
    assert "Last-Modified" not in answer.headers


ETAGS = st.sampled_from(['"abc"', 'W/"abc"', '"abc-br"', 'W/"abc-gzip"', '"x"', 'W/"y"', '""', '"a,b"'])
ETAG_LISTS = st.none() | st.just("*") | st.lists(ETAGS, max_size=4).map(", ".join)
HTTP_DATES = st.integers(-7200, 7200).map(lambda seconds: http_date(NOW + timedelta(seconds=seconds)))


@given(
    match=ETAG_LISTS,
    since=st.none() | HTTP_DATES | st.just("yesterday"),
    accepted=st.sampled_from([None, "gzip", "br"]),
)
@settings(max_examples=200)
def test_if_none_match_wins_over_if_modified_since(match: str | None, since: str | None, accepted: str | None) -> None:
    given_headers = {"If-None-Match": match, "If-Modified-Since": since, "Accept-Encoding": accepted}
    answer = fetch_representation(headers={name: value for name, value in given_headers.items() if value is not None})
    tag = f'"abc-{accepted}"' if accepted else '"abc"'
    if match is not None:
        current = match == "*" or tag in match.replace("W/", "").split(", ")
    else:
        moment = parse_date(since)
        current = moment is not None and AN_HOUR_AGO.replace(microsecond=0) <= moment <= NOW
    assert (answer.status_code, answer.headers["ETag"]) == (304 if current else 200, tag)


MODIFICATION_TIMES = st.integers(0, 4_000).map(lambda ms: NOW.replace(microsecond=0) + timedelta(milliseconds=ms))


@given(st.lists(MODIFICATION_TIMES, min_size=1, max_size=6), st.lists(MODIFICATION_TIMES, min_size=2, max_size=6))
@settings(max_examples=200)
def test_client_using_only_dates_misses_no_change_and_sees_none_reverted(
    changes: list[datetime], fetches: list[datetime]
) -> None:
    changes = sorted({NOW - timedelta(days=1), *changes})
    seen, since = b"", ""
    for now in sorted(fetches):
        done = [change for change in changes if change <= now]
        body = str(len(done)).encode()
        rendition = make_representation(body=body, etag=etag_of(body), last_modified=done[-1])
        answer = fetch_representation(rendition, {"If-Modified-Since": since}, now=now)
        seen = answer.data if answer.status_code == 200 else seen
        assert seen == body
        before, since = since, answer.headers["Last-Modified"]
        assert (parse_date(before) or AN_HOUR_AGO - timedelta(days=2)) <= (parse_date(since) or NOW)


def test_last_modified_is_at_least_two_seconds_in_the_past() -> None:
    assert (
        fetch_representation(make_representation(last_modified=NOW)).headers["Last-Modified"]
        == "Mon, 18 Aug 2014 11:59:58 GMT"
    )
    ahead = make_representation(last_modified=NOW + timedelta(hours=1))
    assert fetch_representation(ahead).headers["Last-Modified"] == "Mon, 18 Aug 2014 11:59:58 GMT"
