"""A world made larger: every row copied in bulk, under new ids and slugs and on other days.

Rendering 100,000 entries takes minutes; reading one event's rows once and writing them a hundred times under other
names takes seconds. Tables and columns are the database's own (by reflection), so that a new one needs nothing here:

- an id (16 characters), a slug (its last three digits) and a day of the first event become others of the same
  length, in their own columns and wherever else they stand in a text: finished entries, their JSON, search texts.
  Texts of RFC 5545 are unfolded for it and folded again at the same places.
- whole numbers that are unique by themselves are counted on; a key that the database counts is left to it;
- instants that lie after the making of the world move by as much as the days do;
- all else stays: revisions, digests and stamps are those of the first event's entries.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, UniqueConstraint, func, select, update

# Who may sign in, how far the ledger is, and which schema it is: one of each, however large the world.
_ONCE = frozenset({"alembic_version", "ledger_state", "members", "access_tokens"})
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 16
_FOLD = "\r\n "
# What may be a name: an id, a slug with three digits, or a day in either form.
_NAMES = re.compile(
    r"(?<![0-9a-z])([a-z]+(?:-[a-z]+)*-\d{3}(?![0-9a-z])|[0-9a-z]{16}(?![0-9a-z])|\d{4}-\d\d-\d\d|\d{8}(?!\d))"
)

Row = Mapping[str, Any]
Rename = Mapping[str, str]


def multiply(engine: Engine, times: int, *, days: Sequence[date], made: datetime) -> None:
    """Make of one event, whose days these are, so many; the world was made at `made`.

    Copies lie in the weeks and years after the first, on the same days of the week and in the same half of the year.
    """
    metadata = MetaData()
    with engine.begin() as connection:
        metadata.reflect(connection)
        originals = [
            _Original.read(connection, table, made) for table in metadata.sorted_tables if table.name not in _ONCE
        ]
        names = sorted(set().union(*(original.names for original in originals)))
        for copy in range(1, times):
            rename = _renamed(names, days, copy)
            for original in originals:
                rows = list(original.copied(rename, copy))
                if rows:
                    connection.execute(original.table.insert(), rows)
        _count_on(connection, metadata)


@dataclass(frozen=True)
class _Original:
    """A table's rows as they are read once, cut where names stand."""

    table: Table
    names: frozenset[str]
    rows: Sequence[Mapping[str, Callable[[Rename, int], Any]]]

    @classmethod
    def read(cls, connection: Connection, table: Table, made: datetime) -> "_Original":
        rows = connection.execute(select(table)).mappings().all()
        counted = _counted(table)
        largest = {column: max((row[column] for row in rows), default=0) for column in counted}
        columns = [column.name for column in table.columns if not _is_given(column)]
        makers = [{column: _maker(row[column], made, step=largest.get(column)) for column in columns} for row in rows]
        named = [column for column in ("id", "slug") if column in columns]
        return cls(table, frozenset(row[column] for row in rows for column in named), makers)

    def copied(self, rename: Rename, copy: int) -> Iterator[Row]:
        for row in self.rows:
            yield {column: make(rename, copy) for column, make in row.items()}


def _is_given(column: Column[Any]) -> bool:
    """Say whether the database itself counts this key."""
    return column.primary_key and isinstance(column.type, Integer) and len(column.table.primary_key) == 1


def _counted(table: Table) -> set[str]:
    """Return the whole numbers that are unique by themselves."""
    unique = [list(rule.columns) for rule in table.constraints if isinstance(rule, UniqueConstraint)]
    unique += [list(index.columns) for index in table.indexes if index.unique]
    return {columns[0].name for columns in unique if len(columns) == 1 and isinstance(columns[0].type, Integer)}


def _maker(value: Any, made: datetime, *, step: int | None) -> Callable[[Rename, int], Any]:  # noqa: ANN401 - any column
    if step is not None:
        return lambda _, copy: value + copy * step
    if isinstance(value, str):
        return _text_maker(value)
    if isinstance(value, datetime) and (value if value.tzinfo else value.replace(tzinfo=UTC)) > made:
        return lambda _, copy: value + _shift(copy)
    return lambda _rename, _copy: value


def _text_maker(text: str) -> Callable[[Rename, int], str]:
    lines = text.split(_FOLD)
    pieces = _NAMES.split("".join(lines))
    if len(pieces) == 1:
        return lambda _rename, _copy: text
    ends, at = [], 0
    for line in lines:
        at += len(line)
        ends.append(at)

    def make(rename: Rename, _copy: int) -> str:
        new = pieces.copy()
        new[1::2] = [rename.get(name, name) for name in pieces[1::2]]
        whole = "".join(new)
        return _FOLD.join(whole[start:end] for start, end in zip([0, *ends], ends, strict=False))

    return make


def _renamed(names: Sequence[str], days: Sequence[date], copy: int) -> dict[str, str]:
    dice = random.Random(copy)
    new = {name: _new_name(name, dice, copy) for name in names}
    for day in days:
        moved = day + _shift(copy)
        new |= {day.isoformat(): moved.isoformat(), f"{day:%Y%m%d}": f"{moved:%Y%m%d}"}
    return new


def _new_name(name: str, dice: random.Random, copy: int) -> str:
    if len(name) == _ID_LENGTH and name.isalnum():
        return "".join(dice.choices(_ALPHABET, k=_ID_LENGTH))
    return f"{name[:-3]}{copy:03}"


def _shift(copy: int) -> timedelta:
    """Return how far a copy lies from the first: sixteen weeks of each of the following summers."""
    years, weeks = divmod(copy, 16)
    return timedelta(weeks=52 * years + weeks)


def _count_on(connection: Connection, metadata: MetaData) -> None:
    """Let the ledger go on from the largest number that it gave."""
    entries, state = metadata.tables["ledger_entries"], metadata.tables["ledger_state"]
    connection.execute(update(state).values(numbers=select(func.max(entries.c.number)).scalar_subquery()))
