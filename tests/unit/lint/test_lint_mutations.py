"""The linter and the summary of a feed accept mutations of the calendars that other libraries test with."""

import random
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from eventcal.feeds.inspect_feed import summarize_feed
from eventcal.lint import lint
from tests.feed_support.lint_feeds import NOW

PACKAGES = ("icalendar", "recurring_ical_events")
MUTATIONS = {"quick": 500, "usual": 500, "all": 100_000}
MUTATIONS_PER_SEED = 500
# In bytes. The mutations of a longer file would take most of the time.
LONGEST_FILE = 40_000
HOSTILE_PIECES = [
    *(b"\r\n", b"\n", b"\r", b" ", b"\r\n ", b":", b";", b"=", b",", b'"', b"\\", b"-", b"+", b"/", b"\0", b"\xff"),
    *(b"BEGIN:", b"END:", b"VCALENDAR", b"VEVENT", b"VTIMEZONE", b"STANDARD", b"VALARM", b"TZID=", b"VALUE=DATE"),
    *(b"VALUE=PERIOD", b"RRULE:FREQ=YEARLY;", b"BYMONTH=", b"BYDAY=", b"BYSETPOS=", b"UNTIL=", b"COUNT=", b"-1SU"),
    *(b"00010101T000000Z", b"00010101T000000", b"99991231T235959Z", b"99991231T235959", b"00000000", b"20260230"),
    *(b"+2359", b"-2359", b"+9999", b"PT", b"P", b"-P999999999W", b"PT1H30S", b"9" * 30, b"Europe/Berlin", b"../etc"),
    *("\u0661".encode(), "\u2028".encode(), "\N{COMBINING ACUTE ACCENT}".encode(), b"Etc/GMT+12", b"Pacific/Apia"),
]


def list_seeds(extent: str) -> range:
    return range(MUTATIONS[extent] // MUTATIONS_PER_SEED)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with more seeds if the extent of the run is `all`."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", list_seeds(metafunc.config.getoption("--extent")))


@pytest.fixture(scope="module")
def calendars() -> list[bytes]:
    """Return the calendars in the installed packages, in the same order everywhere."""
    folders = [Path(spec.origin).parent for spec in map(find_spec, PACKAGES) if spec and spec.origin]
    files = sorted(path for folder in folders for path in folder.rglob("*.ics"))
    assert len(files) > 200
    return [data for data in (path.read_bytes() for path in files) if len(data) <= LONGEST_FILE]


def replace_octets(data: bytes, choose: random.Random) -> bytes:
    at = choose.randrange(len(data) + 1)
    return data[:at] + choose.randbytes(choose.randrange(4)) + data[at + choose.randrange(8) :]


def insert_piece(data: bytes, choose: random.Random) -> bytes:
    at = choose.randrange(len(data) + 1)
    return data[:at] + choose.choice(HOSTILE_PIECES) + data[at + choose.choice([0, 1, 8]) :]


def replace_value(data: bytes, choose: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = choose.randrange(len(lines))
    name, colon, _ = lines[at].partition(b":")
    lines[at] = name + colon + choose.choice(HOSTILE_PIECES) + b"\r" * lines[at].endswith(b"\r")
    return b"\n".join(lines)


def move_line(data: bytes, choose: random.Random) -> bytes:
    lines = data.split(b"\n")
    moved = lines[choose.randrange(len(lines))]
    lines[choose.randrange(len(lines))] = moved
    return b"\n".join(lines)


def delete_line(data: bytes, choose: random.Random) -> bytes:
    lines = data.split(b"\n")
    del lines[choose.randrange(len(lines))]
    return b"\n".join(lines)


MUTATORS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    replace_octets,
    insert_piece,
    replace_value,
    move_line,
    delete_line,
)


def mutate(data: bytes, choose: random.Random) -> bytes:
    for _ in range(choose.randint(1, 3)):
        data = choose.choice(MUTATORS)(data, choose)
    return data


def test_mutations_of_real_calendars_are_linted_and_summarized(calendars: list[bytes], seed: int) -> None:
    choose = random.Random(seed)  # noqa: S311 - the mutations must be the same in every run
    for number in range(MUTATIONS_PER_SEED):
        data = mutate(choose.choice(calendars), choose)
        try:
            lint(data, now=NOW)
            # /feeds/check shows the summary.
            summarize_feed(data, etag=f'"{seed}-{number}"')
        except Exception as error:
            raise AssertionError(f"mutation {number} of seed {seed} is not linted: {data!r}") from error


def test_real_calendars_are_linted(calendars: list[bytes]) -> None:
    for data in calendars:
        lint(data, now=NOW)
