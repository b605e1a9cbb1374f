"""CPU of the whole server per request, through Granian, compared with the floor's for the same bytes.

Rounds on the two servers alternate, so that other load on the machine affects both. The first response after a change
is measured one request at a time: this process makes the change, as another worker would.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.changes import Outsider
from bench.figures import Figure, Figures
from bench.servers import NOTHING, Answer, Server, serve_floor, serve_world
from bench.worlds import SLUG, World

LIST = "/api/v1/talks?limit=50"
PAGES = {
    "the listing's page": "/",
    "the month's page": "/?view=month&month=2027-06",
    "an event's page": f"/events/{SLUG}",
    "a schedule's page": f"/events/{SLUG}/schedule",
    "the page to subscribe": "/subscribe",
}
CODINGS = ("identity", "gzip", "br", "zstd")
# Each server sets its own values for these.
_OWN = frozenset({"server", "date", "content-length", "connection", "transfer-encoding"})
# Time to wait after a response for the server to finish its work, in seconds.
_SETTLES = 0.005
_OK, _NOT_MODIFIED = 200, 304
# Bodies of more than this many bytes are requested less often.
_LARGE = 1_000_000
# The talks edited over HTTP follow those that the outsider changes.
_EDITED = slice(60, None)
# The rate limit is 300 changes per minute and member.
_MOST_EDITS = 240


@dataclass(frozen=True)
class Effort:
    """How often each figure is measured. A round has `requests` requests, or `large` ones for large bodies."""

    rounds: int
    requests: int
    large: int
    singles: int
    renames: int


FULL = Effort(rounds=20, requests=40, large=3, singles=30, renames=12)
QUICK = Effort(rounds=9, requests=25, large=2, singles=12, renames=6)


@dataclass(frozen=True)
class Measuring:
    """A world with its server, and an outsider who changes it from another process."""

    world: World
    server: Server
    outsider: Outsider
    effort: Effort

    def after_change(self, path: str, headers: Mapping[str, str]) -> float:
        """Change a talk, and return the CPU seconds of the first response after the change."""
        self.outsider.change_a_talk()
        return self._single(lambda: self.server.ask(path, headers))

    def patch(self, path: str, body: Mapping[str, Any]) -> float:
        """Return the CPU seconds of a PATCH request by an admin."""
        return self._single(self._patching(path, body))

    def patch_each(self, paths: Sequence[str], body: Callable[[], Mapping[str, Any]]) -> float:
        """Return the average CPU seconds of several successive PATCH requests by an admin."""
        patching = [self._patching(path, body()) for path in paths]
        before = self.server.cpu()
        for patch in patching:
            _expect(patch(), _OK)
        time.sleep(_SETTLES)
        return (self.server.cpu() - before) / 1e9 / len(paths)

    def _patching(self, path: str, body: Mapping[str, Any]) -> Callable[[], Answer]:
        """Prepare a PATCH request, with the current ETag for talks."""
        tag = self.server.ask(path).header("etag") if path.startswith("/api/v1/talks/") else "*"
        headers = {"Authorization": f"Bearer {self.world.token}", "Content-Type": "application/json", "If-Match": tag}
        raw = json.dumps(body).encode()
        return lambda: self.server.ask(path, headers, method="PATCH", body=raw)

    def _single(self, ask: Callable[[], Answer]) -> float:
        time.sleep(_SETTLES)
        before = self.server.cpu()
        _expect(ask(), _OK)
        time.sleep(_SETTLES)
        return (self.server.cpu() - before) / 1e9


@contextmanager
def measuring(world: World, effort: Effort) -> Iterator[Measuring]:
    """Serve a world and return it for measuring."""
    with serve_world(world) as server:
        outsider = Outsider(world)
        try:
            yield Measuring(world, server, outsider, effort)
        finally:
            outsider.close()


@dataclass(frozen=True)
class _Steady:
    """A request whose response is the same each time, and the path of its counterpart on the floor."""

    name: str
    path: str
    headers: Mapping[str, str]
    floor: str
    requests: int
    status: int = _OK


def measure_steady(here: Measuring, figures: Figures, *, folder: Path, paths: Mapping[str, str]) -> None:
    """Measure unchanged responses: each path's 304, and its 200 in identity and gzip.

    `folder` receives the floor's files.
    """
    folder.mkdir()
    wanted = [
        one
        for number, (name, path) in enumerate(paths.items())
        for one in _steady(here, name, path, file=folder / str(number))
    ]
    with serve_floor(folder, here.world) as floor:
        for one in wanted:
            ours: list[float] = []
            theirs: list[float] = []
            # The first round is a warm-up.
            for _ in range(here.effort.rounds + 1):
                ours.append(_round(here.server, one.path, one.headers, requests=one.requests, status=one.status))
                theirs.append(_round(floor, one.floor, one.headers, requests=one.requests))
            figures.note(one.name, Figure.of(ours[1:], "s"))
            figures.note(f"{one.name}, floor", Figure.of(theirs[1:], "s"))
            tell(one.name)


def _steady(here: Measuring, name: str, path: str, *, file: Path) -> Iterator[_Steady]:
    tag = here.server.ask(path).header("etag")
    yield _Steady(f"304 {name}", path, {"If-None-Match": tag}, "/hello", here.effort.requests, _NOT_MODIFIED)
    for coding in ("identity", "gzip"):
        headers = {"Accept-Encoding": coding}
        answer = here.server.ask(path, headers)
        _expect(answer, _OK)
        kept = file.with_name(f"answer-{file.name}-{coding}")
        kept.write_bytes(answer.body)
        said = [(key, value) for key, value in answer.headers if key.lower() not in _OWN]
        kept.with_name(f"{kept.name}.json").write_text(json.dumps(said))
        requests = here.effort.large if len(answer.body) > _LARGE else here.effort.requests
        yield _Steady(f"200 {name} {coding}", path, headers, f"/{kept.name}", requests)


def _round(server: Server, path: str, headers: Mapping[str, str], *, requests: int, status: int = _OK) -> float:
    """Return the CPU seconds per request of a round, after some requests that warm the processor's caches."""
    for _ in range(requests // 5 + 1):
        _expect(server.ask(path, headers), status)
    before = server.cpu()
    for _ in range(requests):
        _expect(server.ask(path, headers), status)
    time.sleep(_SETTLES)
    return (server.cpu() - before) / 1e9 / requests


def measure_sizes(here: Measuring, figures: Figures, *, name: str, path: str) -> None:
    """Record the size of a feed or page in each content encoding."""
    for coding in CODINGS:
        answer = here.server.ask(path, {"Accept-Encoding": coding})
        _expect(answer, _OK)
        figures.note(f"bytes {name} {coding}", Figure.once(len(answer.body), "B"))


def measure_changes(here: Measuring, figures: Figures, *, name: str, path: str) -> None:
    """Measure the first response after a change of one talk, in identity and gzip."""
    for coding in ("identity", "gzip"):
        headers = {"Accept-Encoding": coding}
        here.server.ask(path, headers)
        spent = [here.after_change(path, headers) for _ in range(here.effort.singles)]
        figures.note(f"first {name} {coding}", Figure.of(spent, "s"))
        tell(f"first {name} {coding}")


def measure_edits(here: Measuring, figures: Figures) -> None:
    """Measure changing the title of a talk and the name of a room over HTTP, including commit and ledger."""
    talks = [f"/api/v1/talks/{one}" for one in here.outsider.talks[_EDITED]]
    several = here.effort.requests
    spent = [
        here.patch_each(talks[at : at + several], lambda: {"title": here.outsider.new_name()})
        for at in range(0, _MOST_EDITS, several)
    ]
    # The first round compiles the statements.
    figures.note("edit of a talk", Figure.of(spent[1:], "s"))
    tell("edit of a talk")
    rooms = [here.outsider.rooms[i % len(here.outsider.rooms)] for i in range(here.effort.renames + 1)]
    spent = [here.patch(f"/api/v1/rooms/{one}", {"name": here.outsider.new_name()}) for one in rooms]
    figures.note("renaming of a room", Figure.of(spent[1:], "s"))
    tell("renaming of a room")


def measure_memory(here: Measuring, figures: Figures) -> None:
    """Record the memory of the worker after serving feeds and lists in each encoding, before and after changes."""
    for path in (here.world.event, here.world.whole, LIST):
        for coding in CODINGS:
            _expect(here.server.ask(path, {"Accept-Encoding": coding}), _OK)
            here.after_change(path, {"Accept-Encoding": coding})
    here.patch(f"/api/v1/talks/{here.outsider.talks[_EDITED][0]}", {"title": here.outsider.new_name()})
    here.patch(f"/api/v1/rooms/{here.outsider.rooms[0]}", {"name": here.outsider.new_name()})
    for path in (here.world.event, here.world.whole, LIST):
        _expect(here.server.ask(path), _OK)
    figures.note("resident memory", Figure.once(here.server.resident(), "B"))
    tell("resident memory")


def measure_growth(small: Measuring, large: Measuring, figures: Figures, *, paths: Mapping[str, str]) -> None:
    """Measure the same event and the same page in both worlds alternately, after a change and unchanged."""
    effort = small.effort
    for name, path in paths.items():
        first: dict[int, list[float]] = {small.world.talks: [], large.world.talks: []}
        steady: dict[int, list[float]] = {small.world.talks: [], large.world.talks: []}
        for here in (small, large):
            _expect(here.server.ask(path), _OK)
        for _ in range(effort.singles):
            for here in (small, large):
                first[here.world.talks].append(here.after_change(path, NOTHING))
        for _ in range(effort.rounds):
            for here in (small, large):
                steady[here.world.talks].append(_round(here.server, path, NOTHING, requests=effort.large))
        for what, found in (("first", first), ("200", steady)):
            for talks, spent in found.items():
                figures.note(f"{what} {name} of {talks}", Figure.of(spent, "s"))
        tell(f"growth of {name}")


def tell(name: str) -> None:
    """Report progress on standard error."""
    sys.stderr.write(f"  {name}\n")


def _expect(answer: Answer, status: int) -> None:
    if answer.status != status:
        raise RuntimeError(f"The server answers {answer.status} and not {status}: {answer.body[:500]!r}")
