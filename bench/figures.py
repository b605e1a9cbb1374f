"""Figures by name: what was measured, in seconds of CPU, bytes or statements."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One thing that was measured, several times: the median counts, the least is what a quiet machine would say."""

    value: float
    unit: str
    least: float
    times: int

    @classmethod
    def of(cls, values: Iterable[float], unit: str) -> "Figure":
        """Return the figure that several measurements give."""
        all_of_them = sorted(values)
        return cls(median(all_of_them), unit, all_of_them[0], len(all_of_them))

    @classmethod
    def once(cls, value: float, unit: str) -> "Figure":
        """Return the figure of what is the same each time."""
        return cls(value, unit, value, 1)


@dataclass
class Figures:
    """All figures of a run, in the order in which they came."""

    found: dict[str, Figure] = field(default_factory=dict)

    def note(self, name: str, figure: Figure) -> None:
        """Keep a figure under a name of its own."""
        if name in self.found:
            raise ValueError(f"{name} was measured already")
        self.found[name] = figure

    def as_json(self) -> dict[str, Any]:
        """Return what is written down."""
        return {name: asdict(figure) for name, figure in self.found.items()}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> "Figures":
        """Return what was written down."""
        return cls({name: Figure(**figure) for name, figure in written.items()})
