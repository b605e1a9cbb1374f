"""The output of a run: a table of bounds, or a comparison of two runs."""

from collections.abc import Callable, Sequence
from functools import partial

from bench.bounds import KILOBYTE, MEGABYTE, Verdict
from bench.figures import Figures

_TIME_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


def format_table(verdicts: Sequence[Verdict]) -> str:
    """Return a table with each figure, its baseline, the ratio, the bound, and whether the bound is met."""
    rows: list[tuple[str, ...]] = [("what", "measured", "baseline", "ratio", "allowed", "")]
    rows += [_format_row(one) for one in verdicts]
    return align_columns(rows)


def format_growth(figures: Figures, sizes: Sequence[int]) -> str:
    """Return a table of the figures that were measured for every number of talks."""
    rows: list[tuple[str, ...]] = [("growth", *(f"{size:,} talks" for size in sizes))]
    suffix = f" of {sizes[0]}"
    for name in figures.by_name:
        found = [figures.by_name.get(f"{name.removesuffix(suffix)} of {size}") for size in sizes]
        if name.endswith(suffix) and None not in found:
            measured = [_format_quantity(one.value, one.unit) for one in found if one is not None]
            rows.append((name.removesuffix(suffix), *measured))
    return align_columns(rows)


def format_comparison(old: Figures, new: Figures) -> str:
    """Return a table of all figures in two runs with the ratio of the new figure to the old figure."""
    rows: list[tuple[str, ...]] = [("what", "old", "new", "new : old")]
    for name in sorted({*old.by_name, *new.by_name}):
        before, after = old.by_name.get(name), new.by_name.get(name)
        change = f"{after.value / before.value:.2f}" if before and after and before.value else "-"
        rows.append((name, *(_format_quantity(one.value, one.unit) if one else "-" for one in (before, after)), change))
    return align_columns(rows)


def _format_row(one: Verdict) -> tuple[str, ...]:
    unit = one.figure.unit
    allowed = one.bound.limit
    says: Callable[[float], str] = _format_ratio if one.bound.baseline_name else partial(_format_quantity, unit=unit)
    return (
        one.bound.label,
        _format_quantity(one.figure.value, unit),
        "-" if one.baseline is None else _format_quantity(one.baseline, unit),
        "-" if one.ratio is None else _format_ratio(one.ratio),
        "-" if allowed is None else says(allowed),
        {True: "ok", False: "over", None: ""}[one.is_met],
    )


def _format_quantity(value: float, unit: str) -> str:
    """Return a figure with three digits in a suitable unit."""
    if unit == "s":
        size, name = next((scale for scale in _TIME_UNITS if value >= scale[0]), _TIME_UNITS[-1])
        return f"{_format_digits(value / size)} {name}"
    if unit == "B":
        size, name = (MEGABYTE, "MB") if value >= MEGABYTE / 10 else (KILOBYTE, "kB")
        return f"{_format_digits(value / size)} {name}"
    return f"{value:.0f}"


def _format_digits(value: float) -> str:
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"  # noqa: PLR2004 - three significant digits


def _format_ratio(ratio: float) -> str:
    """Return a ratio below one half as a fraction such as "1/50.0", and any other ratio as a decimal such as "1.30"."""
    return f"1/{_format_digits(1 / ratio)}" if ratio < 0.5 else _format_digits(ratio)  # noqa: PLR2004 - as above


def align_columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table with a left-aligned first column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_format_line(row, widths) for row in rows)


def _format_line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return "  ".join(cells).rstrip()
