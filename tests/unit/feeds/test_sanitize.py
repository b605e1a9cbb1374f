"""Cleaning of text and URLs so that every calendar format can represent them."""

import json
import sys
from urllib.parse import unquote
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventcal.feeds.entries.sanitize import percent_encode_url, replace_controls
from tests.feed_support.sample_entries import ANY_TEXT, normalise_text


def test_clean_keeps_text_characters_and_replaces_all_others() -> None:
    every = [chr(number) for number in range(sys.maxunicode + 1)]
    stays = "".join([character for character in every if normalise_text(character) == character])
    assert replace_controls(stays) == stays
    goes = sorted(set(every) - set(stays))
    assert len(goes) == (32 - 1) + 33 + 2 + 2048 + 2
    assert [replace_controls(character) for character in goes] == [normalise_text(character) for character in goes]


@given(text=ANY_TEXT)
def test_cleaned_text_round_trips_through_json_and_xml(text: str) -> None:
    cleaned = replace_controls(text)
    assert cleaned == normalise_text(text) == replace_controls(cleaned)
    assert json.loads(json.dumps(cleaned).encode()) == cleaned
    escaped = cleaned.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert (fromstring(f"<x>{escaped}</x>".encode()).text or "") == cleaned  # noqa: S314 - our own


def test_line_breaks_are_normalised_to_line_feeds() -> None:
    assert replace_controls("a\r\nb\rc\n\rd\u2028e\x85") == "a\nb\nc\n\nd\ne\n"


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("https://example.org/a?b=c,d;e&f=%20#g", "https://example.org/a?b=c,d;e&f=%20#g"),
        ("https://[::1]:8000/~xen/(1)!*'", "https://[::1]:8000/~xen/(1)!*'"),
        ("https://example.org/köln", "https://example.org/k%C3%B6ln"),
        ('https://example.org/a\r\nb"<c>\\d', "https://example.org/a%0D%0Ab%22%3Cc%3E%5Cd"),
        ("https://example.org/100%/%zz%4/%e2%82%ac", "https://example.org/100%25/%25zz%254/%e2%82%ac"),
    ],
)
def test_uri_is_percent_encoded(written: str, printed: str) -> None:
    assert percent_encode_url(written) == printed


@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_percent_encoded_uri_decodes_to_the_same_text(text: str) -> None:
    printed = percent_encode_url(text)
    assert printed.isascii()
    assert percent_encode_url(printed) == printed
    assert unquote(printed) == unquote(text)
