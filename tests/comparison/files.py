"""Comparison of two recordings: which files are missing, new or different, and where they begin to differ."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# A calendar is one line of a megabyte in some formats: a difference is shown with this many characters around it.
_MARGIN = 100
_BEFORE, _FROM_THERE = 2, 4
_OF_BODY = ("Content-Length: ", "ETag: ")
_LONG_LINE = 2 * _MARGIN


@dataclass(frozen=True)
class Comparison:
    """The names of the files that are in one recording only, and those that differ with their first differences."""

    missing: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changed: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Return whether both recordings have the same files with the same bytes."""
        return not (self.missing or self.new or self.changed)

    def lines(self) -> Iterator[str]:
        """Yield the lines of a report."""
        yield from (f"missing: {name}" for name in self.missing)
        yield from (f"new: {name}" for name in self.new)
        for name, difference in self.changed.items():
            yield f"different: {name}"
            yield from (f"    {line}" for line in difference)
        yield f"{len(self.missing)} missing, {len(self.new)} new, {len(self.changed)} different"


def compare(before: Path, after: Path) -> Comparison:
    """Return how the recording in `after` differs from the one in `before`."""
    old, new = _files_of(before), _files_of(after)
    changed = {}
    for name in sorted(old & new):
        was, now = (before / name).read_bytes(), (after / name).read_bytes()
        if was != now:
            changed[name] = _difference(was, now)
    return Comparison(missing=sorted(old - new), new=sorted(new - old), changed=changed)


def _files_of(folder: Path) -> set[str]:
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a directory")
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _difference(was: bytes, now: bytes) -> list[str]:
    """Return a unified diff of the first lines that differ; headers that follow from the body come last."""
    old, new = _lines_of(was), _lines_of(now)
    differing = [i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]]
    telling = [i for i in differing if not old[i].startswith(_OF_BODY)]
    first = next(iter(telling or differing), min(len(old), len(new)))
    # difflib takes quadratic time: it is only given what can be shown.
    parts = (lines[max(first - _BEFORE, 0) : first + _FROM_THERE] for lines in (old, new))
    before, after = _shortened(*parts)
    # Without the two lines that name the files.
    return list(difflib.unified_diff(before, after, lineterm="", n=_BEFORE))[2:]


def _lines_of(raw: bytes) -> list[str]:
    # Characters that a terminal does not show are part of what is compared.
    return [repr(line)[1:-1] for line in raw.decode("utf-8", "backslashreplace").split("\n")]


def _shortened(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    """Return the lines with long ones cut to what surrounds the first difference between those at the same place."""
    pairs = list(zip(old, new, strict=False))
    starts = [_first_difference(*pair) for pair in pairs]
    cut_old = [_around(line, starts[i] if i < len(starts) else 0) for i, line in enumerate(old)]
    cut_new = [_around(line, starts[i] if i < len(starts) else 0) for i, line in enumerate(new)]
    return cut_old, cut_new


def _first_difference(one: str, other: str) -> int:
    return next(
        (i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )


def _around(line: str, place: int) -> str:
    if len(line) <= _LONG_LINE:
        return line
    start, end = max(place - _MARGIN, 0), place + _MARGIN
    return f"{'…' if start else ''}{line[start:end]}{'…' if end < len(line) else ''}"
