"""The upper bounds on the cost of eventcal, and their comparison with the figures of a run."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.figures import Figure, Figures
from bench.hostile import GROWTH_FIGURE
from bench.http_measurements import PAGE_PATHS, baseline_name

KILOBYTE, MEGABYTE = 1_000, 1_000_000
# The bounds on unchanged feeds as multiples of a Flask view: for 304 responses, 200 responses, and bodies of megabytes.
_POLL_LIMITS = {"sqlite": 0.6, "postgresql": 0.75}
_BODY_LIMIT, _LARGE_BODY_LIMIT = 0.65, 0.9
# The cost of the feed of 10,000 entries is that of copying the body.
_COPIED_BODY_LIMIT = 1.1
# Lists, pages and embeds are more expensive than feeds by this multiple.
_PAGE_SURCHARGE = 0.1


@dataclass(frozen=True)
class Bound:
    """An upper bound on a figure, as a multiple of its baseline, or absolute if the figure has no baseline.

    `limit` is the bound, or None if the figure is only reported.
    """

    label: str
    figure_name: str
    limit: float | None
    baseline_name: str | None = None


@dataclass(frozen=True)
class Verdict:
    """A bound with its measured figure and baseline."""

    bound: Bound
    figure: Figure
    baseline: float | None

    @property
    def ratio(self) -> float | None:
        """Return the figure as a multiple of the baseline, or None if the figure has no baseline."""
        return self.figure.value / self.baseline if self.baseline else None

    @property
    def is_met(self) -> bool | None:
        """Return whether the bound is met, or None if the figure is only reported."""
        if self.bound.limit is None:
            return None
        return (self.figure.value if self.ratio is None else self.ratio) <= self.bound.limit


def _poll_bounds(database_kind: str) -> Iterator[Bound]:
    """Yield the bounds on 304 responses: as a multiple of a Flask view that returns "hello"."""
    limit = _POLL_LIMITS[database_kind]
    for kept in ("feed of 1000", "feed of 10000", "/talks", *PAGE_PATHS):
        is_feed = kept.startswith("feed")
        name = f"304 {kept}"
        yield Bound(
            f"304 for {kept}, Flask hello",
            name,
            limit if is_feed else limit + _PAGE_SURCHARGE,
            baseline_name(name, "flask"),
        )
    yield from _reported_baselines("304 for feed of 1000", "304 feed of 1000")


def _unchanged_bounds() -> Iterator[Bound]:
    """Yield the bounds on unchanged 200 responses: as a multiple of a Flask view that returns the same bytes."""
    limits = {
        ("feed of 1000", "identity"): _LARGE_BODY_LIMIT,
        ("feed of 10000", "identity"): _COPIED_BODY_LIMIT,
        ("feed of 10000", "gzip"): _COPIED_BODY_LIMIT,
        ("feed of 1000", "gzip"): _BODY_LIMIT,
    }
    for kept in ("feed of 1000", "feed of 10000", "/talks", *PAGE_PATHS):
        for coding in ("identity", "gzip"):
            name, label = f"200 {kept} {coding}", f"unchanged {kept}, {coding}"
            limit = limits.get((kept, coding), _BODY_LIMIT + _PAGE_SURCHARGE)
            yield Bound(f"{label}, Flask", name, limit, baseline_name(name, "flask"))
            if kept == "feed of 1000":
                yield from _reported_baselines(label, name)


def _reported_baselines(label: str, name: str) -> Iterator[Bound]:
    yield Bound(f"{label}, bare WSGI", name, None, baseline_name(name, "wsgi"))
    yield Bound(f"{label}, nginx", name, None, baseline_name(name, "nginx"))


def _change_bounds() -> Iterator[Bound]:
    yield Bound("first feed of 1000 after a change", "first feed of 1000 identity", 0.008)
    for size, allowed in (("1000", 1 / 50), ("10000", 1 / 100)):
        rendered = f"icalendar renders a feed of {size}"
        yield Bound(f"first feed of {size} after a change", f"first feed of {size} identity", allowed, rendered)
        yield Bound(f"first feed of {size} after a change, gzip", f"first feed of {size} gzip", None, rendered)
    read = "sqlalchemy core and orjson render a talk list"
    yield Bound("first /talks after a change", "first /talks identity", 5, read)
    yield Bound("first /talks after a change, gzip", "first /talks gzip", None, read)
    edited = "sqlalchemy orm edits a talk and icalendar renders it"
    yield Bound("edit one talk over HTTP", "edit one talk", 3, edited)
    yield Bound("rename a room with 200 talks", "rename one room", 1.5, "icalendar renders 200 entries")


def _growth_bounds() -> Iterator[Bound]:
    for what, name in (("first", "after a change"), ("200", "unchanged")):
        for path in ("event feed", "talk list"):
            label = f"{path} {name}, 100,000 talks beside 1,000"
            yield Bound(label, f"{what} {path} of 100000", 1.2, f"{what} {path} of 1000")


def _other_bounds() -> Iterator[Bound]:
    yield Bound("statements of a 304", "statements of a 304", 1)
    yield Bound("statements of an unchanged 200", "statements of an unchanged 200", 1)
    yield Bound("statements of a changed feed", "statements of a changed feed", 3)
    yield Bound("memory of a worker, 10,000 talks", "memory of a worker", 150 * MEGABYTE)
    yield Bound("resident memory of a worker", "resident memory of a worker", None)
    yield Bound("memory growth from 1,000 to 10,000 hostile requests", GROWTH_FIGURE, 16 * MEGABYTE)
    yield Bound("memory of the master", "memory of the master", 60 * MEGABYTE)
    yield Bound("resident memory of the master", "resident memory of the master", None)
    yield Bound("cpu of --help", "cpu of --help", 0.2)
    yield Bound("memory of --help", "memory of --help", 25 * MEGABYTE)
    yield Bound("cpu of load, 20,000 talks", "cpu of load", 40)
    yield Bound("memory of load, 20,000 talks", "memory of load", 300 * MEGABYTE)
    yield Bound("memory of re-rendering, 20,000 talks", "memory of re-rendering", 250 * MEGABYTE)
    for during in ("load", "re-rendering"):
        yield Bound(f"p95 of a poll during {during}, idle", f"p95 of a poll, during {during}", 3, "p95 of a poll, idle")
    for coding in ("gzip", "br", "zstd"):
        yield Bound(f"size of a feed in {coding}", f"bytes feed of 1000 {coding}", 1 / 6, "bytes feed of 1000 identity")
    for page in PAGE_PATHS:
        yield Bound(f"size of {page} in gzip", f"bytes {page} gzip", 30 * KILOBYTE)


def _bounds(database_kind: str) -> Iterator[Bound]:
    yield from _poll_bounds(database_kind)
    yield from _unchanged_bounds()
    yield from _change_bounds()
    yield from _growth_bounds()
    yield from _other_bounds()


def check_bounds(figures: Figures, database_kind: str) -> list[Verdict]:
    """Compare each bound for a database system with its figure. Bounds without a figure are omitted."""
    verdicts = []
    for bound in _bounds(database_kind):
        measured = figures.by_name.get(bound.figure_name)
        baseline = figures.by_name.get(bound.baseline_name) if bound.baseline_name else None
        if measured is None or (bound.baseline_name and baseline is None):
            continue
        verdicts.append(Verdict(bound, measured, baseline.value if baseline else None))
    return verdicts
