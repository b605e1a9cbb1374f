"""A file becomes a data set: every record checked by itself, and every fault of shape named with its place."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson

from eventcal.kit.refusals import Fault, Invalid, Refusal, Sentence, pointer
from eventcal.kit.values import NOT_LIST, NOT_OBJECT, UNKNOWN

Section: TypeAlias = Literal["speakers", "sponsors", "events", "talks"]
# In the order in which they are loaded: each refers to those before it.
SECTIONS: tuple[Section, ...] = ("speakers", "sponsors", "events", "talks")

RecordReader: TypeAlias = Callable[[Section, Any], Mapping[str, Any]]
"""Returns the fields of one record of a section, checked in shape; raises Invalid with every fault."""

Key: TypeAlias = str | tuple[str, ...]
"""The value of the field that a record is known by, or the values of several."""

_KEYS: Mapping[str, tuple[str, ...]] = {
    "speakers": ("slug",),
    "sponsors": ("slug",),
    "events": ("slug",),
    "talks": ("event", "title"),
    "tracks": ("name",),
    "rooms": ("name",),
    "tiers": ("name",),
    "sponsorships": ("sponsor", "tier"),
}
# Nobody reads more of them.
_MOST_FAULTS = 100
# Where a record is named that occurs twice: a talk by its title, a sponsorship as a whole.
_DOUBLED = {"talks": "/title", "sponsorships": ""}


class UnreadableFile(Refusal):
    """There is no such file, or what is in it is not JSON."""

    code = "unreadable-file"
    title = Sentence("This file cannot be read")


@dataclass(frozen=True)
class Record:
    """One thing that a file holds: of what kind, where (an RFC 6901 pointer), and its fields, checked in shape."""

    kind: str
    pointer: str
    fields: Mapping[str, Any]

    @property
    def key(self) -> Key:
        """Give what the record is known by."""
        return key_of(self.kind, self.fields)

    @property
    def about(self) -> Mapping[str, Any]:
        """Give what the record says beside its key."""
        return {name: value for name, value in self.fields.items() if name not in _KEYS[self.kind]}

    def parts(self, kind: str) -> Iterator["Record"]:
        """Give the records of this kind that stand in this one."""
        for i, fields in enumerate(self.fields.get(kind, ())):
            yield Record(kind, f"{self.pointer}/{kind}/{i}", fields)


def key_of(kind: str, fields: Mapping[str, Any]) -> Key:
    """Return what a record with these fields is known by."""
    key = tuple(fields[name] for name in _KEYS[kind])
    return key if len(key) > 1 else key[0]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """What a file holds.

    faults: everything that is wrong with its shape.
    named: what the records are known by, and those that are left out for a fault, as far as they say; whoever refers
    to one of them is not at fault.
    """

    records: Mapping[Section, tuple[Record, ...]]
    faults: tuple[Fault, ...]
    named: Mapping[Section, frozenset[Key]]

    @property
    def size(self) -> int:
        """Give the number of records."""
        return sum(len(records) for records in self.records.values())


def read_file(path: Path, read_record: RecordReader) -> Dataset:
    """Return what the file holds, faults and all. Raises UnreadableFile where it is not JSON in UTF-8."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}.") from error
    return parse(raw, read_record, name=str(path))


def parse(raw: bytes, read_record: RecordReader, *, name: str) -> Dataset:
    """Return what JSON text holds, faults and all; `name` is what messages call it. Raises UnreadableFile."""
    try:
        # Some editors put a byte order mark before what they save.
        given = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableFile(f"{name} is not JSON in UTF-8: {error.msg}, at {where}.") from error
    return check_shape(given, read_record)


def check_shape(given: object, read_record: RecordReader) -> Dataset:
    """Return the records in `given` (parsed JSON) that have the right shape, and the faults of those that have not."""
    # Whatever is wrong with the top, what stands in its lists can still be looked at.
    top = given if isinstance(given, dict) else {}
    faults = [] if isinstance(given, dict) else [Fault("", NOT_OBJECT)]
    unknown = sorted(top.keys() - {"about", "calendar", *SECTIONS})
    faults += [Fault(pointer([name]), UNKNOWN) for name in unknown[:_MOST_FAULTS]]
    faults += [Fault(f"/{name}", NOT_LIST) for name in SECTIONS if not isinstance(top.get(name), list | None)]
    records: dict[Section, tuple[Record, ...]] = {}
    named: dict[Section, frozenset[Key]] = {}
    for section in SECTIONS:
        found = top.get(section)
        items = found if isinstance(found, list) else []
        sound: list[Record] = []
        for i, item in enumerate(items):
            place = f"/{section}/{i}"
            try:
                sound.append(Record(section, place, read_record(section, item)))
            except Invalid as refusal:
                faults += (Fault(place + fault.pointer, fault.detail) for fault in refusal.faults)
        records[section] = tuple(sound)
        named[section] = frozenset(_keys(section, items))
    faults += _doubles(records)
    return Dataset(records=records, faults=tuple(faults), named=named)


def _keys(section: Section, items: Iterable[Any]) -> Iterator[Key]:
    """Give what the items seem to be known by, whatever else is wrong with them."""
    for item in items:
        if isinstance(item, dict) and all(isinstance(item.get(name), str) for name in _KEYS[section]):
            yield key_of(section, item)


def _doubles(records: Mapping[Section, Iterable[Record]]) -> Iterator[Fault]:
    kinds = ("tracks", "rooms", "tiers", "sponsorships")
    for group in (*records.values(), *(event.parts(kind) for event in records["events"] for kind in kinds)):
        first: dict[Key, str] = {}
        for record in group:
            earlier = first.setdefault(record.key, record.pointer)
            if earlier != record.pointer:
                at = _DOUBLED.get(record.kind, f"/{_KEYS[record.kind][0]}")
                yield Fault(record.pointer + at, f"is in this file already, at {earlier}")
