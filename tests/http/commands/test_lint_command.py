"""`eventcal lint` with files, standard input, and URLs of correct and faulty servers."""

import gzip
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.cli.http_client import FetchLimits, UnreadableCalendar, fetch
from eventcal.datasets.demo import read_demo_dataset, shift_dataset_dates, weeks_to_future_start
from eventcal.datasets.import_service import load_dataset
from eventcal.events.models import Event
from eventcal.lint import lint
from eventcal.speakers.models import Speaker
from eventcal.talks.models import Talk
from eventcal.web.schemas.dataset_records import load_record
from tests.clocks import FixedClock
from tests.command_line import CommandLine
from tests.feed_support.calendar_server import (
    VALID_HEADERS,
    CalendarServer,
    ServedResponse,
    run_app_server,
    run_calendar_server,
)
from tests.feed_support.feed_client import create_calendar
from tests.feed_support.lint_feeds import VALID_FEED, to_crlf_bytes
from tests.http_app import database_of

VALID_CALENDAR = to_crlf_bytes(VALID_FEED)
CALENDAR_WITH_WARNING = to_crlf_bytes(VALID_FEED.replace("NAME:Talks\n", "", 1))
CALENDAR_WITH_ERROR = to_crlf_bytes(VALID_FEED.replace("STATUS:CONFIRMED", "STATUS:CANCELED"))


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return the command line, without a database, in a folder with three calendars: good, warned and wrong."""
    for name, data in {
        "good.ics": VALID_CALENDAR,
        "warned.ics": CALENDAR_WITH_WARNING,
        "wrong.ics": CALENDAR_WITH_ERROR,
    }.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return CommandLine(tmp_path)


@pytest.fixture
def server() -> Iterator[CalendarServer]:
    with run_calendar_server() as server:
        yield server


# Files


def test_valid_calendar_has_no_findings(cli: CommandLine) -> None:
    assert cli.run_ok("lint", "--strict", "good.ics") == "0 errors and 0 warnings in 1 calendar.\n"


def test_each_finding_is_one_line_with_location_and_source(cli: CommandLine) -> None:
    result = cli.run("lint", "good.ics", "warned.ics", "wrong.ics")
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout == (
        "warned.ics:1: warning name-missing the calendar has no NAME (RFC 7986, 5.1)\n"
        "wrong.ics:42: error status STATUS is 'CANCELED' (RFC 5545, 3.8.1.11)\n"
        "1 error and 1 warning in 3 calendars.\n"
    )


def test_warnings_fail_only_with_strict_option(cli: CommandLine) -> None:
    assert cli.run("lint", "warned.ics").exit_code == 0
    assert cli.run("lint", "--strict", "warned.ics").exit_code == 1


def test_json_option_prints_one_document(cli: CommandLine) -> None:
    result = cli.run("lint", "--json", "wrong.ics", "missing.ics")
    assert result.exit_code == 2
    assert json.loads(result.stdout) == {
        "errors": 1,
        "warnings": 0,
        "findings": [
            {
                "source": "wrong.ics",
                "line": 42,
                "code": "status",
                "severity": "error",
                "message": "STATUS is 'CANCELED'",
                "section": "RFC 5545, 3.8.1.11",
            }
        ],
        "unreadable": [{"source": "missing.ics", "reason": "No such file or directory"}],
    }


def test_lint_reads_standard_input(cli: CommandLine) -> None:
    result = cli.run("lint", "-", typed=CALENDAR_WITH_ERROR.decode())
    assert result.stdout.splitlines()[0].startswith("-:42: error status ")


def test_unreadable_files_are_reported_and_others_are_checked(cli: CommandLine) -> None:
    result = cli.run("lint", "missing.ics", ".", "wrong.ics")
    assert result.exit_code == 2
    assert result.stderr == (
        "missing.ics cannot be read: No such file or directory.\n. cannot be read: Is a directory.\n"
    )
    assert result.stdout.splitlines()[-1] == "1 error and 0 warnings in 1 calendar."


def test_lint_without_arguments_is_usage_error(cli: CommandLine) -> None:
    assert "Missing argument 'FILE|URL...'" in cli.run_expecting_usage_error("lint")


# URLs


def test_correctly_served_calendar_has_no_findings(cli: CommandLine, server: CalendarServer) -> None:
    url = server.serve("/talks.ics", ServedResponse(VALID_CALENDAR))
    assert cli.run_ok("lint", "--strict", url) == "0 errors and 0 warnings in 1 calendar.\n"
    assert server.requests == [("GET", "/talks.ics"), ("GET", "/talks.ics"), ("HEAD", "/talks.ics")]


def test_header_findings_precede_line_findings(cli: CommandLine, server: CalendarServer) -> None:
    page = ServedResponse(
        CALENDAR_WITH_ERROR, headers={"Content-Type": "text/html", "ETag": "1"}, conditional=False, supports_head=False
    )
    url = server.serve("/talks.ics", page)
    result = cli.run("lint", url)
    assert result.exit_code == 1
    assert result.stdout == (
        f"{url}: warning cache-control there is no Cache-Control (RFC 9111, 5.2)\n"
        f"{url}: error content-type Content-Type is 'text/html' (RFC 5545, 8.1)\n"
        f"{url}: error etag-form ETag is '1' (RFC 9110, 8.8.3)\n"
        f"{url}: error head HEAD is answered with status 405, GET with 200 (RFC 9110, 9.1)\n"
        f"{url}: warning last-modified there is no Last-Modified (RFC 9110, 8.8.2)\n"
        f"{url}: warning not-modified the conditional request is answered with status 200, not 304 (RFC 9110, 13.1)\n"
        f"{url}:42: error status STATUS is 'CANCELED' (RFC 5545, 3.8.1.11)\n"
        "4 errors and 3 warnings in 1 calendar.\n"
    )


def test_gzip_response_is_decompressed(cli: CommandLine, server: CalendarServer) -> None:
    page = ServedResponse(gzip.compress(VALID_CALENDAR), headers={**VALID_HEADERS, "Content-Encoding": "gzip"})
    assert cli.run_ok("lint", server.serve("/talks.ics", page)) == "0 errors and 0 warnings in 1 calendar.\n"


def redirect_page(url: str) -> ServedResponse:
    return ServedResponse(status=302, headers={"Location": url})


def test_at_most_five_redirects_are_followed(cli: CommandLine, server: CalendarServer) -> None:
    server.serve("/0", ServedResponse(VALID_CALENDAR))
    for number in range(1, 7):
        server.serve(f"/{number}", redirect_page(f"/{number - 1}"))
    cli.run_ok("lint", f"{server.base_url}/5")
    # The follow-up requests go to the final URL.
    assert server.requests[-3:] == [("GET", "/0"), ("GET", "/0"), ("HEAD", "/0")]
    result = cli.run("lint", f"{server.base_url}/6")
    assert (result.exit_code, result.stderr) == (
        2,
        f"{server.base_url}/6 cannot be read: the server responded with 302 Found.\n",
    )


@pytest.mark.parametrize("to", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x"])
def test_redirect_to_scheme_other_than_http_is_rejected(cli: CommandLine, server: CalendarServer, to: str) -> None:
    result = cli.run("lint", server.serve("/talks.ics", redirect_page(to)))
    assert (result.exit_code, result.stdout) == (2, "0 errors and 0 warnings in 0 calendars.\n")


def test_unusable_response_is_reported_in_one_sentence(cli: CommandLine, server: CalendarServer) -> None:
    pages = {
        "/missing": (ServedResponse(status=404), "the server responded with 404 Not Found"),
        "/odd": (ServedResponse(status=599), "the server responded with 599"),
        "/cut": (
            ServedResponse(VALID_CALENDAR, omitted_octets=7),
            f"the response ended after {len(VALID_CALENDAR) - 7} of {len(VALID_CALENDAR)} octets",
        ),
        "/br": (
            ServedResponse(VALID_CALENDAR, headers={"Content-Encoding": "br"}),
            "the response uses the content encoding 'br', which was not requested",
        ),
        "/not-gzip": (
            ServedResponse(VALID_CALENDAR, headers={"Content-Encoding": "gzip"}),
            "the response is not valid gzip",
        ),
        "/cut-gzip": (
            ServedResponse(gzip.compress(VALID_CALENDAR)[:-20], headers={"Content-Encoding": "gzip"}),
            "the gzip data of the response is truncated",
        ),
    }
    for path, (page, reason) in pages.items():
        url = server.serve(path, page)
        result = cli.run("lint", url)
        assert (result.exit_code, result.stderr) == (2, f"{url} cannot be read: {reason}.\n")


def test_unreachable_server_is_reported_in_one_line(cli: CommandLine) -> None:
    result = cli.run("lint", "http://127.0.0.1:1/talks.ics")
    assert result.exit_code == 2
    assert result.stderr.startswith("http://127.0.0.1:1/talks.ics cannot be read: ")
    assert result.stderr.count("\n") == 1


def test_invalid_url_never_raises_traceback(cli: CommandLine) -> None:
    for url in ("http://", "http://[::1", "http://127.0.0.1:x/", "http://a b/", "https://\u2028/", "webcal://a/b.ics"):
        result = cli.run("lint", url)
        assert (result.exit_code, type(result.exception)) == (2, SystemExit), url


@pytest.mark.parametrize("packed", ["identity", "gzip"])
@pytest.mark.usefixtures("cli")
def test_fetch_rejects_body_above_size_limit(server: CalendarServer, packed: str) -> None:
    body = bytes(100_000)
    headers = {"Content-Encoding": packed}
    url = server.serve("/large.ics", ServedResponse(gzip.compress(body) if packed == "gzip" else body, headers=headers))
    assert fetch(url, limits=FetchLimits(octets=100_000)).body == body
    with pytest.raises(UnreadableCalendar, match="the response is larger than 99999 octets"):
        fetch(url, limits=FetchLimits(octets=99_999))


@pytest.mark.usefixtures("cli")
def test_fetch_times_out_if_server_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(UnreadableCalendar, match=r"^the request timed out$"):
            fetch(url, limits=FetchLimits(seconds=0.2))


@pytest.mark.usefixtures("cli")
def test_fetch_times_out_if_body_arrives_too_slowly(server: CalendarServer) -> None:
    url = server.serve("/slow.ics", ServedResponse(bytes(1_000), octet_delay=0.02))
    with pytest.raises(UnreadableCalendar, match=r"^the response is incomplete after 0\.3 seconds$"):
        fetch(url, limits=FetchLimits(seconds=0.3))


# Our own feeds


def load_demo(app: Flask, clock: FixedClock) -> list[str]:
    """Load the demo, moved to the coming weeks, and return the paths of all its feeds."""
    was = read_demo_dataset(load_record)
    with database_of(app).unit_of_work() as unit:
        load_dataset(unit, shift_dataset_dates(was, weeks=weeks_to_future_start(was, today=clock.now().date())))
    with database_of(app).read_session() as session:
        return [
            *("/calendar.ics", "/calendar.ics?from=2014-01-01&include=events,talks"),
            *(f"/events/{slug}.ics" for slug in session.scalars(select(Event.slug))),
            *(f"/talks/{id_}.ics" for id_ in session.scalars(select(Talk.id))),
            *(f"/speakers/{slug}.ics" for slug in session.scalars(select(Speaker.slug))),
        ]


def test_demo_feeds_have_no_findings(app: Flask, clock: FixedClock) -> None:
    client = app.test_client()
    for path in load_demo(app, clock):
        for query in ("", "tz=utc", "cancelled=mark"):
            answer = client.get(f"{path}{'&' if '?' in path else '?'}{query}" if query else path)
            assert answer.status_code == 200, path
            assert lint(answer.data, now=clock.now()) == [], path


def test_feeds_of_complete_sample_calendar_have_no_findings(app: Flask, clock: FixedClock) -> None:
    create_calendar(app)
    for path in ("/calendar.ics?from=2000-01-01", "/events/summit.ics", "/events/old.ics", "/speakers/grace.ics"):
        assert lint(app.test_client().get(path).data, now=clock.now()) == [], path


def test_served_feed_has_no_findings(cli: CommandLine, app: Flask, clock: FixedClock) -> None:
    load_demo(app, clock)
    with run_app_server(app) as base:
        assert cli.run_ok("lint", "--strict", f"{base}/calendar.ics") == "0 errors and 0 warnings in 1 calendar.\n"
