"""Counts what the database is asked, so that a list can be held to the same number of statements at any length."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from eventcal.kit.database import Database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Give a list that grows by the text of every statement that is sent inside the block."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        # connection, cursor, statement, parameters, context, executemany
        seen.append(str(arguments[2]))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
