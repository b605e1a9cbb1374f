"""Rules about TEXT values (RFC 5545, 3.3.11)."""

import re
from collections.abc import Iterator

from eventcal.lint.findings import Finding, error, quoted
from eventcal.lint.reading import Property, Reading

ESCAPE = error(
    "text-escape",
    "RFC 5545, 3.3.11",
    r"A backslash in a text stands before something other than `\`, `;`, `,`, `n` or `N`; itself it is written `\\`.",
)
SEPARATOR = error(
    "text-separator",
    "RFC 5545, 3.3.11",
    "A text holds a comma or semicolon without a backslash before it. Programs cut the text there. "
    "(In CATEGORIES and RESOURCES a comma parts values.)",
)

RULES = (ESCAPE, SEPARATOR)

_LISTS = frozenset({"CATEGORIES", "RESOURCES"})
_TEXTS = _LISTS | frozenset(
    {"SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT", "NAME", "UID", "RELATED-TO", "PRODID", "TZNAME"}
    | {"X-WR-CALNAME", "X-WR-CALDESC"}
)
_ESCAPED = re.compile(r"\\[\\;,nN]")


def check_text(reading: Reading) -> Iterator[Finding]:
    """Yield what is wrong with how texts are escaped."""
    for component in reading.components:
        for written in component.properties:
            if written.name in _TEXTS and written.kind in {None, "TEXT"}:
                yield from _check_value(written)


def _check_value(written: Property) -> Iterator[Finding]:
    bare = _ESCAPED.sub("", written.value)
    if "\\" in bare:
        follows = bare[bare.index("\\") :][:2]
        yield ESCAPE.at(written.line, f"{written.name} has the escape {quoted(follows)}, which there is not")
    wrong = {";"} if written.name in _LISTS else {";", ","}
    for sign, word in ((",", "comma"), (";", "semicolon")):
        if sign in wrong and sign in bare:
            yield SEPARATOR.at(written.line, f"{written.name} has a {word} without its backslash")
            return
