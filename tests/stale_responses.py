"""A reader that sends conditional and unconditional requests and detects responses older than acknowledged edits.

Each writer edits its own talks, one edit after another, and sets their titles to `edit_title`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, product
from typing import NamedTuple

from tests.concurrency import ReceivedResponse, SendRequest, if_modified_since, if_none_match, unconditional

_EDIT_TITLE = re.compile(rb"Edit (\d+) by writer (\d+)")
BY_ETAG, BY_DATE = "by ETag", "by date"
_CONDITIONS = {BY_ETAG: if_none_match, BY_DATE: if_modified_since, "unconditional": unconditional}
_MAX_EXAMPLES = 5


def edit_title(writer: int, edit: int) -> str:
    """Return the title of a talk after an edit."""
    return f"Edit {edit} by writer {writer}"


@dataclass
class ReadCounts:
    """The number of reads by result. A read has failed if the status of its response is neither 200 nor 304.

    `not_modified` contains the number of 304 responses by condition. `examples` describes the first stale responses.
    """

    reads: int = 0
    not_modified: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    stale: int = 0
    examples: list[str] = field(default_factory=list)

    def add_stale(self, example: str) -> None:
        """Count a stale response."""
        self.stale += 1
        if len(self.examples) < _MAX_EXAMPLES:
            self.examples.append(example)

    def add(self, other: "ReadCounts") -> None:
        """Add the counts of another reader."""
        self.reads += other.reads
        self.not_modified += other.not_modified
        self.failed += other.failed
        self.stale += other.stale
        self.examples = [*self.examples, *other.examples][:_MAX_EXAMPLES]


class _HeldResponse(NamedTuple):
    """A 200 response, and the number of the last edit of each writer in its body."""

    response: ReceivedResponse
    edits: Mapping[int, int]


@dataclass
class StaleResponseDetector:
    """Reads paths from servers in turn by ETag, by date and unconditionally, and counts stale responses.

    A conditional request contains the validators of the last 200 response of any server for the path. `acknowledged`
    contains the number of the last acknowledged edit of each writer.
    """

    servers: Sequence[SendRequest]
    paths: Sequence[str]
    acknowledged: Iterable[int]
    counts: ReadCounts = field(default_factory=ReadCounts)
    _held: dict[str, _HeldResponse] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._requests = cycle(product(_CONDITIONS, self.paths, range(len(self.servers))))

    def read_each(self) -> None:
        """Send every kind of request for each path to each server."""
        self.read_times(len(_CONDITIONS) * len(self.paths) * len(self.servers))

    def read_times(self, reads: int) -> None:
        """Send a number of requests."""
        for _ in range(reads):
            condition, path, server = next(self._requests)
            self._read(condition, path, server)

    def _read(self, condition: str, path: str, server: int) -> None:
        held = self._held.get(path)
        acknowledged = tuple(self.acknowledged)
        response = self.servers[server](path, _CONDITIONS[condition](held.response) if held else {})
        self.counts.reads += 1
        if response.status == 304 and held is not None:
            self.counts.not_modified[condition] += 1
        elif response.status == 200:
            held = self._held[path] = _HeldResponse(response, _last_edits(response.body))
        else:
            self.counts.failed += 1
            return
        missing = [writer for writer, edit in enumerate(acknowledged) if held.edits.get(writer, 0) < edit]
        if missing:
            self.counts.add_stale(
                f"{path} {condition} from server {server}: the edits {acknowledged} were acknowledged, "
                f"and the {response.status} response shows the edits {held.edits}"
            )


def _last_edits(body: bytes) -> dict[int, int]:
    """Return the number of the last edit of each writer in a body of any format."""
    # iCalendar folds long lines: CRLF and a space do not belong to the title (RFC 5545, section 3.1).
    found = _EDIT_TITLE.findall(body.replace(b"\r\n ", b""))
    return {writer: edit for edit, writer in sorted((int(edit), int(writer)) for edit, writer in found)}
