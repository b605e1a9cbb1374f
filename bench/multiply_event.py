"""Enlargement of a dataset: every row is copied with new ids, slugs and days.

Rendering 100,000 entries takes minutes. Reading the rows of one event once and inserting them a hundred times with new
names takes seconds. Tables and columns are reflected from the database, so that new ones need no change here:

- Ids (16 characters), slugs (their last three digits) and days of the first event are replaced by values of the same
  length, in their columns and in all texts: rendered entries, JSON and search texts. iCalendar texts are unfolded
  before the replacement and folded again at the same positions.
- Unique integers are incremented, except keys that the database generates.
- Times after the creation of the dataset are shifted by the same interval as the days.
- All other values are copied. Revisions, digests and timestamps are those of the entries of the first event.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, UniqueConstraint, func, select, update

# Members, access tokens, the feed state and the schema version are not copied.
_UNCOPIED_TABLES = frozenset({"alembic_version", "feed_state", "members", "access_tokens"})
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 16
_LINE_FOLD = "\r\n "
# The pattern of replaced values: an id, a slug with three digits, or a day in either format.
_NAME_PATTERN = re.compile(
    r"(?<![0-9a-z])([a-z]+(?:-[a-z]+)*-\d{3}(?![0-9a-z])|[0-9a-z]{16}(?![0-9a-z])|\d{4}-\d\d-\d\d|\d{8}(?!\d))"
)

Row = Mapping[str, Any]
Renaming = Mapping[str, str]


def multiply_event(engine: Engine, times: int, *, days: Sequence[date], made: datetime) -> None:
    """Copy the only event of a dataset that was created at the time `made`, so that the dataset has `times` events.

    `days` are the days of the event. Copies take place in the following weeks and years, on the same weekdays and in
    the same half of the year.
    """
    metadata = MetaData()
    with engine.begin() as connection:
        metadata.reflect(connection)
        originals = [
            _OriginalRows.read(connection, table, made)
            for table in metadata.sorted_tables
            if table.name not in _UNCOPIED_TABLES
        ]
        names = sorted(set().union(*(original.names for original in originals)))
        for copy in range(1, times):
            rename = _make_renaming(names, days, copy)
            for original in originals:
                rows = list(original.iter_copies(rename, copy))
                if rows:
                    connection.execute(original.table.insert(), rows)
        _advance_serial(connection, metadata)


@dataclass(frozen=True)
class _OriginalRows:
    """The rows of a table, read once and split at the values to replace."""

    table: Table
    names: frozenset[str]
    rows: Sequence[Mapping[str, Callable[[Renaming, int], Any]]]

    @classmethod
    def read(cls, connection: Connection, table: Table, made: datetime) -> "_OriginalRows":
        rows = connection.execute(select(table)).mappings().all()
        counted = _unique_integer_columns(table)
        largest = {column: max((row[column] for row in rows), default=0) for column in counted}
        columns = [column.name for column in table.columns if not _is_generated_key(column)]
        makers = [
            {column: _make_value_copier(row[column], made, step=largest.get(column)) for column in columns}
            for row in rows
        ]
        named = [column for column in ("id", "slug") if column in columns]
        return cls(table, frozenset(row[column] for row in rows for column in named), makers)

    def iter_copies(self, rename: Renaming, copy: int) -> Iterator[Row]:
        for row in self.rows:
            yield {column: make(rename, copy) for column, make in row.items()}


def _is_generated_key(column: Column[Any]) -> bool:
    """Return whether the database generates this key."""
    return column.primary_key and isinstance(column.type, Integer) and len(column.table.primary_key) == 1


def _unique_integer_columns(table: Table) -> set[str]:
    """Return the names of the integer columns with a unique constraint on the single column."""
    unique = [list(rule.columns) for rule in table.constraints if isinstance(rule, UniqueConstraint)]
    unique += [list(index.columns) for index in table.indexes if index.unique]
    return {columns[0].name for columns in unique if len(columns) == 1 and isinstance(columns[0].type, Integer)}


def _make_value_copier(value: Any, made: datetime, *, step: int | None) -> Callable[[Renaming, int], Any]:  # noqa: ANN401 - any column
    if step is not None:
        return lambda _, copy: value + copy * step
    if isinstance(value, str):
        return _make_text_copier(value)
    if isinstance(value, datetime) and (value if value.tzinfo else value.replace(tzinfo=UTC)) > made:
        return lambda _, copy: value + _time_shift(copy)
    return lambda _rename, _copy: value


def _make_text_copier(text: str) -> Callable[[Renaming, int], str]:
    lines = text.split(_LINE_FOLD)
    pieces = _NAME_PATTERN.split("".join(lines))
    if len(pieces) == 1:
        return lambda _rename, _copy: text
    ends, at = [], 0
    for line in lines:
        at += len(line)
        ends.append(at)

    def make(rename: Renaming, _copy: int) -> str:
        new = pieces.copy()
        new[1::2] = [rename.get(name, name) for name in pieces[1::2]]
        whole = "".join(new)
        return _LINE_FOLD.join(whole[start:end] for start, end in zip([0, *ends], ends, strict=False))

    return make


def _make_renaming(names: Sequence[str], days: Sequence[date], copy: int) -> dict[str, str]:
    dice = random.Random(copy)
    new = {name: _new_name(name, dice, copy) for name in names}
    for day in days:
        moved = day + _time_shift(copy)
        new |= {day.isoformat(): moved.isoformat(), f"{day:%Y%m%d}": f"{moved:%Y%m%d}"}
    return new


def _new_name(name: str, dice: random.Random, copy: int) -> str:
    if len(name) == _ID_LENGTH and name.isalnum():
        return "".join(dice.choices(_ALPHABET, k=_ID_LENGTH))
    return f"{name[:-3]}{copy:03}"


def _time_shift(copy: int) -> timedelta:
    """Return the interval between the original and a copy. Copies take place in 16 weeks of each summer."""
    years, weeks = divmod(copy, 16)
    return timedelta(weeks=52 * years + weeks)


def _advance_serial(connection: Connection, metadata: MetaData) -> None:
    """Set the serial number of the feed state to the largest number in use."""
    entries, state = metadata.tables["feed_entries"], metadata.tables["feed_state"]
    connection.execute(update(state).values(last_serial=select(func.max(entries.c.serial)).scalar_subquery()))
