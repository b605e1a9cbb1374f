"""Reading a data set from a file: validates each record and reports errors with their place."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson

from eventcal.kit.refusals import DomainError, FieldError, Invalid, Message, pointer
from eventcal.kit.values import NOT_LIST, NOT_OBJECT, UNKNOWN

Section: TypeAlias = Literal["speakers", "sponsors", "events", "talks"]
# In loading order: records refer only to sections before their own, or to their own.
SECTIONS: tuple[Section, ...] = ("speakers", "sponsors", "events", "talks")

RecordReader: TypeAlias = Callable[[Section, Any], Mapping[str, Any]]
"""A function that validates a record of a section and returns its fields. It raises Invalid with all errors."""

Key: TypeAlias = str | tuple[str, ...]
"""The value of the field that identifies a record, or a tuple of the values of several fields."""

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
# The largest number of unknown top-level fields that are reported.
_MOST_FAULTS = 100
# The place of a duplicate error: the title of a talk, or a sponsorship as a whole.
_DOUBLED = {"talks": "/title", "sponsorships": ""}


class UnreadableFile(DomainError):
    """The file does not exist or is not JSON."""

    code = "unreadable-file"
    title = Message("This file cannot be read")


@dataclass(frozen=True)
class Record:
    """A record of a file: its kind, its place (a JSON pointer, RFC 6901) and its validated fields."""

    kind: str
    pointer: str
    fields: Mapping[str, Any]

    @property
    def key(self) -> Key:
        """The key that identifies the record."""
        return key_of(self.kind, self.fields)

    @property
    def about(self) -> Mapping[str, Any]:
        """The fields of the record except its key."""
        return {name: value for name, value in self.fields.items() if name not in _KEYS[self.kind]}

    def parts(self, kind: str) -> Iterator["Record"]:
        """Yield the nested records of a kind."""
        for i, fields in enumerate(self.fields.get(kind, ())):
            yield Record(kind, f"{self.pointer}/{kind}/{i}", fields)


def key_of(kind: str, fields: Mapping[str, Any]) -> Key:
    """Return the key of a record with these fields."""
    key = tuple(fields[name] for name in _KEYS[kind])
    return key if len(key) > 1 else key[0]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The content of a file.

    faults: the validation errors.
    named: the keys of all records, including invalid ones as far as known, because references to those are not
    reported as errors.
    """

    records: Mapping[Section, tuple[Record, ...]]
    faults: tuple[FieldError, ...]
    named: Mapping[Section, frozenset[Key]]

    @property
    def size(self) -> int:
        """The number of records."""
        return sum(len(records) for records in self.records.values())


def read_file(path: Path, read_record: RecordReader) -> Dataset:
    """Read and validate a file. Raises UnreadableFile if it cannot be read or is not JSON in UTF-8."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}.") from error
    return parse(raw, read_record, name=str(path))


def parse(raw: bytes, read_record: RecordReader, *, name: str) -> Dataset:
    """Parse and validate JSON text. `name` is used in messages. Raises UnreadableFile if it is not JSON."""
    try:
        # Some editors add a byte order mark.
        given = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableFile(f"{name} is not JSON in UTF-8: {error.msg}, at {where}.") from error
    return check_shape(given, read_record)


def check_shape(given: object, read_record: RecordReader) -> Dataset:
    """Return the valid records in `given` (parsed JSON), and the errors of the invalid ones."""
    # The sections are validated even if there are errors at the top level.
    top = given if isinstance(given, dict) else {}
    faults = [] if isinstance(given, dict) else [FieldError("", NOT_OBJECT)]
    unknown = sorted(top.keys() - {"about", "calendar", *SECTIONS})
    faults += [FieldError(pointer([name]), UNKNOWN) for name in unknown[:_MOST_FAULTS]]
    faults += [FieldError(f"/{name}", NOT_LIST) for name in SECTIONS if not isinstance(top.get(name), list | None)]
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
                faults += (FieldError(place + fault.pointer, fault.detail) for fault in refusal.faults)
        records[section] = tuple(sound)
        named[section] = frozenset(_keys(section, items))
    faults += _doubles(records)
    return Dataset(records=records, faults=tuple(faults), named=named)


def _keys(section: Section, items: Iterable[Any]) -> Iterator[Key]:
    """Yield the keys of the items, valid or not, as far as they have one."""
    for item in items:
        if isinstance(item, dict) and all(isinstance(item.get(name), str) for name in _KEYS[section]):
            yield key_of(section, item)


def _doubles(records: Mapping[Section, Iterable[Record]]) -> Iterator[FieldError]:
    kinds = ("tracks", "rooms", "tiers", "sponsorships")
    for group in (*records.values(), *(event.parts(kind) for event in records["events"] for kind in kinds)):
        first: dict[Key, str] = {}
        for record in group:
            earlier = first.setdefault(record.key, record.pointer)
            if earlier != record.pointer:
                at = _DOUBLED.get(record.kind, f"/{_KEYS[record.kind][0]}")
                yield FieldError(record.pointer + at, f"is in this file already, at {earlier}")
