"""Comparison of two recordings: missing, new and different files, and the first difference in each file."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# The number of characters shown around a difference. Some formats write a whole calendar on one line.
_CONTEXT_CHARACTERS = 100
_LINES_BEFORE, _LINES_AFTER = 2, 4
_BODY_HEADERS = ("Content-Length: ", "ETag: ")
_LONG_LINE = 2 * _CONTEXT_CHARACTERS


@dataclass(frozen=True)
class Comparison:
    """The names of files in only one recording, and the first differences between files in both recordings."""

    missing: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changed: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Return whether both recordings consist of the same files with the same content."""
        return not (self.missing or self.new or self.changed)

    def report_lines(self) -> Iterator[str]:
        """Yield the lines of a report."""
        yield from (f"missing: {name}" for name in self.missing)
        yield from (f"new: {name}" for name in self.new)
        for name, difference in self.changed.items():
            yield f"different: {name}"
            yield from (f"    {line}" for line in difference)
        yield f"{len(self.missing)} missing, {len(self.new)} new, {len(self.changed)} different"


def compare_recordings(before: Path, after: Path) -> Comparison:
    """Return the differences between two recordings."""
    old, new = _list_files(before), _list_files(after)
    changed = {}
    for name in sorted(old & new):
        was, now = (before / name).read_bytes(), (after / name).read_bytes()
        if was != now:
            changed[name] = _diff_lines(was, now)
    return Comparison(missing=sorted(old - new), new=sorted(new - old), changed=changed)


def _list_files(folder: Path) -> set[str]:
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a directory")
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _diff_lines(was: bytes, now: bytes) -> list[str]:
    """Return a unified diff around the first difference. Headers that depend on the body are considered last."""
    old, new = _split_lines(was), _split_lines(now)
    differing = [i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]]
    telling = [i for i in differing if not old[i].startswith(_BODY_HEADERS)]
    first = next(iter(telling or differing), min(len(old), len(new)))
    # difflib takes quadratic time, so only the lines around the difference are passed to difflib.
    parts = (lines[max(first - _LINES_BEFORE, 0) : first + _LINES_AFTER] for lines in (old, new))
    before, after = _shorten_lines(*parts)
    # The first two lines of the diff are file names.
    return list(difflib.unified_diff(before, after, lineterm="", n=_LINES_BEFORE))[2:]


def _split_lines(raw: bytes) -> list[str]:
    # Escape sequences make invisible characters visible in the comparison.
    return [repr(line)[1:-1] for line in raw.decode("utf-8", "backslashreplace").split("\n")]


def _shorten_lines(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    """Return the lines, with long lines cut to the characters around the first difference."""
    pairs = list(zip(old, new, strict=False))
    starts = [_first_difference(*pair) for pair in pairs]
    cut_old = [_cut_around(line, starts[i] if i < len(starts) else 0) for i, line in enumerate(old)]
    cut_new = [_cut_around(line, starts[i] if i < len(starts) else 0) for i, line in enumerate(new)]
    return cut_old, cut_new


def _first_difference(one: str, other: str) -> int:
    return next(
        (i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )


def _cut_around(line: str, place: int) -> str:
    if len(line) <= _LONG_LINE:
        return line
    start, end = max(place - _CONTEXT_CHARACTERS, 0), place + _CONTEXT_CHARACTERS
    return f"{'…' if start else ''}{line[start:end]}{'…' if end < len(line) else ''}"
