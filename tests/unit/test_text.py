# ruff: noqa: RUF001 - the tests need letters that look alike
"""Storable text, slugs, search words and email keys."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventcal.kit.text import (
    QUERY_WORD_LIMIT,
    SLUG_LIMIT,
    build_search_text,
    email_key,
    fold_for_search,
    multi_line_error,
    single_line_error,
    slug_error,
    slugify,
    split_query,
)

# Letters, marks and separators with special folding rules, drawn far more often than at random.
CASEFOLDING_TEXTS = st.text(
    st.one_of(st.sampled_from("aB ßẞİIıiﬁﬃŉǅΣςᾳᾼ\u0345\u0301\u0316が한हिน\u200b\u00ad\ufe0f½_%-'"), st.characters())
)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("Xen\x00", "contains a control character (U+0000) at position 4; remove it"),
        ("\x1b[31mred", "contains a control character (U+001B) at position 1; remove it"),
        ("a\x7f", "contains a control character (U+007F) at position 2; remove it"),
        ("a\x9f", "contains a control character (U+009F) at position 2; remove it"),
        ("a\tb", "contains a tab (U+0009) at position 2; use a space instead"),
        ("a\nb", "contains a line break (U+000A) at position 2; use a space instead"),
        ("a\r\nb", "contains a line break (U+000D) at position 2; use a space instead"),
        ("a\x85b", "contains a line break (U+0085) at position 2; use a space instead"),
        ("a\u2028b", "contains a line break (U+2028) at position 2; use a space instead"),
        ("a\u2029b", "contains a line break (U+2029) at position 2; use a space instead"),
        ("a\ud83d", "contains U+D83D at position 2, which is not a valid character; remove it"),
        ("a\uffff", "contains U+FFFF at position 2, which is not a valid character; remove it"),
        ("", "must not be blank"),
        (" \u3000\u200b\u200f", "must not be blank"),
    ],
)
def test_invalid_single_line_is_rejected_with_advice(value: str, fault: str) -> None:
    assert single_line_error(value) == fault


@pytest.mark.parametrize(
    "value",
    [
        "Xen on ARM",
        " padded ",
        "Mihai Donțu",
        "日本語",
        "\u202eright to left",
        "<script>alert(1)</script>",
        "👩\u200d💻",
        "\U0001fffe",
    ],
)
def test_single_line_of_any_script_is_valid(value: str) -> None:
    assert single_line_error(value) is None


@pytest.mark.parametrize("value", ["", " ", "a\n\n\tb\r\n", "a\u2028b\u2029", "\u202e<b>"])
def test_multiline_text_may_be_empty_or_have_tabs_and_line_breaks(value: str) -> None:
    assert multi_line_error(value) is None


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("a\n\x00", "contains a control character (U+0000) at position 3; remove it"),
        ("a\rb", "contains a line break (U+000D) at position 2; use a line feed instead"),
        ("a\x0cb", "contains a line break (U+000C) at position 2; use a line feed instead"),
        ("\udc00", "contains U+DC00 at position 1, which is not a valid character; remove it"),
    ],
)
def test_invalid_multiline_text_is_rejected_with_advice(value: str, fault: str) -> None:
    assert multi_line_error(value) == fault


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(codec=None)))
def test_valid_text_can_be_encoded_as_xml_and_utf_8(value: str) -> None:
    if multi_line_error(value) is None:
        assert value.encode().decode() == value
        assert not [c for c in value if unicodedata.category(c) == "Cc" and c not in "\t\r\n"]
    if single_line_error(value) is None:
        assert multi_line_error(value) is None
        assert len(value.splitlines()) == 1


@pytest.mark.parametrize(
    ("value", "slug"),
    [
        ("Mihai Donțu", "mihai-dontu"),
        ("  Xen  Project: Developer Summit, 2014! ", "xen-project-developer-summit-2014"),
        ("Łukasz Sørensen", "lukasz-sorensen"),
        ("Große Straße", "grosse-strasse"),
        ("İstanbul ısparta", "istanbul-isparta"),
        ("Conan O'Brien and Conan O\u2019Brien", "conan-obrien-and-conan-obrien"),
        ("ﬁne №½ ＡＢＣ", "fine-no1-2-abc"),
        ("日本語", ""),
        ("日本 Xen 会", "xen"),
        ("--_--", ""),
        ("", ""),
    ],
)
def test_slug_is_ascii_words_joined_by_hyphens(value: str, slug: str) -> None:
    assert slugify(value) == slug


def test_long_slug_is_cut_at_a_word_boundary() -> None:
    assert slugify("nine char " * 20) == "-".join(["nine-char"] * 8)
    assert slugify(f"{'a' * 70} {'b' * 20}") == "a" * 70


def test_slug_of_one_long_word_is_cut_within_it() -> None:
    assert slugify("a" * 200) == "a" * SLUG_LIMIT


@settings(deadline=None, max_examples=200)
@given(CASEFOLDING_TEXTS)
def test_slugify_returns_a_valid_slug_and_is_idempotent(value: str) -> None:
    slug = slugify(value)
    assert slug == "" or slug_error(slug) is None
    assert slugify(slug) == slug


@pytest.mark.parametrize("value", ["", "-a", "a-", "a--b", "A", "a_b", "é", "a\n", "a" * (SLUG_LIMIT + 1), "٣"])
def test_invalid_slug_is_detected(value: str) -> None:
    assert slug_error(value) is not None


def test_search_words_are_folded_unique_and_sorted() -> None:
    assert build_search_text("Xen on ARM", None, "on XEN!", "") == " arm on xen"
    assert build_search_text("C++ x86_64 100% don't") == " 100 64 c don t x86"
    assert build_search_text(None, "", "?!") == ""


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Straße", "STRASSE"),
        ("STRASSE", "straße"),
        ("İstanbul", "istanbul"),
        ("ISPARTA", "ısparta"),
        ("ısparta", "Isparta"),
        ("Donțu", "dontu"),
        ("cafe\u0301", "CAFÉ"),
        ("ﬁle", "file"),
        ("Ｘｅｎ", "xen"),
        ("Łukasz", "lukasz"),
        ("Ὀδυσσεύς", "ΟΔΥΣΣΕΥΣ"),
        ("τῷ", "τω"),
        ("ｶﾞｲﾄﾞ", "ガイド"),
        ("re\u00adsume", "Résumé"),
        ("हिन्दी", "हिन्दी"),
    ],
)
def test_search_ignores_case_accents_ligatures_and_width(written: str, asked: str) -> None:
    assert build_search_text(written) == f" {split_query(asked)[0]}"
    assert len(split_query(asked)) == 1


def test_vowel_signs_distinguish_words() -> None:
    assert split_query("की") != split_query("कु")


def test_words_in_scripts_without_spaces_are_found_by_prefix() -> None:
    words = build_search_text("日本語Xenユーザー会 서울")
    assert all(f" {word}" in words for query in ("日本", "서", "日本語xen") for word in split_query(query))


def test_query_words_are_unique_and_keep_their_order() -> None:
    assert split_query("Zen, xen; ZEN 'arm'") == ("zen", "xen", "arm")


def test_query_has_no_pattern_syntax() -> None:
    assert split_query('100% _ "a*" -b NEAR(c) \\ \x00') == ("100", "a", "b", "near", "c")
    assert split_query(" %_? ") == ()


def test_query_is_limited_to_twenty_words() -> None:
    assert split_query(" ".join(str(n) for n in range(100))) == tuple(str(n) for n in range(QUERY_WORD_LIMIT))


def _matches_query(query: str, words: str) -> bool:
    return all(f" {word}" in words for word in split_query(query))


@settings(deadline=None, max_examples=200)
@given(CASEFOLDING_TEXTS, CASEFOLDING_TEXTS)
def test_every_word_prefix_finds_its_text(text: str, other: str) -> None:
    words = build_search_text(other, text)
    for run in text.split():
        for end in range(1, len(run) + 1):
            assert _matches_query(run[:end], words)


@settings(deadline=None, max_examples=200)
@given(CASEFOLDING_TEXTS)
def test_search_words_are_sorted_unique_and_free_of_pattern_characters(text: str) -> None:
    words = build_search_text(text)
    split = words.split(" ")[1:]
    assert split == sorted(set(split))
    assert set(split_query(words)) <= set(split)
    assert not set(words) & set("%_\\\"'*")


@settings(deadline=None, max_examples=300)
@given(CASEFOLDING_TEXTS, CASEFOLDING_TEXTS)
def test_folding_is_idempotent_and_works_per_character(left: str, right: str) -> None:
    assert fold_for_search(fold_for_search(left)) == fold_for_search(left)
    assert fold_for_search(left + right) == fold_for_search(left) + fold_for_search(right)
    assert fold_for_search(unicodedata.normalize("NFC", left)) == fold_for_search(unicodedata.normalize("NFD", left))


@pytest.mark.parametrize("written", ["  Jane@Example.ORG ", "jane@example.org", "JANE@EXAMPLE.ORG\n"])
def test_email_key_ignores_case(written: str) -> None:
    assert email_key(written) == "jane@example.org"


def test_email_key_ignores_unicode_normalisation_form() -> None:
    assert email_key("ANDRE\u0301@example.org") == email_key("andré@example.org") == "andr\u00e9@example.org"


@settings(deadline=None, max_examples=200)
@given(CASEFOLDING_TEXTS)
def test_email_key_is_idempotent(value: str) -> None:
    assert email_key(email_key(value)) == email_key(value)
