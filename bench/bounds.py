"""The upper bounds of what eventcal may cost, and their comparison with the figures of a run."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.by_http import PAGES
from bench.figures import Figure, Figures

KILOBYTE, MEGABYTE = 1_000, 1_000_000


@dataclass(frozen=True)
class Bound:
    """An upper bound on a figure: as a multiple of the baseline, or absolute if there is no baseline.

    allowed: None if the figure is only reported.
    """

    what: str
    measured: str
    allowed: float | None
    baseline: str | None = None


@dataclass(frozen=True)
class Verdict:
    """A bound with the measured figure and its baseline."""

    bound: Bound
    measured: Figure
    baseline: float | None

    @property
    def ratio(self) -> float | None:
        """Return the measured figure as a multiple of the baseline, or None without a baseline."""
        return self.measured.value / self.baseline if self.baseline else None

    @property
    def holds(self) -> bool | None:
        """Return True if the bound is met, or None if there is no bound."""
        if self.bound.allowed is None:
            return None
        return (self.measured.value if self.ratio is None else self.ratio) <= self.bound.allowed


def _floors() -> Iterator[Bound]:
    yield Bound("304 on a feed", "304 feed of 1000", 2, "304 feed of 1000, floor")
    for kept in ("feed of 1000", "feed of 10000", "/talks", *PAGES):
        for coding in ("identity", "gzip"):
            name = f"200 {kept} {coding}"
            yield Bound(f"unchanged {kept}, {coding}", name, 2, f"{name}, floor")


def _changes() -> Iterator[Bound]:
    for size, allowed in (("1000", 1 / 50), ("10000", 1 / 100)):
        rendered = f"icalendar renders a feed of {size}"
        yield Bound(f"first feed of {size} after a change", f"first feed of {size} identity", allowed, rendered)
        yield Bound(f"first feed of {size} after a change, gzip", f"first feed of {size} gzip", None, rendered)
    read = "core and orjson write a page"
    yield Bound("first /talks after a change", "first /talks identity", 5, read)
    yield Bound("first /talks after a change, gzip", "first /talks gzip", None, read)
    edited = "the orm edits a talk and icalendar renders it"
    yield Bound("a talk edited over HTTP", "edit of a talk", 3, edited)
    yield Bound("a room of 200 talks renamed", "renaming of a room", 1.5, "icalendar renders 200 entries")


def _growth() -> Iterator[Bound]:
    for what, name in (("first", "after a change"), ("200", "unchanged")):
        for path in ("an event", "a page"):
            label = f"{path} {name}, 100,000 talks beside 1,000"
            yield Bound(label, f"{what} {path} of 100000", 1.3, f"{what} {path} of 1000")


def _rest() -> Iterator[Bound]:
    yield Bound("statements of a 304", "statements of a 304", 1)
    yield Bound("statements of an unchanged 200", "statements of an unchanged 200", 1)
    yield Bound("statements of a changed feed", "statements of a changed feed", 3)
    yield Bound("resident memory of a worker, 10,000 talks", "resident memory", 150 * MEGABYTE)
    for coding in ("gzip", "br", "zstd"):
        yield Bound(f"size of a feed in {coding}", f"bytes feed of 1000 {coding}", 1 / 6, "bytes feed of 1000 identity")
    for page in PAGES:
        yield Bound(f"size of {page} in gzip", f"bytes {page} gzip", 30 * KILOBYTE)


BOUNDS = (*_floors(), *_changes(), *_growth(), *_rest())


def judge(figures: Figures) -> list[Verdict]:
    """Compare every bound with its figure. Bounds without a figure are left out."""
    verdicts = []
    for bound in BOUNDS:
        measured = figures.found.get(bound.measured)
        beside = figures.found.get(bound.baseline) if bound.baseline else None
        if measured is None or (bound.baseline and beside is None):
            continue
        verdicts.append(Verdict(bound, measured, beside.value if beside else None))
    return verdicts
