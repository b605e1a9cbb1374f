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

from eventcal.cli.http_client import MAX_CALENDAR_BYTES, UnreadableCalendar, fetch
from eventcal.kit.clock import SystemClock
from eventcal.kit.text import format_count
from eventcal.lint import Finding, Severity
from eventcal.lint import lint as lint_calendar
from eventcal.lint.response_checks import ServerResponses, lint_http_responses

_EXIT_ERRORS_FOUND, _UNREADABLE = 1, 2


@dataclass(frozen=True)
class LintResult:
    """The result for a file or URL: the findings, or the reason why the source cannot be read."""

    source: str
    findings: tuple[Finding, ...] = ()
    failure: str | None = None


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
    looked = [_lint_source(source, now) for source in sources]
    click.echo(_format_json(looked) if as_json else "\n".join(_iter_text_lines(looked)))
    for one in looked:
        if one.failure is not None:
            click.echo(f"{_printable_source_name(one.source)} cannot be read: {one.failure}.", err=True)
    if any(one.failure is not None for one in looked):
        sys.exit(_UNREADABLE)
    count = _count_by_severity(looked)
    if count[Severity.ERROR] or (strict and count[Severity.WARNING]):
        sys.exit(_EXIT_ERRORS_FOUND)


def _lint_source(source: str, now: datetime) -> LintResult:
    try:
        if source.lower().startswith(("http://", "https://")):
            return LintResult(source, tuple(_lint_url(source, now)))
        return LintResult(source, tuple(lint_calendar(_read_source(source), now=now)))
    except UnreadableCalendar as error:
        return LintResult(source, failure=str(error))


def _read_source(source: str) -> bytes:
    try:
        with nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb") as file:
            data = file.read(MAX_CALENDAR_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise UnreadableCalendar(reason or str(error)) from error
    if len(data) > MAX_CALENDAR_BYTES:
        raise UnreadableCalendar(f"it is larger than {MAX_CALENDAR_BYTES} octets")
    return data


def _lint_url(url: str, now: datetime) -> Iterator[Finding]:
    answer = fetch(url)
    if answer.status != HTTPStatus.OK:
        phrase = {status.value: status.phrase for status in HTTPStatus}.get(answer.status, "")
        raise UnreadableCalendar(f"the server responded with {answer.status} {phrase}".rstrip())
    # Conditional requests and HEAD requests are checked as well, because calendar apps send both.
    named = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
    condition = {name: answer.headers[header] for name, header in named.items() if answer.headers.get(header)}
    again = fetch(answer.url, headers=condition).status if condition else None
    head = fetch(answer.url, method="HEAD").status
    yield from lint_http_responses(
        ServerResponses(status=answer.status, headers=answer.headers, head_status=head, conditional_status=again)
    )
    yield from lint_calendar(answer.body, now=now)


def _iter_text_lines(results: Sequence[LintResult]) -> Iterator[str]:
    for one in results:
        source = _printable_source_name(one.source)
        for finding in one.findings:
            place = f"{source}:{finding.line}:" if finding.line else f"{source}:"
            yield f"{place} {finding.severity} {finding.code} {finding.message} ({finding.section})"
    count = _count_by_severity(results)
    read = sum(one.failure is None for one in results)
    found = f"{format_count(count[Severity.ERROR], 'error')} and {format_count(count[Severity.WARNING], 'warning')}"
    yield f"{found} in {format_count(read, 'calendar')}."


def _format_json(results: Sequence[LintResult]) -> str:
    count = _count_by_severity(results)
    unreadable = [{"source": one.source, "reason": one.failure} for one in results if one.failure is not None]
    body = {
        "errors": count[Severity.ERROR],
        "warnings": count[Severity.WARNING],
        "findings": [{"source": one.source, **asdict(finding)} for one in results for finding in one.findings],
        "unreadable": unreadable,
    }
    return json.dumps(body, indent=2)


def _count_by_severity(results: Sequence[LintResult]) -> Counter[Severity]:
    return Counter(finding.severity for one in results for finding in one.findings)


def _printable_source_name(source: str) -> str:
    """Replace unprintable characters in a source name, which is not trusted."""
    return "".join(sign if sign.isprintable() else "?" for sign in source)
