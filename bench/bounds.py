"""The upper bounds on the cost of eventcal, and their comparison with the figures of a run."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.figures import Figure, Figures
from bench.http_measurements import PAGE_PATHS

KILOBYTE, MEGABYTE = 1_000, 1_000_000


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


def _minimal_app_bounds() -> Iterator[Bound]:
    yield Bound("304 for a feed", "304 feed of 1000", 2, "304 feed of 1000, minimal app")
    for kept in ("feed of 1000", "feed of 10000", "/talks", *PAGE_PATHS):
        for coding in ("identity", "gzip"):
            name = f"200 {kept} {coding}"
            yield Bound(f"unchanged {kept}, {coding}", name, 2, f"{name}, minimal app")


def _change_bounds() -> Iterator[Bound]:
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
            yield Bound(label, f"{what} {path} of 100000", 1.3, f"{what} {path} of 1000")


def _other_bounds() -> Iterator[Bound]:
    yield Bound("statements of a 304", "statements of a 304", 1)
    yield Bound("statements of an unchanged 200", "statements of an unchanged 200", 1)
    yield Bound("statements of a changed feed", "statements of a changed feed", 3)
    yield Bound("resident memory of a worker, 10,000 talks", "resident memory", 150 * MEGABYTE)
    for coding in ("gzip", "br", "zstd"):
        yield Bound(f"size of a feed in {coding}", f"bytes feed of 1000 {coding}", 1 / 6, "bytes feed of 1000 identity")
    for page in PAGE_PATHS:
        yield Bound(f"size of {page} in gzip", f"bytes {page} gzip", 30 * KILOBYTE)


BOUNDS = (*_minimal_app_bounds(), *_change_bounds(), *_growth_bounds(), *_other_bounds())


def check_bounds(figures: Figures) -> list[Verdict]:
    """Compare each bound with its figure. Bounds without a figure are omitted."""
    verdicts = []
    for bound in BOUNDS:
        measured = figures.by_name.get(bound.figure_name)
        baseline = figures.by_name.get(bound.baseline_name) if bound.baseline_name else None
        if measured is None or (bound.baseline_name and baseline is None):
            continue
        verdicts.append(Verdict(bound, measured, baseline.value if baseline else None))
    return verdicts
