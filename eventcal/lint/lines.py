"""Rules about octets and lines, before anything is understood (RFC 5545, 3.1)."""

import re
from collections.abc import Iterator

from eventcal.lint.findings import Finding, error, quoted, warning
from eventcal.lint.reading import BYTE_ORDER_MARK, ContentLine, Reading

MARK = error(
    "byte-order-mark",
    "RFC 5545, 3.4",
    "The file begins with a byte order mark; a calendar begins with `BEGIN:VCALENDAR`, and some find none then.",
)
NOT_UTF_8 = error("not-utf-8", "RFC 5545, 3.1.4", "A line is not UTF-8. Often the file was written as Windows-1252.")
LINE_END = error(
    "line-end",
    "RFC 5545, 3.1",
    "Lines end with LF alone; the standard has CRLF. Told once, at the first of them.",
)
BARE_CR = error("bare-cr", "RFC 5545, 3.1", "A CR stands where no LF follows it, as where text was converted twice.")
LAST_LINE = error("last-line", "RFC 5545, 3.1", "The last line has no end; a program may take the file for cut off.")
EMPTY_LINE = error("empty-line", "RFC 5545, 3.1", "There is an empty line; some programs stop reading there.")
CONTROL = error(
    "control-character",
    "RFC 5545, 3.1",
    "A line holds a control character other than a tab, which no value may.",
)
CONTENT_LINE = error(
    "content-line",
    "RFC 5545, 3.1",
    "A line is not of the form `NAME;PARAMETER=VALUE:VALUE`. Often a line break was put into a value as it was.",
)
LENGTH = warning(
    "line-length",
    "RFC 5545, 3.1",
    "A line has more than 75 octets, its end not counted. It should go on in a next one that begins with a blank.",
)
FOLD_IN_CHARACTER = warning(
    "fold-in-character",
    "RFC 5545, 3.1",
    "A fold cuts a character of several octets in two. Programs that decode line by line show nonsense there.",
)
FOLD_IN_ESCAPE = warning(
    "fold-in-escape",
    "RFC 5545, 3.1",
    "A fold parts a backslash from what it escapes. Programs that read line by line lose one of the two.",
)
SEPARATOR = warning(
    "line-separator",
    "RFC 5545, 3.1",
    r"A line holds U+0085, U+2028 or U+2029, which many programs take for the end of a line; a line break is `\n`.",
)

RULES = (
    *(MARK, NOT_UTF_8, LINE_END, BARE_CR, LAST_LINE, EMPTY_LINE, CONTROL, CONTENT_LINE),
    *(LENGTH, FOLD_IN_CHARACTER, FOLD_IN_ESCAPE, SEPARATOR),
)

_LONGEST = 75
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SEPARATORS = re.compile("[\x85\u2028\u2029]")


def check_lines(reading: Reading) -> Iterator[Finding]:
    """Yield what is wrong with the octets."""
    if reading.octets.startswith(BYTE_ORDER_MARK):
        yield MARK.at(1, "the file begins with a byte order mark")
    yield from _check_ends(reading)
    yield from _check_octets(reading)
    for line in reading.content:
        yield from _check_content(line)
    for line in reading.unread:
        yield CONTENT_LINE.at(line.number, f"{quoted(line.text)} is no content line")


def _check_ends(reading: Reading) -> Iterator[Finding]:
    bare = [line.number for line in reading.physical if line.end == b"\n"]
    if bare:
        more = f", and so do {len(bare) - 1} more" if len(bare) > 1 else ""
        yield LINE_END.at(bare[0], f"the line ends with LF alone{more}")
    if reading.physical and not reading.physical[-1].end:
        yield LAST_LINE.at(reading.physical[-1].number, "the last line has no end")


def _check_octets(reading: Reading) -> Iterator[Finding]:
    for line in reading.physical:
        if not line.octets:
            yield EMPTY_LINE.at(line.number, "the line is empty")
        if len(line.octets) > _LONGEST:
            yield LENGTH.at(line.number, f"the line has {len(line.octets)} octets")
        if b"\r" in line.octets:
            yield BARE_CR.at(line.number, "a CR stands within the line")
        if found := _CONTROLS.search(line.octets):
            yield CONTROL.at(line.number, f"the line holds the control character 0x{found[0][0]:02X}")


def _check_content(line: ContentLine) -> Iterator[Finding]:
    if not line.decoded:
        yield NOT_UTF_8.at(line.number, "the line is not UTF-8")
    elif len(line.parts) > 1:
        for number, part in enumerate(line.parts[:-1], start=line.number):
            if not _decodes(part):
                yield FOLD_IN_CHARACTER.at(number, "the fold after this line cuts a character in two")
                break
    if found := _SEPARATORS.search(line.text):
        yield SEPARATOR.at(line.number, f"the line holds U+{ord(found[0]):04X}")
    yield from _check_escapes(line)


def _check_escapes(line: ContentLine) -> Iterator[Finding]:
    pending = False
    for number, part in enumerate(line.parts[:-1], start=line.number):
        bare = part.rstrip(b"\\")
        backslashes = len(part) - len(bare) + (pending and not bare)
        pending = backslashes % 2 == 1
        if pending:
            yield FOLD_IN_ESCAPE.at(number, "the fold after this line parts a backslash from what it escapes")


def _decodes(part: bytes) -> bool:
    try:
        part.decode()
    except UnicodeDecodeError:
        return False
    return True
