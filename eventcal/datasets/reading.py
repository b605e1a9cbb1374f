"""A file becomes a data set: every record checked by itself, and every fault of shape named with its place."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

import orjson

from eventcal.datasets.errors import UnreadableFile
from eventcal.datasets.fields import Field, ObjectReader, Steps, faults_in, record_of
from eventcal.datasets.records import EVENT, SPEAKER, SPONSOR, TALK
from eventcal.kit.refusals import Fault, pointer
from eventcal.kit.values import NOT_LIST

Section = Literal["speakers", "sponsors", "events", "talks"]
# In the order in which they are loaded: each refers to those before it.
SECTIONS: tuple[Section, ...] = ("speakers", "sponsors", "events", "talks")

_RECORDS: Mapping[Section, ObjectReader] = {"speakers": SPEAKER, "sponsors": SPONSOR, "events": EVENT, "talks": TALK}
# The lists are read record by record, and where the data come from is not read at all.
_FILE = record_of(**dict.fromkeys(("about", "calendar", *SECTIONS), Field(lambda value: value)))
# Of one record; nobody reads more of them.
_MOST_FAULTS = 100


@dataclass(frozen=True)
class Record:
    """One thing that a file holds: where (an RFC 6901 pointer into the file), and its fields, checked in shape."""

    pointer: str
    fields: Mapping[str, Any]

    @property
    def key(self) -> str | tuple[str, str]:
        """Give what the record is known by: a slug, or of a talk its event and title."""
        return self.fields["slug"] if "slug" in self.fields else (self.fields["event"], self.fields["title"])


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """What a file holds.

    faults: everything that is wrong with its shape.
    broken: what the records that are left out for a fault are known by, as far as they say; whoever refers to one
    of them is not at fault.
    """

    speakers: tuple[Record, ...] = ()
    sponsors: tuple[Record, ...] = ()
    events: tuple[Record, ...] = ()
    talks: tuple[Record, ...] = ()
    faults: tuple[Fault, ...] = ()
    broken: Mapping[Section, frozenset[object]]

    def records(self, section: Section) -> tuple[Record, ...]:
        """Return the records of one section, in the file's order."""
        found: tuple[Record, ...] = getattr(self, section)
        return found

    @property
    def size(self) -> int:
        """Give the number of records."""
        return sum(len(self.records(section)) for section in SECTIONS)


def read_file(path: Path) -> Dataset:
    """Return what the file holds, faults and all. Raises UnreadableFile where it is not JSON in UTF-8."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}.") from error
    return parse(raw, name=str(path))


def parse(raw: bytes, *, name: str) -> Dataset:
    """Return what JSON text holds, faults and all; `name` is what messages call it. Raises UnreadableFile."""
    try:
        # Some editors put a byte order mark before what they save.
        given = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableFile(f"{name} is not JSON in UTF-8: {error.msg}, at {where}.") from error
    return check_shape(given)


def check_shape(given: object) -> Dataset:
    """Return the records in `given` (parsed JSON) that have the right shape, and the faults of those that have not."""
    faults: list[Fault] = []
    _read(_FILE, given, at=(), faults=faults)
    # Whatever is wrong with the top, what stands in its lists can still be looked at.
    top = given if isinstance(given, Mapping) else {}
    records: dict[Section, tuple[Record, ...]] = {}
    broken: dict[Section, frozenset[object]] = {}
    for section in SECTIONS:
        items = _items(section, top, faults)
        records[section] = tuple(_records(section, items, faults))
        broken[section] = frozenset(_keys(section, items)) - {record.key for record in records[section]}
    faults += _doubles(records)
    return Dataset(**records, faults=tuple(faults), broken=broken)


def _read(read: ObjectReader, given: object, *, at: Steps, faults: list[Fault]) -> dict[str, Any] | None:
    try:
        return read(given)
    except ValueError as error:
        found = sorted(faults_in(error, at), key=itemgetter(0))
        faults += (Fault(pointer(path), message) for path, message in found[:_MOST_FAULTS])
        return None


def _items(section: Section, top: Mapping[str, Any], faults: list[Fault]) -> list[Any]:
    items = top.get(section)
    if items is None:
        return []
    if isinstance(items, list):
        return items
    faults.append(Fault(f"/{section}", NOT_LIST))
    return []


def _records(section: Section, items: list[Any], faults: list[Fault]) -> Iterator[Record]:
    for i, item in enumerate(items):
        fields = _read(_RECORDS[section], item, at=(section, i), faults=faults)
        if fields is not None:
            yield Record(f"/{section}/{i}", fields)


def _keys(section: Section, items: Iterable[Any]) -> Iterator[object]:
    """Give what the items seem to be known by, whatever else is wrong with them."""
    names = ("event", "title") if section == "talks" else ("slug",)
    for item in items:
        words = tuple(item.get(name) for name in names) if isinstance(item, dict) else ()
        if words and all(isinstance(word, str) for word in words):
            yield words if section == "talks" else words[0]


def _doubles(records: Mapping[Section, Iterable[Record]]) -> Iterator[Fault]:
    for section in SECTIONS:
        name = "title" if section == "talks" else "slug"
        yield from _repeated(records[section], lambda record: record.key, at=f"/{name}")
    for event in records["events"]:
        for part in ("tracks", "rooms", "tiers"):
            yield from _repeated(_parts(event, part), lambda record: record.fields["name"], at="/name")
        yield from _repeated(
            _parts(event, "sponsorships"), lambda record: (record.fields["sponsor"], record.fields["tier"]), at=""
        )


def _parts(event: Record, part: str) -> Iterator[Record]:
    for i, fields in enumerate(event.fields.get(part, ())):
        yield Record(f"{event.pointer}/{part}/{i}", fields)


def _repeated(records: Iterable[Record], key: Callable[[Record], object], *, at: str) -> Iterator[Fault]:
    first: dict[object, str] = {}
    for record in records:
        earlier = first.setdefault(key(record), record.pointer)
        if earlier != record.pointer:
            yield Fault(record.pointer + at, f"is in this file already, at {earlier}")
