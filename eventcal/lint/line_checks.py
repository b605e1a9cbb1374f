"""Checks for line endings, line folding and encoding (RFC 5545, section 3.1)."""

import re
from collections.abc import Iterator

from eventcal.lint.parser import BYTE_ORDER_MARK, ContentLine, ParsedFile, Property, is_utf_8
from eventcal.lint.rules import Finding, finding, quote_excerpt

_MAX_LINE_OCTETS = 75
_CONTROL_CHARACTERS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE_SEPARATORS = re.compile("[\x85\u2028\u2029]")


def check_lines(file: ParsedFile) -> Iterator[Finding]:
    if file.octets.startswith(BYTE_ORDER_MARK):
        yield finding("byte-order-mark", 1, "the file begins with a byte order mark")
    yield from _check_line_endings(file)
    yield from _check_physical_lines(file)
    for line in file.content_lines:
        yield from _check_content_line(line)
    for component in file.components:
        for prop in component.properties:
            yield from _check_repeated_parameters(prop)
    for line in file.invalid_lines:
        yield finding("content-line", line.number, f"{quote_excerpt(line.text)} is not a content line")


def _check_line_endings(file: ParsedFile) -> Iterator[Finding]:
    if bare := [line.number for line in file.physical_lines if line.line_ending == b"\n"]:
        more = f", and so do {len(bare) - 1} other lines" if len(bare) > 1 else ""
        yield finding("line-end", bare[0], f"the line ends with a bare LF{more}")
    if file.physical_lines and not file.physical_lines[-1].line_ending:
        yield finding("last-line", file.physical_lines[-1].number, "the last line has no line ending")


def _check_physical_lines(file: ParsedFile) -> Iterator[Finding]:
    for line in file.physical_lines:
        if not line.octets:
            yield finding("empty-line", line.number, "the line is empty")
        if len(line.octets) > _MAX_LINE_OCTETS:
            yield finding("line-length", line.number, f"the line has {len(line.octets)} octets")
        if b"\r" in line.octets:
            yield finding("bare-cr", line.number, "the line contains a bare CR")
        if found := _CONTROL_CHARACTERS.search(line.octets):
            message = f"the line contains the control character 0x{found[0][0]:02X}"
            yield finding("control-character", line.number, message)


def _check_content_line(line: ContentLine) -> Iterator[Finding]:
    if not line.is_valid_utf_8:
        yield finding("not-utf-8", line.number, "the line is not UTF-8")
    elif len(line.physical_parts) > 1:
        for number, part in enumerate(line.physical_parts[:-1], start=line.number):
            if not is_utf_8(part):
                yield finding("fold-in-character", number, "the fold after this line splits a character")
                break
    if found := _LINE_SEPARATORS.search(line.text):
        yield finding("line-separator", line.number, f"the line contains U+{ord(found[0]):04X}")
    yield from _check_folded_escapes(line)


def _check_repeated_parameters(prop: Property) -> Iterator[Finding]:
    # No standard limits how often an X- parameter occurs.
    repeated = next((name for name in prop.repeated_parameters if not name.startswith("X-")), None)
    if repeated:
        message = f"{quote_excerpt(prop.name)} has the parameter {quote_excerpt(repeated)} more than once"
        yield finding("parameter-twice", prop.line, message)


def _check_folded_escapes(line: ContentLine) -> Iterator[Finding]:
    pending = False
    for number, part in enumerate(line.physical_parts[:-1], start=line.number):
        bare = part.rstrip(b"\\")
        backslashes = len(part) - len(bare) + (pending and not bare)
        pending = backslashes % 2 == 1
        if pending:
            yield finding("fold-in-escape", number, "the fold after this line splits an escape sequence")
