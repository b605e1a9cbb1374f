"""Measurements of CPU time per request of a whole Granian server, compared with baseline servers for the same bytes.

Rounds alternate between the servers, so that other load on the machine affects all servers. The first response after a
change is measured one request at a time. This process makes the change, as another worker would.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench import processes
from bench.datasets import EVENT_SLUG, Dataset
from bench.external_writer import ExternalWriter
from bench.figures import Figure, Figures
from bench.servers import NO_HEADERS, Server, serve_baselines, serve_dataset

LIST_PATH = "/api/v1/talks?limit=50"
PAGE_PATHS = {
    "listing page": "/",
    "month page": "/?view=month&month=2027-06",
    "event page": f"/events/{EVENT_SLUG}",
    "schedule page": f"/events/{EVENT_SLUG}/schedule",
    "subscribe page": "/subscribe",
    "embed": "/embed/listing",
    "event resource": f"/api/v1/events/{EVENT_SLUG}",
}
FEED_FORMATS = ("ics", "jcal", "xcal", "jscal", "csv", "atom")
CONTENT_ENCODINGS = ("identity", "gzip", "br", "zstd")
# Each server sets its own values for these headers.
_SERVER_HEADERS = frozenset({"server", "date", "content-length", "connection", "transfer-encoding"})
# The time that the server needs to finish its work after a response, in seconds.
_SETTLE_SECONDS = 0.005
_OK, _NOT_MODIFIED = 200, 304
# Bodies larger than this number of bytes are requested less often.
_LARGE_BODY = 1_000_000
# The talks edited over HTTP are not among those that the external writer changes.
_EDITED_TALKS = slice(60, None)
# The rate limit is 300 changes per minute and member.
_MAX_EDITS = 240
_EDITS_PER_ROUND = 40


@dataclass(frozen=True)
class Effort:
    """The number of measurements. A round consists of `requests` requests, or `large_requests` for large bodies."""

    rounds: int
    requests: int
    large_requests: int
    single_requests: int
    renames: int


FULL_EFFORT = Effort(rounds=20, requests=150, large_requests=15, single_requests=30, renames=12)
QUICK_EFFORT = Effort(rounds=9, requests=100, large_requests=10, single_requests=12, renames=6)


@dataclass(frozen=True)
class MeasuredServer:
    """A dataset with its server, and an external writer that changes the dataset."""

    dataset: Dataset
    server: Server
    external_writer: ExternalWriter
    effort: Effort

    def measure_after_change(self, path: str, headers: Mapping[str, str]) -> float:
        """Change a talk and return the CPU seconds of the first response after the change."""
        self.external_writer.change_next_talk()
        return self._measure_one(lambda: self.server.request_status(path, headers))

    def measure_patch(self, path: str, body: Mapping[str, Any]) -> float:
        """Return the CPU seconds of a PATCH request by an administrator."""
        return self._measure_one(self._prepare_patch(path, body))

    def measure_patches(self, paths: Sequence[str], body: Callable[[], Mapping[str, Any]]) -> float:
        """Return the average CPU seconds of successive PATCH requests by an administrator."""
        patching = [self._prepare_patch(path, body()) for path in paths]
        before = self.server.cpu_nanoseconds()
        for patch in patching:
            _check_status(patch(), _OK)
        time.sleep(_SETTLE_SECONDS)
        return (self.server.cpu_nanoseconds() - before) / 1e9 / len(paths)

    def _prepare_patch(self, path: str, body: Mapping[str, Any]) -> Callable[[], int]:
        """Return a function that sends a PATCH request, with the current ETag for a talk, and returns the status."""
        tag = self.server.request(path).header("etag") if path.startswith("/api/v1/talks/") else "*"
        headers = {"Authorization": f"Bearer {self.dataset.token}", "Content-Type": "application/json", "If-Match": tag}
        raw = json.dumps(body).encode()
        return lambda: self.server.request(path, headers, method="PATCH", body=raw).status

    def _measure_one(self, ask: Callable[[], int]) -> float:
        time.sleep(_SETTLE_SECONDS)
        before = self.server.cpu_nanoseconds()
        _check_status(ask(), _OK)
        time.sleep(_SETTLE_SECONDS)
        return (self.server.cpu_nanoseconds() - before) / 1e9


@contextmanager
def open_measured_server(world: Dataset, effort: Effort) -> Iterator[MeasuredServer]:
    """Serve a dataset on the same processor as this process, and provide the server for measurements."""
    with serve_dataset(world) as server, processes.use_measured_processor():
        server.move_to_measured_processor()
        outsider = ExternalWriter(world)
        try:
            yield MeasuredServer(world, server, outsider, effort)
        finally:
            outsider.close()


@dataclass(frozen=True)
class _UnchangedRequest:
    """A request with a constant response. `file_name` is the name of the file with the same body."""

    name: str
    path: str
    headers: Mapping[str, str]
    file_name: str
    requests: int
    status: int = _OK

    def on_baseline(self, server: Server, name: str) -> "_UnchangedRequest":
        """Return the request that is compared with this request. Only nginx supports conditional requests."""
        if self.status == _OK:
            return replace(self, path=f"/{self.file_name}")
        if name == "nginx":
            tag = server.request(f"/{self.file_name}").header("etag")
            return replace(self, path=f"/{self.file_name}", headers={"If-None-Match": tag})
        return replace(self, path="/hello", headers=NO_HEADERS, status=_OK)

    def measure_round(self, server: Server) -> float:
        """Return the CPU seconds per request of a round."""
        return _measure_round(server, self.path, self.headers, requests=self.requests, status=self.status)


def measure_unchanged(here: MeasuredServer, figures: Figures, *, folder: Path, paths: Mapping[str, str]) -> None:
    """Measure unchanged responses for each path: 304, and 200 with the identity and gzip encodings.

    `folder` receives the files of the baseline servers.
    """
    folder.mkdir()
    wanted = [
        one
        for number, (name, path) in enumerate(paths.items())
        for one in _iter_unchanged_requests(here, name, path, file=folder / str(number))
    ]
    with serve_baselines(folder, here.dataset) as baselines:
        for one in wanted:
            measured = {one.name: (here.server, one)} | {
                baseline_name(one.name, name): (server, one.on_baseline(server, name))
                for name, server in baselines.items()
            }
            spent: dict[str, list[float]] = {name: [] for name in measured}
            for _ in range(here.effort.rounds + 1):
                for name, (server, request) in measured.items():
                    spent[name].append(request.measure_round(server))
            for name, values in spent.items():
                # The first round warms up the server.
                figures.add(name, Figure.from_values(values[1:], "s"))
            report_progress(one.name)


def baseline_name(name: str, server: str) -> str:
    """Return the name of the figure of a baseline server ("flask", "wsgi" or "nginx")."""
    return f"{name}, {server}"


def _iter_unchanged_requests(here: MeasuredServer, name: str, path: str, *, file: Path) -> Iterator[_UnchangedRequest]:
    tag = here.server.request(path).header("etag")
    poll = {"If-None-Match": tag}
    file_name = f"answer-{file.name}-identity"
    yield _UnchangedRequest(f"304 {name}", path, poll, file_name, here.effort.requests, _NOT_MODIFIED)
    for coding in ("identity", "gzip"):
        headers = {"Accept-Encoding": coding}
        answer = here.server.request(path, headers)
        _check_status(answer.status, _OK)
        kept = file.with_name(f"answer-{file.name}-{coding}")
        kept.write_bytes(answer.body)
        said = [(key, value) for key, value in answer.headers if key.lower() not in _SERVER_HEADERS]
        kept.with_name(f"{kept.name}.json").write_text(json.dumps(said))
        requests = here.effort.large_requests if len(answer.body) > _LARGE_BODY else here.effort.requests
        yield _UnchangedRequest(f"200 {name} {coding}", path, headers, kept.name, requests)


def _measure_round(server: Server, path: str, headers: Mapping[str, str], *, requests: int, status: int = _OK) -> float:
    """Return the CPU seconds per request of a round, after requests that warm the caches of the processor.

    Each round opens a new connection, because the size of the server's send buffer differs between connections, and
    with it the CPU time of large bodies.
    """
    server.close()
    for _ in range(requests // 5 + 1):
        _check_status(server.request_status(path, headers), status)
    before = server.cpu_nanoseconds()
    for _ in range(requests):
        _check_status(server.request_status(path, headers), status)
    time.sleep(_SETTLE_SECONDS)
    return (server.cpu_nanoseconds() - before) / 1e9 / requests


def measure_sizes(here: MeasuredServer, figures: Figures, *, name: str, path: str) -> None:
    """Record the size of a feed or page with each content encoding."""
    for coding in CONTENT_ENCODINGS:
        answer = here.server.request(path, {"Accept-Encoding": coding})
        _check_status(answer.status, _OK)
        figures.add(f"bytes {name} {coding}", Figure.from_value(len(answer.body), "B"))


def measure_changes(here: MeasuredServer, figures: Figures, *, name: str, path: str) -> None:
    """Measure the first response after a change of one talk, with identity and gzip encoding."""
    for coding in ("identity", "gzip"):
        headers = {"Accept-Encoding": coding}
        here.server.request(path, headers)
        spent = [here.measure_after_change(path, headers) for _ in range(here.effort.single_requests)]
        figures.add(f"first {name} {coding}", Figure.from_values(spent, "s"))
        report_progress(f"first {name} {coding}")


def measure_edits(here: MeasuredServer, figures: Figures) -> None:
    """Measure edits of a talk's title and a room's name over HTTP, including the feed index and the commit."""
    talks = [f"/api/v1/talks/{one}" for one in here.external_writer.talks[_EDITED_TALKS]]
    spent = [
        here.measure_patches(talks[at : at + _EDITS_PER_ROUND], lambda: {"title": here.external_writer.new_name()})
        for at in range(0, _MAX_EDITS, _EDITS_PER_ROUND)
    ]
    # The first round compiles the SQL statements and is omitted.
    figures.add("edit one talk", Figure.from_values(spent[1:], "s"))
    report_progress("edit one talk")
    rooms = [here.external_writer.rooms[i % len(here.external_writer.rooms)] for i in range(here.effort.renames + 1)]
    spent = []
    for room in rooms:
        # An entry can be changed only once in a second.
        time.sleep(1)
        spent.append(here.measure_patch(f"/api/v1/rooms/{room}", {"name": here.external_writer.new_name()}))
    figures.add("rename one room", Figure.from_values(spent[1:], "s"))
    report_progress("rename one room")


def measure_memory(here: MeasuredServer, figures: Figures) -> None:
    """Record the memory of the master and the worker after serving feeds in every format, and after changes.

    Feeds in iCalendar and lists are requested with all content encodings.
    """
    for suffix in FEED_FORMATS:
        path = here.dataset.full_feed.replace(".ics", f".{suffix}")
        for coding in ("identity", "gzip"):
            _check_status(here.server.request_status(path, {"Accept-Encoding": coding}), _OK)
    for path in (here.dataset.event_feed, here.dataset.full_feed, LIST_PATH):
        for coding in CONTENT_ENCODINGS:
            _check_status(here.server.request_status(path, {"Accept-Encoding": coding}), _OK)
            here.measure_after_change(path, {"Accept-Encoding": coding})
    time.sleep(1)
    here.measure_patch(
        f"/api/v1/talks/{here.external_writer.talks[_EDITED_TALKS][0]}", {"title": here.external_writer.new_name()}
    )
    time.sleep(1)
    here.measure_patch(f"/api/v1/rooms/{here.external_writer.rooms[0]}", {"name": here.external_writer.new_name()})
    for path in (here.dataset.event_feed, here.dataset.full_feed, LIST_PATH):
        _check_status(here.server.request_status(path), _OK)
    for name, usage in (("a worker", here.server.worker_memory()), ("the master", here.server.master_memory())):
        figures.add(f"memory of {name}", Figure.from_value(usage.proportional, "B"))
        figures.add(f"resident memory of {name}", Figure.from_value(usage.resident, "B"))
    report_progress("memory")


def measure_growth(servers: Sequence[MeasuredServer], figures: Figures, *, paths: Mapping[str, str]) -> None:
    """Measure the same requests and edits with all datasets in alternation."""
    for name, path in paths.items():
        _measure_growth_of_path(servers, figures, name=name, path=path)
    effort = servers[0].effort
    talks = {here: iter(here.external_writer.talks[_EDITED_TALKS]) for here in servers}

    def edit(here: MeasuredServer) -> float:
        return here.measure_patch(f"/api/v1/talks/{next(talks[here])}", {"title": here.external_writer.new_name()})

    _measure_alternately(servers, figures, "edit one talk", measure=edit, times=effort.single_requests)


def _measure_growth_of_path(servers: Sequence[MeasuredServer], figures: Figures, *, name: str, path: str) -> None:
    """Measure unchanged responses and the first response after a change."""
    effort = servers[0].effort
    tags = {here: here.server.request(path).header("etag") for here in servers}

    def poll(here: MeasuredServer) -> float:
        headers = {"If-None-Match": tags[here]}
        return _measure_round(here.server, path, headers, requests=effort.requests, status=_NOT_MODIFIED)

    def read(here: MeasuredServer) -> float:
        return _measure_round(here.server, path, NO_HEADERS, requests=effort.large_requests)

    def read_after_change(here: MeasuredServer) -> float:
        return here.measure_after_change(path, NO_HEADERS)

    _measure_alternately(servers, figures, f"304 {name}", measure=poll, times=effort.rounds)
    _measure_alternately(servers, figures, f"200 {name}", measure=read, times=effort.rounds)
    _measure_alternately(servers, figures, f"first {name}", measure=read_after_change, times=effort.single_requests)


def _measure_alternately(
    servers: Sequence[MeasuredServer],
    figures: Figures,
    name: str,
    *,
    measure: Callable[[MeasuredServer], float],
    times: int,
) -> None:
    spent: dict[int, list[float]] = {here.dataset.talks: [] for here in servers}
    for _ in range(times):
        for here in servers:
            spent[here.dataset.talks].append(measure(here))
    for talks, values in spent.items():
        figures.add(f"{name} of {talks}", Figure.from_values(values, "s"))
    report_progress(f"growth of {name}")


def report_progress(name: str) -> None:
    """Print progress on standard error."""
    sys.stderr.write(f"  {name}\n")


def _check_status(status: int, wanted: int) -> None:
    if status != wanted:
        raise RuntimeError(f"The server answers {status} and not {wanted}.")
