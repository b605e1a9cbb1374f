"""What values in a file may be: readers for parsed JSON, and the fields of objects.

A reader takes a value and returns what is kept of it. It raises ValueError with a message for a value that it does not
take; readers of lists and objects raise Faulty, with every fault inside the value and the path to it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from eventcal.events.recurrence.overrides import MOST_OVERRIDES, TOO_MANY_OVERRIDES, occurrence_fault
from eventcal.kit import values
from eventcal.kit.localtime import format_local, parse_local
from eventcal.kit.refusals import Sentence
from eventcal.kit.text import SLUG_LIMIT, many_lines_fault, one_line_fault, slug_fault
from eventcal.kit.values import URL_LIMIT, Form, url_fault

Steps: TypeAlias = tuple[str | int, ...]
Reader: TypeAlias = Callable[[Any], Any]
TextCheck: TypeAlias = Callable[[str], str | None]
Kind = TypeVar("Kind")
Step = TypeVar("Step", str, int)


class Faulty(ValueError):  # noqa: N818 - named for what the value is, like every refusal here
    """A list or an object with something wrong in it: each fault as its path and the message."""

    def __init__(self, faults: list[tuple[Steps, str]]) -> None:
        super().__init__(faults)
        self.faults = faults


def faults_in(error: ValueError, path: Steps) -> list[tuple[Steps, str]]:
    """Return what a reader raised as faults of the value at `path`."""
    if isinstance(error, Faulty):
        return [((*path, *inner), message) for inner, message in error.faults]
    return [(path, str(error))]


def _typed(value: object, kind: type[Kind], message: Sentence) -> Kind:
    if not isinstance(value, kind):
        raise ValueError(message)  # noqa: TRY004 - readers raise nothing but ValueError
    return value


def _checked_text(value: object, fault: TextCheck) -> str:
    given = _typed(value, str, values.NOT_TEXT)
    wrong = fault(given)
    if wrong is not None:
        raise ValueError(wrong)
    return given


def text(limit: int, fault: TextCheck = many_lines_fault) -> Reader:
    """Return a reader for text of at most `limit` characters; `fault` returns what else is wrong with one, or None."""

    def read(value: object) -> str:
        given = _checked_text(value, fault)
        if len(given) > limit:
            raise ValueError(values.at_most_characters(limit))
        return given

    return read


def line(limit: int) -> Reader:
    """Return a reader for one line of text."""
    return text(limit, one_line_fault)


def form(kind: Form) -> Reader:
    """Return a reader for text in a fixed form."""
    return text(kind.limit, kind.fault)


slug = text(SLUG_LIMIT, slug_fault)
url = text(URL_LIMIT, url_fault)


def word(words: type[StrEnum]) -> Reader:
    """Return a reader for one of these words."""
    message = values.one_of(words)

    def read(value: object) -> StrEnum:
        try:
            return words(_typed(value, str, message))
        except ValueError:
            raise ValueError(message) from None

    return read


def local_time(value: object) -> str:
    """Return a date, or a local time to the second."""
    return format_local(parse_local(_checked_text(value, one_line_fault)))


def flag(value: object) -> bool:
    """Return true or false."""
    return _typed(value, bool, values.NOT_FLAG)


def whole(most: int = values.LARGEST_NUMBER) -> Reader:
    """Return a reader for a whole number from 1 to `most`."""

    def read(value: object) -> int:
        number = values.read_whole(value)
        if not 1 <= number <= most:
            raise ValueError(values.between(1, most))
        return number

    return read


def degrees(limit: int) -> Reader:
    """Return a reader for a number from -limit to limit."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(values.NOT_NUMBER)  # noqa: TRY004 - readers raise nothing but ValueError
        if not -limit <= value <= limit:
            raise ValueError(values.between(-limit, limit))
        return float(value)

    return read


@dataclass(frozen=True)
class Field:
    """One field of an object: how its value is read, whether it must be there, and whether it may be null."""

    read: Reader
    required: bool = False
    nullable: bool = False

    def __call__(self, value: object) -> object:
        """Return what is kept of the value. Raises ValueError or Faulty."""
        if value is not None:
            return self.read(value)
        if not self.nullable:
            raise ValueError(values.NOT_NULL)
        return None


def required(read: Reader) -> Field:
    """Return a field that must be there."""
    return Field(read, required=True)


def nullable(read: Reader) -> Field:
    """Return a field that may be null, which says that there is none."""
    return Field(read, nullable=True)


def _read_all(parts: Iterable[tuple[Step, Field, object]], faults: Sequence[tuple[Steps, str]] = ()) -> dict[Step, Any]:
    """Return what is kept of each part, by its step. Raises Faulty with the faults of all, and those given."""
    kept: dict[Step, Any] = {}
    found = list(faults)
    for step, field, value in parts:
        try:
            kept[step] = field(value)
        except ValueError as error:
            found += faults_in(error, (step,))
    if found:
        raise Faulty(found)
    return kept


def items(read_item: Reader, limit: int) -> Reader:
    """Return a reader for a list of at most `limit` items, none of them null."""
    field = Field(read_item)

    def read(value: object) -> list[Any]:
        given = _typed(value, list, values.NOT_LIST)
        if len(given) > limit:
            # Checked before any item is read, which could take seconds.
            raise ValueError(values.at_most_items(limit))
        return list(_read_all((i, field, item) for i, item in enumerate(given)).values())

    return read


def overrides(read_override: Reader) -> Reader:
    """Return a reader for what changes in single occurrences: an object by occurrence; null removes an override."""
    field = nullable(read_override)

    def read(value: object) -> dict[str, Any]:
        given = _typed(value, dict, values.NOT_OBJECT)
        if len(given) > MOST_OVERRIDES:
            # Checked before any override is read, which could take seconds.
            raise ValueError(TOO_MANY_OVERRIDES)
        wrong = {occurrence: fault for occurrence in given if (fault := occurrence_fault(occurrence)) is not None}
        return _read_all(
            ((occurrence, field, override) for occurrence, override in given.items() if occurrence not in wrong),
            [((occurrence,), fault) for occurrence, fault in wrong.items()],
        )

    return read


@dataclass(frozen=True)
class ObjectReader:
    """A reader for an object with these fields and no others.

    nulls_left_out: whether null in a field that is not nullable means unknown, as if the field was left out.
    """

    fields: Mapping[str, Field]
    nulls_left_out: bool = False

    def __call__(self, value: object) -> dict[str, Any]:
        """Return the fields that are given. Raises ValueError or Faulty."""
        given = _typed(value, dict, values.NOT_OBJECT)
        parts: list[tuple[str, Field, object]] = []
        faults: list[tuple[Steps, str]] = [((name,), values.UNKNOWN) for name in given if name not in self.fields]
        for name, field in self.fields.items():
            inner = given.get(name)
            if name not in given or (inner is None and self.nulls_left_out and not field.nullable):
                if field.required:
                    faults.append(((name,), values.REQUIRED))
                continue
            parts.append((name, field, inner))
        return _read_all(parts, faults)


def object_of(**fields: Field) -> ObjectReader:
    """Return a reader for an object with these fields."""
    return ObjectReader(fields)


def record_of(**fields: Field) -> ObjectReader:
    """Return a reader for an object with these fields, which takes null for a fact that is not known."""
    return ObjectReader(fields, nulls_left_out=True)
