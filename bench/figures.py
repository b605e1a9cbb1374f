"""Measured figures by name, in CPU seconds, bytes or statements."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """Repeated measurements: the median is used for comparisons, and the minimum estimates an idle machine."""

    value: float
    unit: str
    least: float
    times: int

    @classmethod
    def from_values(cls, values: Iterable[float], unit: str) -> "Figure":
        """Return the figure for repeated measurements."""
        all_of_them = sorted(values)
        return cls(median(all_of_them), unit, all_of_them[0], len(all_of_them))

    @classmethod
    def from_value(cls, value: float, unit: str) -> "Figure":
        """Return the figure for a value that is the same in each measurement."""
        return cls(value, unit, value, 1)


@dataclass
class Figures:
    """All figures of a run in the order of measurement."""

    by_name: dict[str, Figure] = field(default_factory=dict)

    def add(self, name: str, figure: Figure) -> None:
        """Add a figure under a unique name."""
        if name in self.by_name:
            raise ValueError(f"{name} was measured already")
        self.by_name[name] = figure

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON."""
        return {name: asdict(figure) for name, figure in self.by_name.items()}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> "Figures":
        """Return the figures from JSON."""
        return cls({name: Figure(**figure) for name, figure in written.items()})
