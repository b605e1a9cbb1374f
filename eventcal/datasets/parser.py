"""Parsing of data set files. All records are validated, and errors are reported with JSON pointers."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson

from eventcal.kit.errors import DomainError, FieldError, Invalid, Message, json_pointer
from eventcal.kit.validators import NOT_LIST, NOT_OBJECT, UNKNOWN_FIELD

Section: TypeAlias = Literal["speakers", "sponsors", "events", "talks"]
# Records refer only to records in the same section or an earlier section.
SECTIONS: tuple[Section, ...] = ("speakers", "sponsors", "events", "talks")

RecordReader: TypeAlias = Callable[[Section, Any], Mapping[str, Any]]
"""A function that validates a record of a section and returns its fields. It raises Invalid with all errors."""

RecordKey: TypeAlias = str | tuple[str, ...]
"""The value of the field that identifies a record, or a tuple of the values of several fields."""

_KEY_FIELDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("speakers", "sponsors", "events"), ("slug",)),
    **dict.fromkeys(("tracks", "rooms", "tiers"), ("name",)),
    "talks": ("event", "title"),
    "sponsorships": ("sponsor", "tier"),
}
_MAX_UNKNOWN_FIELD_ERRORS = 100
# Errors for duplicate talks point to the title, and errors for duplicate sponsorships point to the whole record.
_DUPLICATE_ERROR_POINTERS = {"talks": "/title", "sponsorships": ""}


class UnreadableFile(DomainError):
    """The file cannot be read or is not valid JSON."""

    code = "unreadable-file"
    title = Message("Unreadable file")


@dataclass(frozen=True)
class Record:
    """A record in a data set: its kind, its JSON pointer (RFC 6901) in the file, and its validated fields."""

    kind: str
    pointer: str
    fields: Mapping[str, Any]

    @property
    def key(self) -> RecordKey:
        return record_key(self.kind, self.fields)

    @property
    def non_key_fields(self) -> Mapping[str, Any]:
        return {name: value for name, value in self.fields.items() if name not in _KEY_FIELDS[self.kind]}

    def iter_nested_records(self, kind: str) -> Iterator["Record"]:
        for i, fields in enumerate(self.fields.get(kind, ())):
            yield Record(kind, f"{self.pointer}/{kind}/{i}", fields)


def record_key(kind: str, fields: Mapping[str, Any]) -> RecordKey:
    key = tuple(fields[name] for name in _KEY_FIELDS[kind])
    return key if len(key) > 1 else key[0]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The content of a data set file. `all_keys` contains the keys of all valid and invalid records."""

    records: Mapping[Section, tuple[Record, ...]]
    errors: tuple[FieldError, ...]
    all_keys: Mapping[Section, frozenset[RecordKey]]

    @property
    def size(self) -> int:
        return sum(len(records) for records in self.records.values())

    def select(self, sections: Collection[Section]) -> "Dataset":
        """Return a data set with only the records of the given sections, but with all errors and keys."""
        return self.replace_records(record for section in sections for record in self.records[section])

    def replace_records(self, records: Iterable[Record]) -> "Dataset":
        """Return a data set with only the given records, but with all errors and keys of this data set."""
        chosen = list(records)
        sections = {section: tuple(record for record in chosen if record.kind == section) for section in SECTIONS}
        return replace(self, records=sections)


def read_dataset_file(path: Path, read_record: RecordReader) -> Dataset:
    """Read and validate a data set. Raises UnreadableFile if the file cannot be read or is not JSON in UTF-8."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}.") from error
    return parse_dataset(raw, read_record, source_name=str(path))


def parse_dataset(raw: bytes, read_record: RecordReader, *, source_name: str) -> Dataset:
    """Parse and validate a data set. Raises UnreadableFile, with `source_name` in the message, if `raw` is not JSON."""
    try:
        # Some editors add a byte order mark to UTF-8 files.
        given = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableFile(f"{source_name} is not JSON in UTF-8: {error.msg}, at {where}.") from error
    return validate_dataset(given, read_record)


def validate_dataset(document: object, read_record: RecordReader) -> Dataset:
    """Validate the parsed JSON `document`, and return the data set, which contains all validation errors."""
    # The sections are validated even if the JSON document has errors at the top level.
    top = document if isinstance(document, dict) else {}
    errors = [] if isinstance(document, dict) else [FieldError("", NOT_OBJECT)]
    unknown = sorted(top.keys() - {"about", "calendar", *SECTIONS})
    errors += [FieldError(json_pointer([name]), UNKNOWN_FIELD) for name in unknown[:_MAX_UNKNOWN_FIELD_ERRORS]]
    errors += [FieldError(f"/{name}", NOT_LIST) for name in SECTIONS if not isinstance(top.get(name), list | None)]
    records: dict[Section, tuple[Record, ...]] = {}
    named: dict[Section, frozenset[RecordKey]] = {}
    for section in SECTIONS:
        found = top.get(section)
        items = found if isinstance(found, list) else []
        sound: list[Record] = []
        for i, item in enumerate(items):
            place = f"/{section}/{i}"
            try:
                sound.append(Record(section, place, read_record(section, item)))
            except Invalid as error:
                errors += (FieldError(place + error.pointer, error.detail) for error in error.errors)
        records[section] = tuple(sound)
        named[section] = frozenset(_iter_keys(section, items))
    errors += _iter_duplicate_errors(records)
    return Dataset(records=records, errors=tuple(errors), all_keys=named)


def _iter_keys(section: Section, items: Iterable[Any]) -> Iterator[RecordKey]:
    """Yield the keys of all valid and invalid items that have a complete key."""
    for item in items:
        if isinstance(item, dict) and all(isinstance(item.get(name), str) for name in _KEY_FIELDS[section]):
            yield record_key(section, item)


def _iter_duplicate_errors(records: Mapping[Section, Iterable[Record]]) -> Iterator[FieldError]:
    kinds = ("tracks", "rooms", "tiers", "sponsorships")
    nested = (event.iter_nested_records(kind) for event in records["events"] for kind in kinds)
    for group in (*records.values(), *nested):
        first: dict[RecordKey, str] = {}
        for record in group:
            earlier = first.setdefault(record.key, record.pointer)
            if earlier != record.pointer:
                at = _DUPLICATE_ERROR_POINTERS.get(record.kind, f"/{_KEY_FIELDS[record.kind][0]}")
                yield FieldError(record.pointer + at, f"is a duplicate of {earlier}")


def iter_references(dataset: Dataset) -> Iterator[tuple[Record, str, Section, RecordKey]]:
    """For each reference, yield the referring record, the JSON pointer in it, and the target section and key."""
    for event in dataset.records["events"]:
        for i, slug in enumerate(event.fields.get("co_located_with") or ()):
            yield event, f"/co_located_with/{i}", "events", slug
        for i, held in enumerate(event.fields.get("sponsorships", ())):
            yield event, f"/sponsorships/{i}/sponsor", "sponsors", held["sponsor"]
    for talk in dataset.records["talks"]:
        yield talk, "/event", "events", talk.fields["event"]
        for i, slug in enumerate(talk.fields.get("speakers", ())):
            yield talk, f"/speakers/{i}", "speakers", slug
        if talk.fields.get("reprise_of"):
            yield talk, "/reprise_of", "talks", record_key("talks", talk.fields["reprise_of"])


def split_dataset(dataset: Dataset, *, size: int) -> list[Dataset]:
    """Split a data set into batches of at most `size` records, in the order of the sections.

    Records that are linked by references within their section belong to the same batch, which can therefore be larger.
    """
    records = [record for section in SECTIONS for record in dataset.records[section]]
    batches: list[list[int]] = [[]]
    for group in _group_linked_records(dataset, records):
        if batches[-1] and len(batches[-1]) + len(group) > size:
            batches.append([])
        batches[-1] += group
    return [dataset.replace_records(records[i] for i in sorted(batch)) for batch in batches]


def _group_linked_records(dataset: Dataset, records: Sequence[Record]) -> Iterator[list[int]]:
    """Yield the positions of the records in each group of linked records."""
    groups: dict[tuple[str, RecordKey], list[int]] = {}
    for i, record in enumerate(records):
        groups.setdefault((record.kind, record.key), []).append(i)
    for record, _place, section, key in iter_references(dataset):
        group, other = groups[record.kind, record.key], groups.get((section, key))
        if section == record.kind and other is not None and other is not group:
            other += group
            groups.update({(records[i].kind, records[i].key): other for i in group})
    for i, record in enumerate(records):
        group = groups[record.kind, record.key]
        if group[0] == i:
            yield group
