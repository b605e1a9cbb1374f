"""CPU of the whole server for each request, through granian, beside the floor's for the same bytes.

Rounds on one server and on the other take turns, so that whatever else the machine does falls on both. What comes
first after a change is measured one request at a time: this process makes the change, as another worker would.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bench.figures import Figure, Figures
from bench.servers import Answer, Server, serve_floor, serve_world
from bench.worlds import World, open_house
from eventcal.events.models import Event, Room
from eventcal.members.caller import OPERATOR
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk
from eventcal.talks.service import edit_talk

LIST = "/api/v1/talks?limit=50"
CODINGS = ("gzip", "br", "zstd")
# What floor and app would not send alike by themselves: each server says these its own way.
_HOP = frozenset({"server", "date", "content-length", "connection", "transfer-encoding"})
# Until what a server does after it has answered is done.
_SETTLES = 0.005
_OK, _NOT_MODIFIED = 200, 304


@dataclass(frozen=True)
class Effort:
    """How often each thing is measured. A round is of `requests`, or for megabytes of `large`."""

    rounds: int
    requests: int
    large: int
    singles: int
    renames: int


FULL = Effort(rounds=15, requests=60, large=6, singles=30, renames=12)
QUICK = Effort(rounds=7, requests=30, large=3, singles=12, renames=6)

_numbers = count(1)


class Measuring:
    """One world, served; what changes it from outside; and where figures go."""

    def __init__(self, world: World, server: Server, effort: Effort) -> None:
        self.world = world
        self.server = server
        self.effort = effort
        self.house = open_house(world)
        with self.house.database.reading() as session:
            ids = select(Talk.id).join(Event).where(Event.slug == world.slug).order_by(Talk.sort_at, Talk.id)
            self._talks = tuple(session.scalars(ids))
            rooms = select(Room.id).join(Event, Event.id == Room.event_id).where(Event.slug == world.slug)
            self._rooms = tuple(session.scalars(rooms.order_by(Room.position)))

    def change_a_talk(self) -> None:
        """Change the title of one of the event's first talks, as another worker would."""
        number = next(_numbers)
        with self.house.database.unit_of_work() as unit:
            talk = get_talk(unit.session, self._talks[number % 50], OPERATOR)
            edit_talk(unit.session, talk, {"title": f"A new title, number {number}"}, caller=OPERATOR, now=unit.now)

    def single(self, ask: Callable[[], Answer]) -> float:
        """Return the seconds of CPU that one request takes of the server."""
        time.sleep(_SETTLES)
        before = self.server.cpu()
        answer = ask()
        time.sleep(_SETTLES)
        spent = self.server.cpu() - before
        _expect(answer, _OK)
        return spent / 1e9

    def after_changes(self, path: str, **headers: str) -> Figure:
        """Return what the first answer after a change of one talk takes."""
        self.server.ask(path, **headers)
        return Figure.of((self._after_change(path, headers) for _ in range(self.effort.singles)), "s")

    def _after_change(self, path: str, headers: dict[str, str]) -> float:
        self.change_a_talk()
        return self.single(lambda: self.server.ask(path, **headers))

    def edits(self) -> Figure:
        """Return what a talk's edit takes: PATCH with If-Match and a token, and all that follows before it answers."""
        ids = self._talks[60 : 60 + self.effort.singles + 2]
        spent = [self._patch(f"/api/v1/talks/{one}", {"title": f"An edit, number {next(_numbers)}"}) for one in ids]
        return Figure.of(spent[2:], "s")

    def renames(self) -> Figure:
        """Return what it takes to rename a room, and with it all talks that are in it."""
        ids = [self._rooms[i % len(self._rooms)] for i in range(self.effort.renames + 1)]
        spent = [self._patch(f"/api/v1/rooms/{one}", {"name": f"Hall {next(_numbers)}"}) for one in ids]
        return Figure.of(spent[1:], "s")

    def _patch(self, path: str, body: dict[str, Any]) -> float:
        headers = {"Authorization": f"Bearer {self.world.token}", "Content_Type": "application/json", "If_Match": "*"}
        if "/talks/" in path:
            headers["If_Match"] = self.server.ask(path).header("etag")
        raw = json.dumps(body).encode()
        return self.single(lambda: self.server.ask(path, method="PATCH", body=raw, **headers))

    def close(self) -> None:
        """Let go of the database."""
        self.house.database.engine.dispose()


@contextmanager
def measuring(world: World, effort: Effort) -> Iterator[Measuring]:
    """Give a world that is served, to be measured."""
    with serve_world(world) as server:
        here = Measuring(world, server, effort)
        try:
            yield here
        finally:
            here.close()


@dataclass(frozen=True)
class Steady:
    """A request that is answered the same each time, and what the floor is asked beside it."""

    name: str
    path: str
    headers: dict[str, str]
    floor: str
    requests: int
    status: int = _OK


def measure_steady(here: Measuring, figures: Figures, *, folder: Path, paths: dict[str, str]) -> None:
    """Measure what does not change: each path's 200 in identity and gzip, and the first one's 304."""
    folder.mkdir()
    wanted = list(_steady(here, paths, folder))
    with serve_floor(folder, here.world) as floor:
        for one in wanted:
            ours, theirs = _in_turns(here, floor, one)
            figures.note(one.name, ours)
            figures.note(f"{one.name}, floor", theirs)
            _tell(one.name)


def _steady(here: Measuring, paths: dict[str, str], folder: Path) -> Iterator[Steady]:
    for number, (name, path) in enumerate(paths.items()):
        plain = here.server.ask(path)
        _expect(plain, _OK)
        requests = here.effort.large if len(plain.body) > 1_000_000 else here.effort.requests  # noqa: PLR2004 - 1 MB
        if number == 0:
            tag = {"If_None_Match": plain.header("etag")}
            yield Steady(f"304 {name}", path, tag, "/hello", here.effort.requests, _NOT_MODIFIED)
        for coding in ("identity", "gzip"):
            headers = {"Accept_Encoding": coding}
            file = f"answer-{number}-{coding}"
            _keep(folder / file, here.server.ask(path, **headers))
            yield Steady(f"200 {name} {coding}", path, headers, f"/{file}", requests)


def _keep(path: Path, answer: Answer) -> None:
    path.write_bytes(answer.body)
    kept = [(name, value) for name, value in answer.headers if name.lower() not in _HOP]
    path.with_name(f"{path.name}.json").write_text(json.dumps(kept))


def _in_turns(here: Measuring, floor: Server, one: Steady) -> tuple[Figure, Figure]:
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(here.effort.rounds + 1):
        ours.append(_round(here.server, one.path, one.requests, status=one.status, **one.headers))
        theirs.append(_round(floor, one.floor, one.requests, status=_OK, **one.headers))
    return Figure.of(ours[1:], "s"), Figure.of(theirs[1:], "s")


def _round(server: Server, path: str, requests: int, *, status: int, **headers: str) -> float:
    """Return the seconds of CPU that one of these requests takes."""
    before = server.cpu()
    for _ in range(requests):
        _expect(server.ask(path, **headers), status)
    time.sleep(_SETTLES)
    return (server.cpu() - before) / 1e9 / requests


def measure_sizes(here: Measuring, figures: Figures, *, name: str, path: str) -> None:
    """Note how large a feed is, in each coding."""
    for coding in ("identity", *CODINGS):
        figures.note(f"bytes {name} {coding}", Figure.once(len(here.server.ask(path, Accept_Encoding=coding).body), "B"))


def measure_changes(here: Measuring, figures: Figures, *, name: str, path: str) -> None:
    """Measure the first answer after a change, in identity and gzip."""
    for coding in ("identity", "gzip"):
        figures.note(f"first {name} {coding}", here.after_changes(path, Accept_Encoding=coding))
        _tell(f"first {name} {coding}")


def measure_growth(small: Measuring, large: Measuring, figures: Figures, *, paths: dict[str, str]) -> None:
    """Measure the same event and the same page in both worlds, first after a change and unchanged."""
    both = (small, large)
    for name, path in paths.items():
        changed: tuple[list[float], list[float]] = ([], [])
        steady: tuple[list[float], list[float]] = ([], [])
        for here in both:
            here.server.ask(path)
        for _ in range(small.effort.singles):
            for here, found in zip(both, changed, strict=True):
                found.append(here._after_change(path, {}))
        requests = small.effort.large if "ics" in path else small.effort.requests
        for _ in range(small.effort.rounds):
            for here, found in zip(both, steady, strict=True):
                found.append(_round(here.server, path, requests, status=_OK))
        for what, pair in (("first", changed), ("200", steady)):
            for here, found in zip(both, pair, strict=True):
                figures.note(f"growth {what} {name}, {here.world.talks} talks", Figure.of(found, "s"))
        _tell(f"growth {name}")


def _expect(answer: Answer, status: int) -> None:
    if answer.status != status:
        raise RuntimeError(f"The server answers {answer.status} and not {status}: {answer.body[:500]!r}")


def _tell(name: str) -> None:
    sys.stderr.write(f"  {name}\n")


def feeds_of(world: World) -> Sequence[str]:
    """Return the feeds that are asked for."""
    return (world.event, world.whole)
