"""Text functions for character validation, slugs, search words and email addresses.

Text is stored exactly as entered. Characters that a database or output format cannot represent, such as control
characters in XML 1.0 and surrogates in UTF-8, are rejected with a message that suggests a correction. HTML markup
is accepted and must be escaped on output. Text with direction marks is accepted and must be isolated with `<bdi>`.
"""

import re
import unicodedata

from eventcal.kit.errors import Message

SLUG_LIMIT = 80
SLUG_PATTERN = "^[a-z0-9]+(-[a-z0-9]+)*$"
QUERY_WORD_LIMIT = 20
_APOSTROPHES = re.compile("['\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}]")

# U+FFFE and U+FFFF are noncharacters, which XML 1.0 does not allow.
_FORBIDDEN_IN_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN_IN_MULTI_LINE = re.compile("\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_BREAKS = frozenset("\n\r\x0b\x0c\x85\u2028\u2029")
_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cf"})

# Letters that Unicode does not decompose, and the ASCII letters that are often typed instead of these letters.
_PLAIN_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ŧ": "t"}
    | {"\N{LATIN SMALL LETTER DOTLESS I}": "i"}
)

# Variation selectors and similar marks, which affect only the display of a character.
_SELECTORS = frozenset([0x034F, 0x180B, 0x180C, 0x180D, 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])


def single_line_error(value: str) -> Message | None:
    """Return the error message for invalid single-line text, such as a title, or None if the text is valid.

    Control characters, line breaks, lone surrogates, U+FFFE, U+FFFF and blank text are invalid.
    """
    if found := _FORBIDDEN_IN_LINE.search(value):
        return _character_error(found, instead=Message("a space"))
    if all(unicodedata.category(character) in _INVISIBLE for character in value):
        return Message("must not be blank")
    return None


def multi_line_error(value: str) -> Message | None:
    r"""Return the error message for invalid multi-line text, such as an abstract, or None if the text is valid.

    Unlike in `single_line_error`, tabs, line breaks (\n, \r\n, U+2028, U+2029) and blank text are valid.
    """
    found = _FORBIDDEN_IN_MULTI_LINE.search(value)
    return None if found is None else _character_error(found, instead=Message("a line feed"))


def _character_error(match: re.Match[str], *, instead: Message) -> Message:
    character = match.group()
    at: dict[str, object] = {"code": f"U+{ord(character):04X}", "position": match.start() + 1}
    if character in _LINE_BREAKS:
        return Message(
            "contains a line break (%(code)s) at position %(position)s; use %(instead)s instead", instead=instead, **at
        )
    if character == "\t":
        return Message("contains a tab (%(code)s) at position %(position)s; use a space instead", **at)
    if unicodedata.category(character) == "Cc":
        return Message("contains a control character (%(code)s) at position %(position)s; remove it", **at)
    return Message("contains %(code)s at position %(position)s, which is not a valid character; remove it", **at)


def slugify(value: str) -> str:
    """Return the text as lower-case ASCII words joined by "-", or "" if the text contains no ASCII word.

    Accents and apostrophes are removed ("Mihai Donțu" becomes "mihai-dontu", "O'Brien" becomes "obrien"). The slug is
    truncated to `SLUG_LIMIT` characters, at a word boundary unless the first word exceeds the limit.
    """
    slug = ""
    for word in re.findall("[a-z0-9]+", fold_for_search(_APOSTROPHES.sub("", value))):
        longer = f"{slug}-{word}" if slug else word[:SLUG_LIMIT]
        if len(longer) > SLUG_LIMIT:
            break
        slug = longer
    return slug


def slug_error(value: str) -> Message | None:
    if len(value) <= SLUG_LIMIT and re.fullmatch(SLUG_PATTERN, value) is not None:
        return None
    return Message(
        "must be words of lower-case letters a-z and digits joined by hyphens, with at most %(limit)s characters",
        limit=SLUG_LIMIT,
    )


def fold_for_search(value: str) -> str:
    """Return the text folded for comparison, so that case, accents, ligatures and width variants are ignored.

    Each character is folded independently, so that a prefix of a word folds to a prefix of the folded word. Marks
    without a combining class, such as the vowel signs of Indic scripts, are preserved.
    """
    # Accents are removed before casefolding, because casefolding converts the Greek iota subscript to a letter.
    # Accents are removed again after casefolding, because casefolding can produce decomposable characters.
    return _strip_accents(_strip_accents(value).casefold()).translate(_PLAIN_LETTERS)


def _strip_accents(value: str) -> str:
    if value.isascii():
        return value
    return "".join(c for c in unicodedata.normalize("NFKD", value) if not _is_accent_or_ignorable(c))


def _is_accent_or_ignorable(char: str) -> bool:
    if char.isascii() or char == "\N{ZERO WIDTH SPACE}":
        return False
    return unicodedata.combining(char) != 0 or ord(char) in _SELECTORS or unicodedata.category(char) in {"Cf", "Me"}


def build_search_text(*texts: str | None) -> str:
    """Return the folded words of the texts as one string for searching, for example " arm on xen".

    The words are unique and sorted. Each word is preceded by a space, so that `LIKE '% xe%'` matches the beginning of a
    word. Words consist of letters, marks and digits, and therefore contain neither "%" nor "_".
    """
    return "".join(f" {word}" for word in sorted({word for text in texts if text for word in _split_words(text)}))


def split_query(q: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_split_words(q)))[:QUERY_WORD_LIMIT]


def _split_words(text: str) -> list[str]:
    return fold_for_search(text).translate(_WORD_CHARACTERS).split()


class _WordCharacterTable(dict[int, str]):
    """A cached table for `str.translate` that replaces all non-word characters with spaces."""

    _COMMON = 0x3000

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kept = character if character.isalnum() or unicodedata.category(character) in {"Mn", "Mc"} else " "
        if code < self._COMMON:
            self[code] = kept
        return kept


_WORD_CHARACTERS = _WordCharacterTable()


def email_key(value: str) -> str:
    """Return the email address in a form for caseless comparison (Unicode Standard, section 3.13, D145)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", value.strip()).casefold())


def format_count(number: int, noun: str) -> str:
    """Return a number with a noun in the singular or plural: "1 event", "2 events", "3 entries"."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def truncate_list(text: str, limit: int) -> str:
    """Return the first elements of a comma-separated list that have at most `limit` characters together."""
    return text if len(text) <= limit else text[:limit].rpartition(",")[0]
