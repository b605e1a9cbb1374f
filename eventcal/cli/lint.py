"""The `lint` command, which checks calendars from files or URLs."""

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
    """The result for a file or URL: the findings, or the reason why it cannot be read."""

    source: str
    findings: tuple[Finding, ...] = ()
    unreadable: str | None = None


@click.command()
@click.argument("sources", metavar="FILE|URL...", nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="Exit with code 1 for warnings as well.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document instead of text.")
def lint(sources: tuple[str, ...], *, strict: bool, as_json: bool) -> None:
    """Check calendars (.ics) for errors, and report them by line.

    Each source is a file, an http or https URL, or - for standard input. For URLs, the headers are checked as well.
    docs/lint.md lists all codes. Exit codes: 0 no errors, 1 errors found, 2 a source could not be read.
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
    """Return the content of a file, or of standard input for "-". Raises Unreadable."""
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
    # Two more requests, as calendar apps send them: a conditional one and a HEAD request.
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
    """Replace unprintable characters in the name of a source, which may have been copied from elsewhere."""
    return "".join(sign if sign.isprintable() else "?" for sign in source)
