"""Growth of the memory of a worker while it receives requests that all have different, long headers and queries."""

from collections.abc import Iterator, Mapping
from itertools import islice

from bench.databases import Databases
from bench.datasets import Dataset, copy_dataset, create_first_dataset
from bench.figures import Figure, Figures
from bench.servers import Server, serve_dataset

GROWTH_FIGURE = "memory growth of a worker, hostile requests"
# The response cache is full after the first requests.
_FIRST_REQUESTS, _ALL_REQUESTS = 1_000, 10_000
_RUNS = 3
# The longest text of a header. All headers together stay below the limit of the server.
_LONG = "x" * 4_000
_SERVER_ERROR = 500


def measure_hostile_requests(databases: Databases, figures: Figures) -> None:
    """Record how much the memory grows between the first requests and all requests, in the best of several runs.

    The memory also depends on when the allocator returns memory to the operating system, which varies between runs.
    """
    first = create_first_dataset(databases, "hostile")
    growths = [_measure_growth(copy_dataset(databases, first, f"hostile_{number}")) for number in range(_RUNS)]
    figures.add(GROWTH_FIGURE, Figure(min(growths), "B", min(growths), _RUNS))


def _measure_growth(world: Dataset) -> float:
    with serve_dataset(world) as server:
        server.wait_until_ready()
        requests = _iter_requests(world)
        _send(server, islice(requests, _FIRST_REQUESTS))
        before = server.worker_memory().proportional
        _send(server, islice(requests, _ALL_REQUESTS - _FIRST_REQUESTS))
        return float(server.worker_memory().proportional - before)


def _send(server: Server, requests: Iterator[tuple[str, Mapping[str, str]]]) -> None:
    for path, headers in requests:
        status = server.request_status(path, headers)
        if status >= _SERVER_ERROR:
            raise RuntimeError(f"The server answers {status} to {path[:80]}.")


def _iter_requests(world: Dataset) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield endless paths and headers, none of which is repeated. Every other request is for a new document."""
    number = 0
    while True:
        number += 1
        new = f"{number}{_LONG[:150]}"
        for path in (
            world.event_feed,
            f"/calendar.ics?tag={new}&city=c{number}",
            "/api/v1/talks",
            f"/api/v1/talks?q=word{number}&limit=1",
            "/",
            f"/?lang=de-{number}&q=word{number}",
            world.event_feed,
            f"/nothing/{number}/{_LONG}",
            world.event_feed,
            f"/calendar.ics?{number}={_LONG}",
        ):
            number += 1
            yield path, _headers(number)


def _headers(number: int) -> Mapping[str, str]:
    text = f"{number} {_LONG}"
    headers = {
        "Accept": f"text/{number}, {text}",
        "Accept-Encoding": f"gzip;q=0.{number}, {text}",
        "Accept-Language": f"x-{number}, {text}",
        "If-None-Match": f'"{number}", "{_LONG}"',
        "If-Modified-Since": text,
        "User-Agent": text,
    }
    # Feeds are only cached for requests without a cookie.
    return headers | {"Cookie": f"language=de-{text}"} if number % 4 == 0 else headers
