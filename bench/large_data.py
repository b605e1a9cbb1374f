"""The cost of loading and rendering 20,000 talks, and the latency of polls meanwhile."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.command_usage import CommandUsage, measure_command
from bench.datasets import TEXT_LENGTH, Dataset
from bench.figures import Figure, Figures
from bench.http_measurements import report_progress
from bench.servers import Server, serve_dataset
from bench.text_generator import TextGenerator

_EVENTS, _TALKS_PER_EVENT, _SPEAKERS_PER_EVENT, _ROOMS, _TRACKS = 20, 1000, 400, 5, 10
_FIRST_DAY = date(2031, 6, 2)
_FIRST_SLOT = time_of_day(9)
_POLL_INTERVAL = 0.02
_IDLE_SECONDS = 10.0
_OK = 200


def measure_large_data(dataset: Dataset, figures: Figures, folder: Path) -> None:
    """Load 20,000 talks into the database of a running server and render them again."""
    file = folder / "large-data.json"
    file.write_text(json.dumps(_build_data()))
    with serve_dataset(dataset) as server:
        with _measure_polls(server, figures, name="idle", path=dataset.event_feed):
            time.sleep(_IDLE_SECONDS)
        with _measure_polls(server, figures, name="during load", path=dataset.event_feed):
            loading = measure_command(["load", str(file)], dataset.environment())
        _add_usage(figures, "load", loading)
        with _measure_polls(server, figures, name="during re-rendering", path=dataset.event_feed):
            # The entries contain links with the base URL.
            environment = dataset.environment() | {"EVENTCAL_BASE_URL": "https://calendar.example.org"}
            rendering = measure_command(["db", "upgrade"], environment)
        _add_usage(figures, "re-rendering", rendering)


def _add_usage(figures: Figures, name: str, usage: CommandUsage) -> None:
    figures.add(f"cpu of {name}", Figure.from_value(usage.cpu_seconds, "s"))
    figures.add(f"memory of {name}", Figure.from_value(usage.peak_bytes, "B"))
    report_progress(name)


@contextmanager
def _measure_polls(server: Server, figures: Figures, *, name: str, path: str) -> Iterator[None]:
    """Poll a feed during the block, and record the 95th percentile of the wall-clock time of a response."""
    finished = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        polling = threads.submit(_poll_until, server, path, finished=finished)
        try:
            yield
        finally:
            finished.set()
        durations = polling.result()
    percentile = quantiles(durations, n=20)[-1]
    figures.add(f"p95 of a poll, {name}", Figure(percentile, "s", min(durations), len(durations)))


def _poll_until(server: Server, path: str, *, finished: threading.Event) -> Sequence[float]:
    durations, headers = [], {"If-None-Match": "none"}
    while not finished.wait(_POLL_INTERVAL):
        started = time.perf_counter()
        response = server.request(path, headers)
        durations.append(time.perf_counter() - started)
        if response.status == _OK:
            headers["If-None-Match"] = response.header("etag")
    # The first response is not conditional.
    return durations[1:]


def _build_data() -> Mapping[str, Any]:
    writer = TextGenerator(2)
    numbers = range(_EVENTS)
    return {
        "speakers": [one for event in numbers for one in _iter_speakers(writer, event)],
        "events": [_build_event(writer, event) for event in numbers],
        "talks": [one for event in numbers for one in _iter_talks(writer, event)],
    }


def _build_event(writer: TextGenerator, event: int) -> Mapping[str, Any]:
    day = _first_day(event)
    return {
        "slug": f"large-{event:03}",
        "title": f"Conference {event}",
        "description": writer.text(TEXT_LENGTH),
        "timezone": "Europe/Berlin",
        "starts": day.isoformat(),
        "ends": (day + timedelta(days=4)).isoformat(),
        "location": {"venue": "Congress Hall", "city": "Berlin", "country": "DE"},
        "tracks": [{"name": f"Track {number}"} for number in range(_TRACKS)],
        "rooms": [{"name": f"Room {number}"} for number in range(_ROOMS)],
    }


def _iter_speakers(writer: TextGenerator, event: int) -> Iterator[Mapping[str, Any]]:
    for number in range(_SPEAKERS_PER_EVENT):
        yield {"slug": f"speaker-{event:03}-{number:03}", "name": writer.name(), "bio": writer.text(200)}


def _iter_talks(writer: TextGenerator, event: int) -> Iterator[Mapping[str, Any]]:
    for number in range(_TALKS_PER_EVENT):
        slot, room = divmod(number, _ROOMS)
        day, slot_of_day = divmod(slot, _TALKS_PER_EVENT // _ROOMS // 5)
        starts = datetime.combine(_first_day(event) + timedelta(days=day), _FIRST_SLOT)
        yield {
            "event": f"large-{event:03}",
            "title": f"{writer.title()} {number}",
            "abstract": writer.text(TEXT_LENGTH),
            "speakers": [f"speaker-{event:03}-{number % _SPEAKERS_PER_EVENT:03}"],
            "state": "confirmed",
            "track": f"Track {number % _TRACKS}",
            "room": f"Room {room}",
            "starts": (starts + timedelta(minutes=15 * slot_of_day)).isoformat(),
            "duration_minutes": 15,
            "tags": [f"tag-{(number + offset) % 40}" for offset in range(3)],
        }


def _first_day(event: int) -> date:
    return _FIRST_DAY + timedelta(weeks=event)
