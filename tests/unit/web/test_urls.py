"""Encoding of paths and queries in URLs."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventcal.web.http.urls import encode_query, quote_path, with_query

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(pairs=st.lists(st.tuples(TEXTS, TEXTS)))
def test_encoded_query_keeps_parameters_and_their_order(pairs: list[tuple[str, str]]) -> None:
    assert parse_qsl(encode_query(pairs), keep_blank_values=True) == pairs


def test_query_keeps_colons_and_percent_encodes_spaces() -> None:
    assert encode_query([("since", "2014-06-04T13:30:00Z"), ("q", "a b")]) == "since=2014-06-04T13:30:00Z&q=a%20b"


def test_path_without_a_query_has_no_question_mark() -> None:
    assert with_query("/", "") == "/"
    assert with_query("/", "tag=a") == "/?tag=a"


@pytest.mark.parametrize(
    ("path", "quoted"),
    [("/events/a-b_c.ics", "/events/a-b_c.ics"), ("/a b?c#d", "/a%20b%3Fc%23d"), ("/ü\ud800", "/%C3%BC%3F")],
)
def test_path_is_quoted_per_rfc_3986(path: str, quoted: str) -> None:
    assert quote_path(path) == quoted
