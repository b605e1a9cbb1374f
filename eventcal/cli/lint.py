"""The command that looks at calendars, ours or anybody's, and says what is wrong with them."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

import click

from eventcal.cli.fetching import LARGEST, Unreadable, fetch
from eventcal.kit.clock import SystemClock
from eventcal.kit.text import counted
from eventcal.lint import Finding, Severity
from eventcal.lint import lint as lint_calendar
from eventcal.lint.serving import Served, lint_answer

_FOUND, _UNREADABLE = 1, 2


@dataclass(frozen=True)
class Looked:
    """What came of one file or URL: findings, or why there was nothing to read."""

    source: str
    findings: tuple[Finding, ...] = ()
    unreadable: str | None = None


@click.command()
@click.argument("sources", metavar="FILE|URL...", nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="End with exit code 1 where there are warnings only, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of lines.")
def lint(sources: tuple[str, ...], *, strict: bool, as_json: bool) -> None:
    """Look at calendars (.ics) that others subscribe to, and tell what is wrong with them, by line.

    Each is a file, an http or https URL, or - for what is typed or piped in. At a URL the headers are looked at too.
    docs/lint.md has every code. Exit code 0: no errors; 1: there are some; 2: something could not be read.
    """
    now = SystemClock().now()
    looked = [_look(source, now) for source in sources]
    click.echo(_document(looked) if as_json else "\n".join(_lines(looked)))
    for one in looked:
        if one.unreadable is not None:
            click.echo(f"{_shown(one.source)} cannot be read: {one.unreadable}.", err=True)
    if any(one.unreadable is not None for one in looked):
        sys.exit(_UNREADABLE)
    count = _count(looked)
    if count[Severity.ERROR] or (strict and count[Severity.WARNING]):
        sys.exit(_FOUND)


def _look(source: str, now: datetime) -> Looked:
    try:
        if source.lower().startswith(("http://", "https://")):
            return Looked(source, tuple(_look_at_url(source, now)))
        return Looked(source, tuple(lint_calendar(_read(source), now=now)))
    except Unreadable as error:
        return Looked(source, unreadable=str(error))


def _read(source: str) -> bytes:
    """Return the octets of a file, or of the standard input. Raises Unreadable."""
    try:
        with nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise Unreadable(reason or str(error)) from error
    if len(data) > LARGEST:
        raise Unreadable(f"it is larger than {LARGEST} octets")
    return data


def _look_at_url(url: str, now: datetime) -> Iterator[Finding]:
    answer = fetch(url)
    if answer.status != HTTPStatus.OK:
        phrase = {status.value: status.phrase for status in HTTPStatus}.get(answer.status, "")
        raise Unreadable(f"the server answers {answer.status} {phrase}".rstrip())
    # Asked twice more, as programs that subscribe do: whether anything changed, and for the headers alone.
    named = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
    condition = {name: answer.headers[header] for name, header in named.items() if answer.headers.get(header)}
    again = fetch(answer.url, condition=condition).status if condition else None
    head = fetch(answer.url, method="HEAD").status
    yield from lint_answer(Served(status=answer.status, headers=answer.headers, head=head, again=again))
    yield from lint_calendar(answer.body, now=now)


def _lines(looked: Sequence[Looked]) -> Iterator[str]:
    for one in looked:
        for finding in one.findings:
            place = f"{_shown(one.source)}:{finding.line}:" if finding.line else f"{_shown(one.source)}:"
            yield f"{place} {finding.severity} {finding.code} {finding.message} ({finding.section})"
    count = _count(looked)
    read = sum(one.unreadable is None for one in looked)
    found = f"{counted(count[Severity.ERROR], 'error')} and {counted(count[Severity.WARNING], 'warning')}"
    yield f"{found} in {counted(read, 'calendar')}."


def _document(looked: Sequence[Looked]) -> str:
    count = _count(looked)
    body = {
        "errors": count[Severity.ERROR],
        "warnings": count[Severity.WARNING],
        "findings": [{"source": one.source, **asdict(finding)} for one in looked for finding in one.findings],
        "unreadable": [
            {"source": one.source, "reason": one.unreadable} for one in looked if one.unreadable is not None
        ],
    }
    return json.dumps(body, indent=2)


def _count(looked: Sequence[Looked]) -> Counter[Severity]:
    return Counter(finding.severity for one in looked for finding in one.findings)


def _shown(source: str) -> str:
    """Return a source as it may be printed: whoever named it may have copied it from somewhere."""
    return "".join(sign if sign.isprintable() else "?" for sign in source)
