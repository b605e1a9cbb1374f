"""What people write: which text may be stored, slugs, search words and the key of an e-mail address.

Text is stored exactly as written. What cannot be stored on every database and given out in every
format (XML 1.0 has no control characters, UTF-8 no surrogates) is refused here, with a way out;
direction marks and HTML are text like any other, and whoever shows them escapes them.
"""

import re
import unicodedata

from eventcal.kit.refusals import Sentence

SLUG_LIMIT = 80
"""The most characters a slug has."""

SLUG_PATTERN = "^[a-z0-9]+(-[a-z0-9]+)*$"
"""The form of a slug, for JSON Schema too."""

QUERY_WORD_LIMIT = 20
"""The most words of a query that are looked for; the rest is left unread."""

_SLUG_WORD = re.compile(r"[a-z0-9]+")
_APOSTROPHES = re.compile("['\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}]")

# U+FFFE and U+FFFF are no characters and XML 1.0 cannot carry them.
_NEVER = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_NEVER_IN_LINES = re.compile("\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAKS = frozenset("\n\r\x0b\x0c\x85\u2028\u2029")
_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cf"})

# Letters that people write without a key for them, and that Unicode does not take apart.
_PLAIN_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ŧ": "t"}
    # The other Turkish i loses its dot in casefolding: so all four are one.
    | {"\N{LATIN SMALL LETTER DOTLESS I}": "i"}
)

# Marks that decide how a character looks, not which one it is.
_LOOKS = frozenset([0x034F, 0x180B, 0x180C, 0x180D, 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
_ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"


def one_line_fault(value: str) -> Sentence | None:
    """Return why a title, a name or the like cannot be stored as written, or None where it can.

    The sentence has no subject, so that it follows any field's name, and says the way out. Positions
    count characters from 1. Refused are control characters, line breaks, lone surrogates, U+FFFE,
    U+FFFF, and text that shows nothing.
    """
    found = _NEVER.search(value)
    if found is not None:
        return _fault(found, instead=Sentence("a space"))
    if all(unicodedata.category(character) in _INVISIBLE for character in value):
        return Sentence("is blank; write something that can be seen")
    return None


def many_lines_fault(value: str) -> Sentence | None:
    r"""Return why an abstract, a description or the like cannot be stored as written, or None.

    As `one_line_fault`, but tabs and line breaks (\n, \r\n, U+2028, U+2029) are text here, and the
    text may be empty.
    """
    found = _NEVER_IN_LINES.search(value)
    return None if found is None else _fault(found, instead=Sentence("a line feed"))


def _fault(found: re.Match[str], *, instead: Sentence) -> Sentence:
    character = found.group()
    where: dict[str, object] = {"code": f"U+{ord(character):04X}", "position": found.start() + 1}
    if character in _BREAKS:
        return Sentence(
            "contains a line break (%(code)s) at position %(position)s; write %(instead)s instead",
            instead=instead,
            **where,
        )
    if character == "\t":
        return Sentence("contains a tab (%(code)s) at position %(position)s; write a space instead", **where)
    if unicodedata.category(character) == "Cc":
        return Sentence("contains a control character (%(code)s) at position %(position)s; remove it", **where)
    return Sentence("contains %(code)s at position %(position)s, which is half a character or none; remove it", **where)


def slugify(value: str) -> str:
    """Return the text as lower-case ASCII words joined by "-", or "" where none remains.

    Accents fall away ("Mihai Donțu" gives "mihai-dontu"), apostrophes close up ("O'Brien" gives
    "obrien"). At most `SLUG_LIMIT` characters, cut between words unless the first is longer.
    """
    words = _SLUG_WORD.findall(fold(_APOSTROPHES.sub("", value)))
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word[:SLUG_LIMIT]
        if len(longer) > SLUG_LIMIT:
            break
        slug = longer
    return slug


def slug_fault(value: str) -> Sentence | None:
    """Return why the text is no slug, or None."""
    if len(value) <= SLUG_LIMIT and re.fullmatch(SLUG_PATTERN, value) is not None:
        return None
    return Sentence(
        'must be lower-case letters a-z and digits, words joined by "-", of at most %(limit)s characters',
        limit=SLUG_LIMIT,
    )


def fold(value: str) -> str:
    """Return the text without case, accents, ligatures and width: what two spellings of a word share.

    Folding goes character by character (the fold of a + b is the folds of a and b joined), and so a
    prefix of a word folds to a prefix of the folded word. Everything with a combining class is an
    accent; other marks, such as the vowel signs of Indic scripts, are part of the word.
    """
    # Accents go first: casefolding would make a letter of Greek's iota subscript. It can also leave
    # characters that are still to be taken apart, and accents of its own: so the same again.
    return _without_accents(_without_accents(value).casefold()).translate(_PLAIN_LETTERS)


def _without_accents(value: str) -> str:
    if value.isascii():
        return value
    return "".join(c for c in unicodedata.normalize("NFKD", value) if not _falls_away(c))


def _falls_away(character: str) -> bool:
    if character.isascii() or character == _ZERO_WIDTH_SPACE:
        return False
    return (
        unicodedata.combining(character) != 0
        or ord(character) in _LOOKS
        or unicodedata.category(character) in {"Cf", "Me"}
    )


def search_words(*texts: str | None) -> str:
    """Return the words of the texts as one line to search in: " arm on xen".

    Folded, each once, sorted, with a space before each, so that `LIKE '% xe%'` finds a word by its
    beginning; "" where there is no word. A word is a run of letters and digits, also in scripts that
    write no spaces, and holds neither "%" nor "_".
    """
    return "".join(f" {word}" for word in sorted({word for text in texts if text for word in _words(text)}))


def query_words(q: str) -> tuple[str, ...]:
    """Return the folded words of a query, each once and in its order, at most `QUERY_WORD_LIMIT`.

    Each is to be looked for as a prefix in what `search_words` gave; all else in a query separates words.
    """
    return tuple(dict.fromkeys(_words(q)))[:QUERY_WORD_LIMIT]


def _words(text: str) -> list[str]:
    return fold(text).translate(_WORD_CHARACTERS).split()


class _WordCharacters(dict[int, str]):
    """For str.translate: what belongs to a word stays, all else is a space. The common ones are remembered."""

    _COMMON = 0x3000

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kept = character if character.isalnum() or unicodedata.category(character) in {"Mn", "Mc"} else " "
        if code < self._COMMON:
            self[code] = kept
        return kept


_WORD_CHARACTERS = _WordCharacters()


def email_key(value: str) -> str:
    """Return what two spellings of one e-mail address share, so that it can be unique.

    Without surrounding space, caseless as in the Unicode Standard 3.13 (D145), in NFC.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", value.strip()).casefold())


def counted(number: int, thing: str) -> str:
    """Return a number with what it counts: "1 event", "2 events", "3 entries"."""
    if number == 1:
        return f"1 {thing}"
    return f"{number} {thing[:-1]}ies" if thing.endswith("y") else f"{number} {thing}s"
