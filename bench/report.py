"""The output of a run: one table of bounds, or two runs side by side."""

from collections.abc import Callable, Sequence
from functools import partial

from bench.bounds import MEGABYTE, Verdict
from bench.figures import Figures

_SCALES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


def table(verdicts: Sequence[Verdict]) -> str:
    """Return a table of each figure, its baseline, their ratio, the bound, and whether it is met."""
    rows: list[tuple[str, ...]] = [("what", "measured", "baseline", "ratio", "allowed", "")]
    rows += [_row(one) for one in verdicts]
    return _aligned(rows)


def comparison(old: Figures, new: Figures) -> str:
    """Return every figure of two runs side by side, with the ratio of the new one to the old one."""
    rows: list[tuple[str, ...]] = [("what", "old", "new", "new : old")]
    for name in sorted({*old.found, *new.found}):
        before, after = old.found.get(name), new.found.get(name)
        change = f"{after.value / before.value:.2f}" if before and after and before.value else "-"
        rows.append((name, *(_quantity(one.value, one.unit) if one else "-" for one in (before, after)), change))
    return _aligned(rows)


def _row(one: Verdict) -> tuple[str, ...]:
    unit = one.measured.unit
    allowed = one.bound.allowed
    says: Callable[[float], str] = _times if one.bound.baseline else partial(_quantity, unit=unit)
    return (
        one.bound.what,
        _quantity(one.measured.value, unit),
        "-" if one.baseline is None else _quantity(one.baseline, unit),
        "-" if one.ratio is None else _times(one.ratio),
        "-" if allowed is None else says(allowed),
        {True: "ok", False: "over", None: ""}[one.holds],
    )


def _quantity(value: float, unit: str) -> str:
    """Return a figure with three digits, in a suitable unit."""
    if unit == "s":
        size, name = next((scale for scale in _SCALES if value >= scale[0]), _SCALES[-1])
        return f"{_digits(value / size)} {name}"
    if unit == "B":
        return f"{_digits(value / MEGABYTE)} MB"
    return f"{value:.0f}"


def _digits(value: float) -> str:
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"  # noqa: PLR2004 - three significant digits


def _times(ratio: float) -> str:
    """Return a ratio as "1/50.0" if it is below one half, else as "1.30"."""
    return f"1/{_digits(1 / ratio)}" if ratio < 0.5 else _digits(ratio)  # noqa: PLR2004 - as above


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return "  ".join(cells).rstrip()
